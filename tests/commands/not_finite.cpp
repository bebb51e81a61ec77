// Weights that are NaN or infinite: what is computed with them looks like a result, so nothing is.

#include <algorithm>
#include <cstring>
#include <limits>

#include "src/checkpoint/checkpoint.hpp"
#include "src/checkpoint/stored_checkpoint.hpp"
#include "src/commands/evaluation.hpp"
#include "src/commands/training.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/small_run.hpp"

namespace
{
using namespace paws;
namespace fs = std::filesystem;

io::Array& named(io::NamedArrays& arrays, const std::string& name)
{
    const auto found = std::find_if(arrays.begin(), arrays.end(), [&](const auto& a) { return a.first == name; });
    REQUIRE(found != arrays.end());
    return found->second;
}

void set_numbers(io::Array& array, float number, std::size_t count)
{
    REQUIRE(array.type == io::ElementType::float32);
    for (std::size_t i = 0; i < count; ++i)
    {
        std::memcpy(array.bytes.data() + i * sizeof number, &number, sizeof number);
    }
}

/// A run of one epoch, and copies of its checkpoint with other numbers in it.
struct RunToDamage : test::SmallRun
{
    RunToDamage() { commands::run_training(config("first"), {"never", {1, {}, {}}, {}, true}); }

    fs::path checkpoint() const { return folder / "first/small-latest.h5"; }

    io::Checkpoint content() const { return io::read_checkpoint(checkpoint()); }

    fs::path write(const io::Checkpoint& content, const std::string& name) const
    {
        checkpoint::write_stored_checkpoint(folder / name, content);
        return folder / name;
    }

    /// With `count` numbers of a weight replaced.
    fs::path with(const std::string& weight, float number, std::size_t count, const std::string& name = "bad.h5") const
    {
        auto changed = content();
        set_numbers(named(changed.encoder, weight), number, count);
        return write(changed, name);
    }
};

constexpr float nan_ = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
}  // namespace

TEST_CASE("weights and statistics that are not finite are refused wherever they are loaded", "[tasks]")
{
    const RunToDamage run;
    const auto single = comm::make_single_rank();
    const auto refuse = [&](const auto& work, const std::string& what)
    { CHECK_THROWS_WITH(work(), Catch::Contains(what) && Catch::Contains("are NaN or infinite")); };
    for (const std::string name : {"bad.h5", "bad.pth"})
    {
        refuse([&] { commands::load_pretrained(run.with("conv1.weight", nan_, 3, name), *single); },
               name + ": 3 of the 432 numbers of 'conv1.weight'");
        refuse([&] { commands::load_pretrained(run.with("bn1.running_var", infinity, 1, name), *single); },
               "1 of the 64 numbers of 'bn1.running_var'");
        refuse([&] { commands::load_pretrained(run.with("pred.fc1.bias", -infinity, 2, name), *single); },
               "numbers of 'pred.fc1.bias'");
    }
    auto encoder = nn::make_encoder({"wide_resnet16w1", 16, true});
    refuse([&] { return checkpoint::load_backbone(run.with("bn1.running_mean", nan_, 1), *encoder); },
           "'bn1.running_mean'");
    // What is not taken over does not matter.
    CHECK_NOTHROW(checkpoint::load_backbone(run.with("fc.fc1.weight", nan_, 1), *encoder));

    const auto bad = run.with("conv1.weight", nan_, 1).string();
    refuse([&] { commands::run_training(run.config("second"), {bad, {}, {}, true}); }, "'conv1.weight'");
    refuse(
        [&] {
            commands::run_training(run.config("second", {"meta.init_backbone=" + bad}), {"never", {}, {}, true});
        },
        "'conv1.weight'");
    for (const auto& config : {run.snn_config("second", {"logging.pretrain_path=" + bad}),
                               run.fine_tune_config("second", {"logging.pretrain_path=" + bad})})
    {
        refuse([&] { commands::run_training(config, {"never", {}, {}, true}); }, "'conv1.weight'");
    }
    auto momentum = run.content();
    set_numbers(named(momentum.momentum, "fc.fc3.weight"), infinity, 5);
    refuse(
        [&] {
            commands::run_training(run.config("second"), {run.write(momentum, "m.h5").string(), {}, {}, true});
        },
        "5 of the 1024 numbers of 'fc.fc3.weight'");
    // A number of double precision that float32 does not hold becomes infinite.
    auto wide = run.content();
    auto& array = named(wide.encoder, "bn1.bias");
    std::vector<double> numbers(array.bytes.size() / sizeof(float), 1e300);
    array.type = io::ElementType::float64;
    array.bytes.resize(numbers.size() * sizeof(double));
    std::memcpy(array.bytes.data(), numbers.data(), array.bytes.size());
    refuse([&] { commands::load_pretrained(run.write(wide, "wide.h5"), *single); },
           "64 of the 64 numbers of 'bn1.bias'");
}

TEST_CASE("the program neither evaluates nor embeds weights that are not finite, and says of them when it converts",
          "[tasks]")
{
    const RunToDamage run;
    const auto bad = run.with("bn1.running_var", nan_, 2).string();
    const auto output = run.folder / "out.h5";
    const std::vector<std::string> parts = {"bad.h5: 2 of the 64 numbers of 'bn1.running_var'", "from before"};
    test::check_bad_input("snn-eval --checkpoint " + bad, parts);
    test::check_bad_input("embed --checkpoint " + bad + " --output " + output.string(), parts);
    test::check_bad_input("embed --checkpoint " + bad + " --half --output " + output.string(), parts);
    CHECK_FALSE(fs::exists(output));
    const auto converted = run.folder / "converted.pth";
    const std::string stderr_alone = R"(sh -c '"$0" "$@" 3>&1 >/dev/null 2>&3')";
    const auto result = test::run("convert " + bad + " " + converted.string(), stderr_alone);
    CHECK(result.code == 0);
    CHECK(fs::exists(converted));
    CHECK_THAT(result.output,
               Catch::StartsWith("note: ") &&
                   Catch::Contains("bad.h5: 2 of the 64 numbers of 'bn1.running_var' are NaN or infinite"));
    const auto good = run.checkpoint().string() + " " + (run.folder / "good.pth").string();
    CHECK(test::run("convert " + good, stderr_alone).output.empty());
}

TEST_CASE("outputs that overflow are refused too", "[tasks]")
{
    const RunToDamage run;
    auto huge = run.content();
    for (auto& [name, array] : huge.encoder)
    {
        if (name.ends_with("bn1.weight"))
        {
            set_numbers(array, 1e37F, array.bytes.size() / sizeof(float));
        }
    }
    const auto path = run.write(huge, "huge.h5").string();
    const auto output = run.folder / "out.h5";
    test::check_bad_input("snn-eval --checkpoint " + path, {"NaN or infinite", "of 12 images"});
    test::check_bad_input("embed --checkpoint " + path + " --output " + output.string(), {"of image '000'", "NaN"});
    CHECK_FALSE(fs::exists(output));
}

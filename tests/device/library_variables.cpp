#include "src/device/library_variables.hpp"

#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "src/device/blas_kernel.hpp"
#include "tests/device/processor_choices.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_program.hpp"

using namespace paws;
using device::Processor;
using device::ProcessorMake;

namespace
{
std::string text(const char* name)
{
    return name == nullptr ? "" : name;
}

/// A vector of an environment, and the texts in it.
class Environment
{
public:
    explicit Environment(std::vector<std::string> texts) : texts_(std::move(texts))
    {
        for (auto& variable : texts_)
        {
            vector_.push_back(variable.data());
        }
        vector_.push_back(nullptr);
    }
    char** vector() { return vector_.data(); }
    std::vector<std::string> texts() const { return {vector_.begin(), vector_.end() - 1}; }

private:
    std::vector<std::string> texts_;
    std::vector<char*> vector_;
};

std::vector<std::string> names(const device::LibraryVariables& variables)
{
    std::vector<std::string> found;
    for (const char* const variable : variables)
    {
        if (variable != nullptr)
        {
            found.push_back(std::string(variable).substr(0, std::string(variable).find('=')));
        }
    }
    return found;
}
}  // namespace

TEST_CASE("OpenBLAS' kernels follow from make and instruction sets", "[nn]")
{
    for (const auto& processor : test::all_processors())
    {
        const auto kernel = text(device::blas_kernel_for(processor));
        INFO(static_cast<int>(processor.make) << " " << device::describe_instruction_sets(processor));
        if (processor.make == ProcessorMake::other || !processor.avx2)
        {
            CHECK(kernel.empty());
        }
        else if (processor.avx512)
        {
            CHECK(kernel == "SkylakeX");
        }
        else
        {
            CHECK(kernel == (processor.make == ProcessorMake::intel ? "Haswell" : "Zen"));
        }
    }
}

TEST_CASE("what the user has set for libraries stays, the rest is set", "[nn]")
{
    const Processor xeon{ProcessorMake::intel, true, true, true, false};
    const auto wanted = [](const Processor& processor, std::vector<std::string> variables)
    {
        Environment environment(std::move(variables));
        return names(device::library_variables(processor, environment.vector()));
    };
    using Names = std::vector<std::string>;
    CHECK(wanted(xeon, {"PATH=/bin"}) == Names{"OPENBLAS_CORETYPE", "GOMP_SPINCOUNT"});
    CHECK(wanted(xeon, {"OPENBLAS_CORETYPE=Haswell"}) == Names{"GOMP_SPINCOUNT"});
    CHECK(wanted(xeon, {"OPENBLAS_CORETYPE="}) == Names{"GOMP_SPINCOUNT"});
    CHECK(wanted(xeon, {"OPENBLAS_CORETYPES=x"}) == Names{"OPENBLAS_CORETYPE", "GOMP_SPINCOUNT"});
    CHECK(wanted(xeon, {"A=1", "OMP_WAIT_POLICY=active"}) == Names{"OPENBLAS_CORETYPE"});
    CHECK(wanted(xeon, {"GOMP_SPINCOUNT=5", "OPENBLAS_CORETYPE=x"}).empty());
    CHECK(wanted({}, {}) == Names{"GOMP_SPINCOUNT"});
}

TEST_CASE("variables are lent to libraries in the place of others, and the others come back", "[nn]")
{
    const std::vector<std::string> before{"HOME=/root", "PATH=/bin", "OMP_NUM_THREADS=2", "PWD=/", "PWDX=/"};
    Environment environment(before);
    device::LentVariables lent;
    CHECK(lent.lend(environment.vector(), {"A=1", "B=2"}) == 2);
    CHECK(environment.texts() == std::vector<std::string>{"HOME=/root", "B=2", "OMP_NUM_THREADS=2", "A=1", "PWDX=/"});
    // What setenv() of a library has made of it meanwhile.
    std::vector<char*> copy(environment.vector(), environment.vector() + before.size() + 1);
    lent.give_back(copy.data());
    CHECK(environment.texts() == before);
    CHECK(std::vector<std::string>(copy.begin(), copy.end() - 1) == before);
    lent.give_back(copy.data());
    CHECK(environment.texts() == before);
}

TEST_CASE("variables for libraries find no place, or wait for none", "[nn]")
{
    Environment nothing({});
    device::LentVariables lent;
    CHECK(lent.lend(nothing.vector(), {"A=1", "B=2"}) == 0);
    lent.give_back(nothing.vector());

    Environment others({"OMP_NUM_THREADS=2", "SHLVL=1", "PATH=/bin"});
    CHECK(lent.lend(others.vector(), {}) == 0);
    CHECK(lent.lend(others.vector(), {"A=1", nullptr}) == 1);
    CHECK(others.texts() == std::vector<std::string>{"OMP_NUM_THREADS=2", "A=1", "PATH=/bin"});
    lent.give_back(nullptr);
    CHECK(others.texts()[1] == "SHLVL=1");
}

TEST_CASE("a BLAS library below the processor's instruction set is told, with the remedy", "[nn]")
{
    using Catch::Contains;
    using device::note_on_slow_blas;
    const Processor xeon{ProcessorMake::intel, true, true, true, false},
        epyc{ProcessorMake::amd, true, true, true, false}, core{ProcessorMake::intel, true, false, false, false},
        old{ProcessorMake::intel, false, false, false, false}, other{ProcessorMake::other, true, false, false, false};
    CHECK_THAT(note_on_slow_blas({"OpenBLAS", "Prescott"}, xeon),
               Contains("Prescott") && Contains("AVX-512") && Contains("OPENBLAS_CORETYPE=SkylakeX"));
    CHECK_THAT(note_on_slow_blas({"OpenBLAS", "Haswell"}, xeon), Contains("OPENBLAS_CORETYPE=SkylakeX"));
    CHECK_THAT(note_on_slow_blas({"OpenBLAS", "Nehalem"}, core), Contains("AVX2") && Contains("=Haswell"));
    CHECK_THAT(note_on_slow_blas({"OpenBLAS", "Barcelona"}, epyc), Contains("OPENBLAS_CORETYPE=SkylakeX"));
    CHECK_THAT(note_on_slow_blas({"OpenBLAS", "Prescott"}, other), Contains("newer OpenBLAS"));
    CHECK_THAT(note_on_slow_blas({"unknown", ""}, core), Contains("install OpenBLAS"));
    for (const auto* kernel : {"SkylakeX", "Cooperlake", "SAPPHIRERAPIDS"})
    {
        CHECK(note_on_slow_blas({"OpenBLAS", kernel}, xeon).empty());
    }
    CHECK(note_on_slow_blas({"OpenBLAS", "Zen"}, epyc).empty());
    CHECK(note_on_slow_blas({"OpenBLAS", "Haswell"}, core).empty());
    CHECK(note_on_slow_blas({"OpenBLAS", "Prescott"}, old).empty());
    CHECK(note_on_slow_blas({"MKL", ""}, xeon).empty());
    // What a kernel is told to be is no slow one.
    for (const auto& processor : test::all_processors())
    {
        if (const char* const kernel = device::blas_kernel_for(processor))
        {
            CHECK(note_on_slow_blas({"OpenBLAS", kernel}, processor).empty());
        }
    }
}

TEST_CASE("this program's library computes with what the processor has, and its environment is the user's", "[nn]")
{
    const auto processor = device::this_processor();
    const auto library = device::blas_library();
    const char* const wanted = device::blas_kernel_for(processor);
    // Where a user has set it, this is a test of what the user set.
    if (library.name == "OpenBLAS" && wanted != nullptr && std::getenv("OPENBLAS_CORETYPE") == nullptr)
    {
        CHECK(library.kernel == wanted);
        CHECK(device::note_on_slow_blas(library, processor).empty());
        CHECK_THAT(device::describe_blas(library), Catch::Contains(wanted));
    }
    // None of what was lent is left, unless the user has set the same.
    const char* const nothing = nullptr;
    for (const char* const lent : device::library_variables(processor, &nothing))
    {
        for (char** variable = environ; lent != nullptr && *variable != nullptr; ++variable)
        {
            CHECK(*variable != lent);
        }
    }
    CHECK(std::getenv("PATH") != nullptr);
    CHECK(device::describe_blas({"unknown", ""}) == "neither OpenBLAS nor MKL");
    CHECK(device::describe_blas({"MKL", ""}) == "MKL");
}

TEST_CASE("the program says which kernels multiply, and takes those that the user names", "[cli]")
{
    const auto processor = device::this_processor();
    const char* const wanted = device::blas_kernel_for(processor);
    if (wanted == nullptr || device::blas_library().name != "OpenBLAS")
    {
        return;
    }
    CHECK_THAT(test::run("--version").output, Catch::Contains(std::string("BLAS: OpenBLAS (") + wanted + ")"));
    CHECK_THAT(test::run("--version", "OPENBLAS_CORETYPE=Nehalem").output, Catch::Contains("BLAS: OpenBLAS (Nehalem)"));
}

TEST_CASE("instruction sets by name", "[nn]")
{
    CHECK(device::describe_instruction_sets({}) == "none of AVX2, AVX-512, AVX512-BF16, AMX-BF16");
    CHECK(device::describe_instruction_sets({ProcessorMake::intel, true, false, false, true}) == "AVX2, AMX-BF16");
}

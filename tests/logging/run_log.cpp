#include "src/logging/run_log.hpp"

#include <nlohmann/json.hpp>
#include <sstream>

#include "io/base/error.hpp"
#include "tests/io/files.hpp"
#include "tests/io/full_disk.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_run.hpp"

using namespace paws;
using namespace paws::logging;
using test::contents;

namespace
{
const std::vector<std::string> loss_columns{"paws-xent-loss", "paws-me_max-reg"};

config::Logging logging_in(const test::Folder& folder)
{
    config::Logging logging;
    logging.folder = (folder / "").string();
    logging.write_tag = "tag";
    logging.jsonl = true;
    logging.tensorboard = true;
    return logging;
}

LoggedStep made_up(std::int64_t epoch, std::int64_t step)
{
    LoggedStep logged;
    logged.epoch = epoch;
    logged.step = step;
    logged.steps_done = 10 * (epoch - 1) + step + 1;
    logged.values = {0.25, -1.5};
    logged.own_values = {0.75, -2.5};
    logged.learning_rate = 0.125;
    logged.step_milliseconds = 12.4;
    logged.images_per_second = 1000;
    logged.data_wait_share = 0.5;
    logged.comm_wait_share = 0.0625;
    return logged;
}

std::vector<nlohmann::json> objects_in(const std::filesystem::path& path)
{
    std::istringstream stream(contents(path));
    std::vector<nlohmann::json> objects;
    for (std::string line; std::getline(stream, line);)
    {
        objects.push_back(nlohmann::json::parse(line));
    }
    return objects;
}

std::vector<std::filesystem::path> event_files(const std::filesystem::path& folder)
{
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
    {
        files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

std::string error_of(const std::function<void()>& work)
{
    try
    {
        work();
    }
    catch (const io::Error& error)
    {
        return error.what();
    }
    return "no error";
}
}  // namespace

TEST_CASE("a run is logged with the published columns and as JSON", "[train]")
{
    const test::Folder folder;
    RunLog log(logging_in(folder), "tag", loss_columns, {});
    log.step(made_up(1, 0));
    log.step(made_up(1, 5));
    log.evaluation({1, 10, 0.5, 0.875});
    CHECK(contents(folder / "tag_r0.csv") ==
          "epoch,itr,paws-xent-loss,paws-me_max-reg,time (ms)\n1,0,0.75000,-2.50000,12\n1,5,0.75000,-2.50000,12\n");
    const auto objects = objects_in(folder / "tag_r0.jsonl");
    REQUIRE(objects.size() == 3);
    const std::map<std::string, double> wanted{
        {"epoch", 1},  {"step", 5},       {"steps_done", 6},  {"paws-xent-loss", 0.25}, {"paws-me_max-reg", -1.5},
        {"lr", 0.125}, {"step_ms", 12.4}, {"data_wait", 0.5}, {"comm_wait", 0.0625},    {"pictures_per_second", 1000},
        {"rank", 0}};
    for (const auto& [key, value] : wanted)
    {
        INFO(key);
        CHECK(objects[1].at(key) == value);
    }
    CHECK(objects[1].at("time") > 1.7e9);
    CHECK(objects[1].size() == wanted.size() + 1);
    CHECK(objects[2].at("top1") == 0.5);
    CHECK(objects[2].at("top5") == 0.875);
    const auto events = event_files(folder / "tag_tensorboard/r0");
    REQUIRE(events.size() == 1);
    for (const auto* tag : {"brain.Event:2", "loss/paws-xent-loss", "lr", "speed/step_ms", "accuracy/top1"})
    {
        CHECK_THAT(contents(events[0]), Catch::Contains(tag));
    }
    const auto files = log.files();
    CHECK(files == std::vector<std::string>{(folder / "tag_r0.csv").string(), (folder / "tag_r0.jsonl").string(),
                                            events[0].string()});
}

TEST_CASE("what will be repeated is cut from the logs of a resumed run, a fresh one begins anew", "[train]")
{
    const test::Folder folder;
    const auto logging = logging_in(folder);
    const auto csv = folder / "tag_r0.csv";
    const auto jsonl = folder / "tag_r0.jsonl";
    {
        RunLog log(logging, "tag", loss_columns, {});
        for (const std::int64_t epoch : {1, 2, 3})
        {
            log.step(made_up(epoch, 0));
            log.step(made_up(epoch, 5));
            log.evaluation({epoch, 10 * epoch, 0.5, 0.875});
        }
    }
    // The process died in the middle of lines.
    test::write_file(csv, contents(csv) + "2,7,0.1");
    test::write_file(jsonl, contents(jsonl) + "{\"epoch\": 1, \"st");
    const auto lines = [](const std::filesystem::path& path)
    {
        const auto all = contents(path);
        return std::count(all.begin(), all.end(), '\n');
    };
    const auto events = folder / "tag_tensorboard/r0";
    SECTION("between epochs")
    {
        RunLog(logging, "tag", loss_columns, {false, 2, 0, 20}).step(made_up(3, 0));
        CHECK(lines(csv) == 1 + 4 + 1);
        CHECK_THAT(contents(csv), Catch::EndsWith("\n2,5,0.75000,-2.50000,12\n3,0,0.75000,-2.50000,12\n"));
        CHECK(objects_in(jsonl).size() == 6 + 1);
        CHECK(objects_in(jsonl)[5].at("epoch") == 2);
        // Readers know from the second file what in the first counts no more.
        REQUIRE(event_files(events).size() == 2);
        CHECK_THAT(contents(event_files(events)[1]), Catch::Contains(std::string("\x10\x15\x3a\x02\x08\x01", 6)));
    }
    SECTION("within an epoch")
    {
        RunLog(logging, "tag", loss_columns, {false, 2, 3, 23}).step(made_up(3, 3));
        CHECK(lines(csv) == 1 + 5 + 1);
        CHECK(objects_in(jsonl).size() == 7 + 1);
        CHECK(objects_in(jsonl)[6].at("step") == 0);
    }
    SECTION("a fresh run")
    {
        RunLog(logging, "tag", loss_columns, {}).step(made_up(1, 0));
        CHECK(lines(csv) == 2);
        CHECK(objects_in(jsonl).size() == 1);
        CHECK(event_files(events).size() == 1);
    }
    SECTION("a resumed run whose logs are gone")
    {
        std::filesystem::remove(csv);
        std::filesystem::remove(jsonl);
        RunLog(logging, "tag", loss_columns, {false, 2, 0, 20}).step(made_up(3, 0));
        CHECK(lines(csv) == 2);
        CHECK(objects_in(jsonl).size() == 1);
    }
}

TEST_CASE("one rank or all write JSON and event files", "[train]")
{
    const test::Folder folder;
    auto logging = logging_in(folder);
    RunLog(logging, "tag", loss_columns, {}, 1, 2).step(made_up(1, 0));
    CHECK(std::filesystem::exists(folder / "tag_r1.csv"));
    CHECK_FALSE(std::filesystem::exists(folder / "tag_r1.jsonl"));
    CHECK_FALSE(std::filesystem::exists(folder / "tag_tensorboard"));
    logging.all_ranks = true;
    RunLog(logging, "tag", loss_columns, {}, 1, 2).step(made_up(1, 0));
    const auto object = objects_in(folder / "tag_r1.jsonl").at(0);
    CHECK(object.at("rank") == 1);
    CHECK(object.at("paws-xent-loss") == 0.25);
    CHECK(object.at("own-paws-xent-loss") == 0.75);
    CHECK_THAT(contents(event_files(folder / "tag_tensorboard/r1").at(0)),
               Catch::Contains("loss_of_rank/paws-me_max-reg"));
    logging.jsonl = logging.tensorboard = false;
    RunLog(logging, "tag", loss_columns, {}, 0, 2);
    CHECK_FALSE(std::filesystem::exists(folder / "tag_r0.jsonl"));
}

TEST_CASE("logs that cannot be written are named, with what to do", "[train]")
{
    const test::Folder folder;
    auto logging = logging_in(folder);
    logging.folder = (folder / "nowhere").string();
    logging.tensorboard = false;
    CHECK_THAT(error_of([&] { RunLog(logging, "tag", loss_columns, {}); }),
               Catch::Contains("nowhere/tag_r0.csv: cannot be written") && Catch::Contains("make it first"));
    logging = logging_in(folder);
    test::write_file(folder / "tag_tensorboard", "a file");
    CHECK_THAT(error_of([&] { RunLog(logging, "tag", loss_columns, {}); }),
               Catch::Contains("tag_tensorboard/r0: event files") && Catch::Contains("logging.tensorboard: false"));
    std::filesystem::remove(folder / "tag_tensorboard");
    std::filesystem::remove(folder / "tag_r0.jsonl");
    std::filesystem::create_directory(folder / "tag_r0.jsonl");
    CHECK_THAT(error_of(
                   [&] {
                       RunLog(logging, "tag", loss_columns, {false, 1, 0, 10});
                   }),
               Catch::Contains("tag_r0.jsonl"));
    std::filesystem::remove(folder / "tag_r0.jsonl");

    RunLog log(logging, "tag", loss_columns, {});
    log.step(made_up(1, 0));
    const auto before = contents(folder / "tag_r0.csv");
    {
        const test::FullDisk full(before.size());
        CHECK_THAT(error_of([&] { log.step(made_up(1, 1)); }),
                   Catch::Contains("tag_r0.csv: cannot be written (write") && Catch::Contains("free some space"));
        // Old logs stay until new ones are whole.
        CHECK_THAT(error_of(
                       [&] {
                           RunLog(logging, "tag", loss_columns, {false, 1, 0, 10});
                       }),
                   Catch::Contains("tag_r0"));
    }
    CHECK(contents(folder / "tag_r0.csv") == before);
    CHECK(objects_in(folder / "tag_r0.jsonl").size() == 1);
}

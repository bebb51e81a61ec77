#include "src/logging/kept_lines.hpp"

#include "src/logging/csv_log.hpp"
#include "src/logging/evaluation_log.hpp"
#include "src/logging/jsonl_log.hpp"
#include "tests/io/files.hpp"

using namespace paws;
using namespace paws::logging;

namespace
{
const std::vector<std::string> kept_columns{"loss"};
const std::string header = "epoch,itr,loss,time (ms)\n";
/// Of a resumed run after two epochs and three steps.
const LogStart start{false, 2, 3, 23};

/// What a resumed run makes of an old log, and what it says about it.
struct Resumed
{
    std::string text;
    std::vector<std::string> notes;
};

template <typename Log, typename... Arguments>
Resumed resume(const std::string& old, const Arguments&... arguments)
{
    const test::TemporaryFolder folder;
    const auto path = test::write_file(folder / "log", old);
    Log log(path, arguments...);
    return {test::contents(path), log.take_notes()};
}

Resumed resume_csv(const std::string& old)
{
    return resume<CsvLog>(old, kept_columns, start);
}
}  // namespace

TEST_CASE("rows that a spreadsheet saved are kept or cut by their place", "[train][kept_lines]")
{
    const auto check = [](const std::string& old, const std::string& rows)
    {
        const auto resumed = resume_csv(old);
        CHECK(resumed.text == header + rows);
        CHECK(resumed.notes.empty());
    };
    check("epoch;itr;loss;time (ms)\n1;0;0,75000;12\n3;2;0,5;12\n3;3;0,5;12\n", "1;0;0,75000;12\n3;2;0,5;12\n");
    check("epoch,itr,loss,time (ms)\r\n1,0,0.75000,12\r\n3,3,0.5,12\r\n", "1,0,0.75000,12\n");
    check(
        "\xef\xbb\xbf\"epoch\",\"itr\",\"loss\",\"time "
        "(ms)\"\n\"1\",\"0\",\"0,75\",\"12\"\n\"4\",\"0\",\"0,75\",\"12\"\n",
        "\"1\",\"0\",\"0,75\",\"12\"\n");
    check("epoch\titr\tloss\ttime (ms)\n1\t0\t0.75\t12\n", "1\t0\t0.75\t12\n");
    check("1.0;0,00;0,75;12\n3,0;3,0;0,75;12\n", "1.0;0,00;0,75;12\n");
    // Lines that end as on a Mac of old, empty ones, and a last one without end.
    check("epoch,itr,loss,time (ms)\r1,0,0.75,12\r\r2,0,0.75,12", "1,0,0.75,12\n2,0,0.75,12\n");
    check("1;0;0,75;12\n;;;\n\n", "1;0;0,75;12\n");
    // A line that was cut off is ours, and no row.
    check("1,0,0.75,12\n2,0,0.7", "1,0,0.75,12\n");
    check("1,0,0.75,12\nepoch,it", "1,0,0.75,12\n");
    check("1,0,0.75,12\n2", "1,0,0.75,12\n");
}

TEST_CASE("lines that are not understood are kept in their places, and counted", "[train][kept_lines]")
{
    const auto resumed =
        resume_csv("Epoche;Schritt;Verlust;Zeit\n1;0;0,75;12\n# the rate was wrong here\n3;7;0,5;12\nlast");
    CHECK(resumed.text == header + "Epoche;Schritt;Verlust;Zeit\n1;0;0,75;12\n# the rate was wrong here\nlast\n");
    REQUIRE(resumed.notes.size() == 1);
    CHECK_THAT(resumed.notes.front(), Catch::Contains("log: 3 lines were not understood") && Catch::Contains("kept"));
    CHECK_THAT(resume_csv("1.5,0,0.75,12\n").notes.at(0), Catch::Contains("1 line was not understood"));
    CHECK(resume_csv("1.5,0,0.75,12\n").text == header + "1.5,0,0.75,12\n");
    // Once it is known, it is no news that a new run replaces all of it.
    CHECK(resume<CsvLog>("what\n", kept_columns, LogStart{}).text == header);
    CHECK(resume<CsvLog>("what\n", kept_columns, LogStart{}).notes.empty());
}

TEST_CASE("evaluations and JSON lines are kept likewise", "[train][kept_lines]")
{
    const auto evaluations =
        resume<EvaluationLog>("epoch;top1;top5\r\n1;0,5;0,8\r\n2;0,5;0,8\r\n3;0,5;0,8\r\nbest so far\r\n", start);
    CHECK(evaluations.text == "epoch,top1,top5\n1;0,5;0,8\n2;0,5;0,8\nbest so far\n");
    CHECK(evaluations.notes.size() == 1);
    const auto lines = resume<JsonlLog>(
        "\xef\xbb\xbf{\"epoch\": 1, \"step\": 0}\r\n{\"epoch\": 3, \"step\": 3}\r\n[1, 2]\r\n{\"epoch\": "
        "2}\r\n{\"epoch\": 1, ",
        kept_columns, start, 0, 1);
    CHECK(lines.text == "{\"epoch\": 1, \"step\": 0}\n[1, 2]\n{\"epoch\": 2}\n");
    CHECK(lines.notes.size() == 1);
}

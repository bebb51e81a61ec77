#!/usr/bin/env python3
"""perf/compare --against must be able to fail: baselines that are doctored, missing, foreign or out of date.

usage: regressions.py --compare PROGRAM --build FOLDER"""
import argparse
import contextlib
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

CASE, OTHER = "multicrop_targets", "l2_normalize"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compare", required=True, type=Path)
    parser.add_argument("--build", required=True)
    arguments = parser.parse_args()

    def compare(code, *words, says=()):
        command = [sys.executable, arguments.compare, "--build", arguments.build, *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True)
        printed = done.stdout + done.stderr
        assert done.returncode == code, (words, done.returncode, printed)
        for part in says:
            assert part in printed, (part, printed)
        return printed

    with tempfile.TemporaryDirectory(prefix="paws-regressions-") as name:
        path = Path(name) / "baseline.json"
        counting = ["--counts-only", "--only", f"^({CASE}|{OTHER})$"]
        compare(0, "--write-baseline", path, *counting)
        true = json.loads(path.read_text())
        assert set(true["counts"]) == {CASE, OTHER} and true["ratios"] == {}
        printed = compare(0, "--against", path, *counting, says=[CASE, "2 figures, none worse"])
        assert "REGRESSED" not in printed and "not enforced" not in printed

        def doctored(change):
            baseline = json.loads(json.dumps(true))
            change(baseline)
            path.write_text(json.dumps(baseline))

        def fewer(baseline, by=0.9):
            baseline["counts"][CASE]["instructions"] *= by

        doctored(fewer)
        printed = compare(1, "--against", path, *counting, says=["REGRESSED", f"regressed: {CASE}"])
        assert f"regressed: {OTHER}" not in printed
        doctored(lambda baseline: fewer(baseline, 0.98))  # within the tolerance
        compare(0, "--against", path, *counting)
        doctored(lambda baseline: fewer(baseline, 1.2))
        compare(0, "--against", path, *counting, says=["better than the baseline", CASE])

        # A tolerance of one's own stays when the figures are measured anew.
        def lenient(baseline):
            fewer(baseline)
            baseline["counts"][CASE]["tolerance"] = 0.5

        doctored(lenient)
        compare(0, "--against", path, *counting)
        compare(0, "--write-baseline", path, *counting)
        assert json.loads(path.read_text())["counts"][CASE] == {**true["counts"][CASE], "tolerance": 0.5}

        path.write_text(json.dumps(true))
        compare(0, "--write-baseline", path, "--counts-only", "--only", f"^{CASE}$")
        assert set(json.loads(path.read_text())["counts"]) == {CASE, OTHER}

        def of_another_compiler(baseline):
            fewer(baseline)
            baseline["counts_of"]["compiler"] = "GNU 99"

        doctored(of_another_compiler)
        compare(0, "--against", path, *counting, says=["worse, not enforced", "instead of GNU 99"])
        compare(2, "--write-baseline", path, *counting, says=["of another compiler", "without --only"])

        doctored(lambda baseline: baseline["counts"].update(gone={"instructions": 1, "tolerance": 1}))
        compare(2, "--against", path, *counting, says=["there is no case 'gone' any more"])
        doctored(lambda baseline: baseline["ratios"].update(gone={"shipped/ours": 1, "tolerance": 1}))
        compare(2, "--against", path, *counting, says=["ratios: there is no case 'gone' any more"])
        doctored(lambda baseline: baseline["counts"][CASE].update(tolerance="much"))
        compare(2, "--against", path, *counting, says=[f"counts: {CASE}: needs"])
        doctored(lambda baseline: baseline.pop("ratios"))
        compare(2, "--against", path, *counting, says=["'ratios'"])
        doctored(lambda baseline: baseline.update(version=2))
        compare(2, "--against", path, *counting, says=["has version 2"])
        path.write_text('{"machine": {}}')
        compare(2, "--against", path, *counting, says=["is not a baseline"])
        path.write_text("count: 3")
        compare(2, "--against", path, *counting, says=["is not JSON"])
        compare(2, "--against", Path(name) / "none.json", *counting, says=["No such file", "--write-baseline"])
        path.write_text(json.dumps(true))
        compare(2, "--against", path, "--only", "nothing", "--counts-only", says=["matches no case"])
        compare(2, "--counts-only", says=["goes with --against"])
        compare(2, "--against", path, "--write-baseline", path, says=["give one of both"])
        compare(2, "--against", path, *counting, "--build", name, says=["is not built"])

    # Ratios, of times that are made up.
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(arguments.compare.parent))
    import regressions

    about = {"cpu": "a"}
    baseline = {"counts": {}, "counts_of": about, "ratios_of": about}
    baseline["ratios"] = {case: {"shipped/ours": 4.0, "tolerance": 0.25} for case in ("slower", "same")}
    rows = regressions.entries(baseline, "ratios", regressions.RATIO, {"slower": 2.9, "same": 3.1})
    assert [row.has_regressed for row in rows] == [True, False]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert regressions.report("b.json", baseline, rows, about, {"cpu": "b"}) == 1
        assert regressions.report("b.json", baseline, rows[1:], about, about) == 0
    assert "regressed: slower" in printed.getvalue() and "cpu: b instead of a" in printed.getvalue()
    print("regressions.py: all as it should be")


if __name__ == "__main__":
    main()

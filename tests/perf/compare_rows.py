#!/usr/bin/env python3
"""perf/compare chooses the fastest of PyTorch's tuned variants, on times that are made up; so does perf/peer what there
is to run.

usage: compare_rows.py --compare PROGRAM"""
import argparse
import importlib.machinery
import importlib.util
import sys
import types
from pathlib import Path


def load_program(path):
    sys.path.insert(0, str(path.parent))
    loader = importlib.machinery.SourceFileLoader("compare_program", str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def check_fastest(variants):
    assert variants.fastest({}) is None
    assert variants.fastest({"a": [], "b": []}) is None
    assert variants.fastest({"a": [[3, 3]], "b": [[2], [2.5]]}) == "b"
    assert variants.fastest({"a": [[2]], "b": [[2]]}) == "a"
    assert variants.fastest({"a": [], "b": [[9]]}) == "b"
    # One disturbed repetition does not decide.
    assert variants.fastest({"a": [[1, 1], [50, 1]], "b": [[1.2, 1.2], [1.2, 1.2]]}) == "a"


def check_row(compare):
    aim = compare.Aim(2, 1.5, 0.75)
    case = compare.Case("p", "step/x", "p.py", "x", aim, tuned=("float32", "bf16"), winograd_floor="step_floor/x_winograd")
    assert case.what == ("ours", "floor", "winograd", "shipped", "float32", "bf16")
    row = compare.Row(case, 2)

    def measured(**rounds):
        row.rounds.clear()
        row.problems.clear()
        row.rounds.update(rounds)

    measured(ours=[[1], [2]], floor=[[2], [4]], winograd=[[0.5], [1]], shipped=[[3], [6]], float32=[[2], [4]], bf16=[[4], [8]])
    assert row.variant("tuned") == "float32" and row.ratio("tuned", "ours") == 2
    assert [met for _, _, _, met in row.aims()] == [True, True, True]
    assert "(float32)" in row.cells()[compare.TUNED_COLUMN] and len(row.cells()) == len(compare.HEADER)
    tuned, winograd = row.notes()
    assert "float32" in tuned and "bf16" in tuned and "2.00" in winograd
    report = row.as_json()
    # What was written before there were several variants has the same keys.
    assert report["seconds"]["tuned"] == [[2], [4]] and report["ratios"]["tuned/ours"] == 2
    assert report["tuned"] == {"fastest": "float32", "seconds": {"float32": [[2], [4]], "bf16": [[4], [8]]}}
    assert set(report["seconds"]) == {"ours", "floor", "winograd", "shipped", "tuned"}

    # A variant that cannot run, or has stopped running, is none.
    row.rounds["float32"] = [[0.1]]
    row.problems["float32"] = "has no memory"
    assert row.variant("tuned") == "bf16" and row.ratio("tuned", "ours") == 4
    assert "has no memory" in next(row.notes())
    row.problems["bf16"] = "no such instructions"
    assert row.ratio("tuned", "ours") is None and not row.measured("tuned")
    assert row.cells()[compare.TUNED_COLUMN] == "has no memory" and "tuned" not in row.as_json()
    assert [met for _, _, _, met in row.aims()] == [True, False, True]

    plain = compare.Row(compare.Case("p", "step/x", "p.py", "x"), 2)
    plain.rounds.update(ours=[[1]], tuned=[[3]])
    assert plain.case.what == ("ours", "floor", "shipped", "tuned")
    assert plain.ratio("tuned", "ours") == 3 and not list(plain.notes()) and "tuned" not in plain.as_json()


def check_peers(folder):
    """perf/peer/common.py, with a made-up torch in its place."""
    sys.modules["torch"] = types.SimpleNamespace(set_num_threads=lambda count: None)
    sys.path.insert(0, str(folder))
    arguments, sys.argv = sys.argv, sys.argv[:1]
    import common

    sys.argv = arguments
    peers = {"one": common.Peer(1, "s", "t"), "two": common.Peer(1, "s", {"float32": "f", "bf16": "b"})}
    assert peers["two"].variants == {"shipped": "s", "float32": "f", "bf16": "b"}
    assert common.runs(peers) == [("one", "shipped"), ("two", "shipped"), ("one", "tuned"), ("two", "float32"), ("two", "bf16")]
    assert common.runs(peers, "two", "bf16") == [("two", "bf16")]
    assert common.runs(peers, variant="shipped") == [("one", "shipped"), ("two", "shipped")]
    try:
        common.runs(peers, "two", "tuned")
    except ValueError as problem:
        assert str(problem) == "--variant tuned: two has shipped, float32, bf16 on this processor"
    else:
        raise AssertionError("an unknown variant was taken")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compare", required=True, type=Path)
    program = parser.parse_args().compare.resolve()
    sys.dont_write_bytecode = True
    compare = load_program(program)
    check_fastest(compare.variants)
    check_row(compare)
    check_peers(program.parent / "peer")
    print("compare_rows.py: all as it should be")


if __name__ == "__main__":
    main()

"""perf/scaling compare: two studies side by side, and which differences exceed the spread of both."""

from study import markdown, table
from study.errors import Refused
from study.report import delay_text
from study.results import Results

KEY = ("scaling", "network", "precision", "ranks", "nodes", "threads", "pictures_per_rank", "supports_per_rank", "delay_us", "delay_mb_per_s")


def difference(a, b):
    """(relative difference of b's step to a's, whether the repetitions of both do not overlap)."""
    apart = a["step_slowest_s"] < b["step_s"] or b["step_slowest_s"] < a["step_s"]
    return b["step_s"] / a["step_s"] - 1, apart


def verdict(a, b):
    if a["repetitions"] < 2 or b["repetitions"] < 2:
        return "no spread: one repetition"
    relative, exceeds = difference(a, b)
    if not exceeds:
        return "within the spread"
    return "B is slower" if relative > 0 else "B is faster"


def _milliseconds(row):
    return f"{1000 * row['step_s']:.4g} to {1000 * row['step_slowest_s']:.4g}"


def compare(options):
    first, second = ({tuple(row[key] for key in KEY): row for row in table.rows_of(Results(folder))} for folder in (options.a, options.b))
    common = [key for key in first if key in second]
    if not common:
        raise Refused(f"{options.a}, {options.b}: no point in common (scaling, network, precision, ranks, threads, batch and delay); nothing to compare")
    rows = []
    for key in common:
        a, b = first[key], second[key]
        rows.append([a["scaling"], f"{a['network']} {a['precision']}", delay_text(a), a["ranks"], _milliseconds(a), _milliseconds(b),
                     f"{difference(a, b)[0]:+.1%}", verdict(a, b)])
    print("\n".join(markdown.table(["scaling", "network", "delay a call", "ranks", "A, ms a step", "B, ms a step", "B to A", "verdict"], rows)))
    left_out = len(first) + len(second) - 2 * len(common)
    exceeding = sum(1 for key in common if verdict(first[key], second[key]).startswith("B is"))
    print(f"\n{exceeding} of {len(common)} differences exceed the spread (all repetitions of one below all of the other)"
          + (f"; {left_out} points are in one study only" if left_out else "") + ".")

"""What perf/compare --against and --write-baseline do: figures that do not depend on how busy a machine is, beside those
of a baseline file.

Counts are instructions of a kernel on small arrays, taken by valgrind's callgrind of the program count_kernels, the same
on every run. They depend on the compiler, so that another one than the baseline's is reported and nothing is enforced.
Ratios are PyTorch's time over ours in one run, see perf/compare.

A baseline is JSON, to be edited by hand: {"format": "paws-perf-baseline", "version": 1, "counts_of": {compiler, ...},
"counts": {case: {"instructions": n, "tolerance": 0.03}}, "ratios_of": {"cpu": ...}, "ratios": {case: {"shipped/ours": r,
"tolerance": 0.35}}}. A count may exceed the baseline's, and a ratio fall short of it, by that share of it.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

FORMAT, VERSION = "paws-perf-baseline", 1
COUNT, RATIO = "instructions", "shipped/ours"
COUNT_TOLERANCE, RATIO_TOLERANCE = 0.03, 0.35
#: Quick to measure, the same arithmetic on every processor, and not bound by memory, which other programs share.
RATIO_CASES = (
    "paws_loss/cifar10",
    "augment/cifar10",
    "lars_sgd/wide_resnet28w2",
)


class BadInput(Exception):
    """One line that says what is wrong and what to do."""


class Entry(NamedTuple):
    """A figure of the baseline and what was measured now; no figure: the baseline does not know the case."""

    case: str
    what: str  #: COUNT or RATIO
    baseline: float
    tolerance: float
    now: float

    @property
    def change(self):
        return self.now / self.baseline - 1

    @property
    def has_regressed(self):
        """More instructions, or a smaller lead over PyTorch, than the baseline allows."""
        worse = self.change if self.what == COUNT else -self.change
        return worse > self.tolerance


def read_baseline(path):
    try:
        text = Path(path).read_text()
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}; perf/compare --write-baseline {path} makes one") from error
    try:
        baseline = json.loads(text)
    except ValueError as error:
        raise BadInput(f"{path}: is not JSON ({error}); correct it, or write another with --write-baseline") from error
    if not isinstance(baseline, dict) or baseline.get("format") != FORMAT:
        raise BadInput(f"{path}: is not a baseline (its 'format' is not '{FORMAT}'); --write-baseline writes one")
    if baseline.get("version") != VERSION:
        raise BadInput(f"{path}: has version {baseline.get('version')} of {FORMAT}, this program reads {VERSION}")
    for section, figure in (("counts", COUNT), ("ratios", RATIO)):
        if not isinstance(baseline.get(section), dict) or not isinstance(baseline.get(section + "_of"), dict):
            raise BadInput(f"{path}: '{section}' or '{section}_of' is missing; write another with --write-baseline")
        for case, entry in baseline[section].items():
            figures = [entry.get(key) for key in (figure, "tolerance")] if isinstance(entry, dict) else [None]
            if not all(isinstance(number, (int, float)) and number > 0 for number in figures):
                raise BadInput(f"{path}: {section}: {case}: needs '{figure}' and 'tolerance', numbers above 0")
    return baseline


def require_known(path, baseline, known, section):
    for case in baseline[section]:
        if case not in known:
            raise BadInput(f"{path}: {section}: there is no case '{case}' any more; remove it from the baseline")


class Counter:
    """Counts instructions of the cases of count_kernels."""

    def __init__(self, build):
        self.program = Path(build) / "perf/count_kernels"
        if not self.program.exists():
            raise BadInput(f"{self.program}: is not built; cmake --build {build} --target count_kernels")
        if not shutil.which("valgrind"):
            raise BadInput("valgrind is missing: apt-get install valgrind")
        self.cases = self._run([str(self.program), "--list"]).split()
        self.about = json.loads(self._run([str(self.program), "--about"]))

    @staticmethod
    def _run(command):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise BadInput(f"{' '.join(command)} failed: {lines[-1]}")
        return done.stdout

    def count(self, case):
        with tempfile.TemporaryDirectory(prefix="paws-count-") as folder:
            out = Path(folder) / "callgrind.out"
            options = ["--tool=callgrind", "--toggle-collect=paws_counted", f"--callgrind-out-file={out}"]
            self._run(["valgrind", *options, str(self.program), case])
            found = re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.MULTILINE)
        if not found or int(found.group(1)) == 0:
            raise BadInput(f"valgrind counted nothing of {case}; is {self.program} of this source?")
        return int(found.group(1))

    def counts(self, cases, jobs):
        with ThreadPoolExecutor(jobs) as pool:
            return dict(zip(cases, pool.map(self.count, cases)))


def entries(baseline, section, figure, measured):
    return [
        Entry(case, figure, baseline[section][case][figure], baseline[section][case]["tolerance"], now)
        for case, now in measured.items()
        if case in baseline[section]
    ]


def differences(before, now):
    """What of the machine or the compiler is not the baseline's: "compiler: GNU 13 instead of GNU 12"."""
    return [f"{key}: {now.get(key)} instead of {before.get(key)}" for key in before if before[key] != now.get(key)]


def table(rows, enforced):
    """rows: entries; enforced: whether those of COUNT and RATIO decide on the exit code."""
    lines = [["what", "figure", "baseline", "now", "change", "allowed", "verdict"]]
    for row in rows:
        figure = "{:,.0f}" if row.what == COUNT else "{:.2f}"
        sign = "+" if row.what == COUNT else "-"
        verdict = "ok" if not row.has_regressed else "REGRESSED" if enforced[row.what] else "worse, not enforced"
        lines.append([row.case, row.what, figure.format(row.baseline), figure.format(row.now), f"{row.change:+.1%}"])
        lines[-1] += [f"{sign}{row.tolerance:.0%}", verdict]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def report(path, baseline, rows, counts_about, ratios_about):
    """Prints the table and what regressed; the exit code."""
    other_compiler = differences(baseline["counts_of"], counts_about)
    enforced = {COUNT: not other_compiler, RATIO: True}
    if rows:
        print(table(rows, enforced))
    if other_compiler and any(row.what == COUNT for row in rows):
        print(f"note: counts are not enforced: {'; '.join(other_compiler)}. They are those of {path}'s compiler and machine")
    if any(row.what == RATIO for row in rows):
        for difference in differences(baseline["ratios_of"], ratios_about):
            print(f"note: ratios of another machine: {difference}")
    bad = [row for row in rows if row.has_regressed and enforced[row.what]]
    for row in bad:
        print(f"regressed: {row.case}: {row.what} {row.change:+.1%}, allowed {row.tolerance:.0%}")
    better = [row.case for row in rows if row.what == COUNT and row.change < -row.tolerance and enforced[COUNT]]
    if better:
        print(f"note: better than the baseline, which should follow (--write-baseline {path}): {', '.join(better)}")
    if not bad:
        print(f"{len(rows)} figures, none worse than {path} allows")
    return 1 if bad else 0


def write_baseline(path, counts, counts_about, ratios, ratios_about, some_only):
    """Figures measured now; tolerances that the file has stay, and so do the section that was not measured (None) and,
    where only some cases were asked for, the other cases."""
    old = read_baseline(path) if Path(path).exists() else {"counts": {}, "ratios": {}, "counts_of": {}, "ratios_of": {}}
    new = {"format": FORMAT, "version": VERSION}
    for section, figure, measured, about, tolerance in (
        ("counts", COUNT, counts, counts_about, COUNT_TOLERANCE),
        ("ratios", RATIO, ratios, ratios_about, RATIO_TOLERANCE),
    ):
        new[section + "_of"], new[section] = (old[section + "_of"], old[section]) if measured is None else (about, {})
        if some_only and measured and old[section]:
            if differences(old[section + "_of"], about):
                raise BadInput(f"{path}: has {section} of another compiler or machine; write all anew, without --only")
            new[section] = dict(old[section])
        for case, value in (measured or {}).items():
            kept = old[section].get(case, {}).get("tolerance", tolerance)
            new[section][case] = {figure: value if figure == COUNT else round(value, 2), "tolerance": kept}
    Path(path).write_text(json.dumps(new, indent=1) + "\n")


def run(options, known_ratios, measure_ratios, ratios_about):
    """--against and --write-baseline of perf/compare; the exit code. measure_ratios(cases, options): figures by case."""
    path = options.against or options.write_baseline
    baseline = read_baseline(path) if options.against else None
    counter = Counter(options.build)
    if baseline:
        require_known(path, baseline, counter.cases, "counts")
        require_known(path, baseline, known_ratios, "ratios")

    def named(cases):
        return [case for case in cases if re.search(options.only, case)]

    counted = named(baseline["counts"] if baseline else counter.cases)
    rated = [] if options.counts_only else named(baseline["ratios"] if baseline else RATIO_CASES)
    if not counted and not rated:
        raise BadInput("--only matches no case of the baseline")
    counts = counter.counts(counted, len(os.sched_getaffinity(0)))
    ratios = None if options.counts_only else measure_ratios(rated, options)
    if not baseline:
        write_baseline(path, counts, counter.about, ratios, ratios_about, bool(options.only))
        return 0
    new = [case for case in named(counter.cases) if case not in baseline["counts"]]
    if new:
        print(f"note: not in the baseline (--write-baseline {path} adds them): {', '.join(new)}")
    rows = entries(baseline, "counts", COUNT, counts) + entries(baseline, "ratios", RATIO, ratios or {})
    return report(path, baseline, rows, counter.about, ratios_about)

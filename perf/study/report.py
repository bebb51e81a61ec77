"""perf/scaling report: table, plots and a page of Markdown of what a study measured."""

from pathlib import Path

from study import check, markdown, plots, table
from study.errors import Refused
from study.results import Results


def _ms(seconds):
    return f"{1000 * seconds:.4g}"


def delay_text(row):
    if not row["delay_us"] and not row["delay_mb_per_s"]:
        return "none"
    return f"{row['delay_us']:g} µs" + (f", {row['delay_mb_per_s']:g} MB/s" if row["delay_mb_per_s"] else "")


def _machine(results):
    m = results.machine
    loads = results.loads()
    return [
        f"{m['host']}: {m['cpu']}, {m['cores']} usable cores, {m['memory_gib']} GiB, GPUs: {m['gpus']}; kernel {m['kernel']}. {m['program']}; {m['mpi']}; "
        f"commit {m['commit']}.",
        f"Measured {results.dates()[0]} to {results.dates()[-1]}; load average beside the runs (their own share included) {min(loads):g} to {max(loads):g}.",
    ]


def _settings(results):
    s = results.study
    lines = [
        f"{s.repetitions} repetitions in turn of {s.steps} steps, {s.threads} thread{'s' if s.threads > 1 else ''} a rank, {s.data} data; "
        f"{s.classes} classes; views {s.large}² and {s.multicrop} × {s.small}². Batch of a rank (weak) or of all (strong): {s.pictures} pictures, "
        f"{s.classes * s.images_per_class} supports."
    ]
    if s.settings:
        lines.append("Settings: " + ", ".join(f"`{key}: {value}`" for key, value in s.settings) + ".")
    lines.append("A step is the median step of the fastest repetition, since a disturbed machine only gets slower; the slowest repetition makes the spread.")
    return lines


def _points(rows):
    return markdown.table(
        ["scaling", "network", "delay a call", "ranks", "cores", "step, ms", "slowest repetition", "pictures/s", "efficiency", "a core", "ranks' medians, ms",
         "limited by"],
        [[r["scaling"], f"{r['network']} {r['precision']}", delay_text(r), r["ranks"], r["cores"], _ms(r["step_s"]), _ms(r["step_slowest_s"]),
          f"{r['pictures_per_s']:.4g}", f"{r['efficiency']:.1%}", f"{r['efficiency_per_core']:.1%}",
          f"{_ms(r['rank_step_min_s'])} to {_ms(r['rank_step_max_s'])}", r["limited_by"]] for r in rows],
    )


def _oversubscribed(rows):
    worst = [row for row in rows if row["ranks"] * row["threads"] > row["cores"]]
    if not worst:
        return []
    counts = ", ".join(str(count) for count in sorted({row["ranks"] for row in worst}))
    return [f"**Oversubscribed:** {counts} ranks have {worst[0]['cores']} cores between them. Their efficiency a rank cannot reach 100 %; the efficiency a core is "
            "what communication and sharing leave of it.", ""]


def _model(found):
    if not found:
        return ["No predictions: they need runs on one rank and bench_comm (`links: true`)."]
    failed = [p for p in found if not check.holds(p)]
    lines = [
        "Fed with the run on one rank with the same batch, the times of bench_comm on as many ranks, the slowdown of as many ranks that have nothing to do with each "
        "other (`apart`, their shares of cores taken out), and, where ranks share cores, what a turn on a core costs (bench_comm's `busy_all_reduce`); and the arithmetic of statistics over ranks (its `batch_norm`). Nothing is fitted to the runs that are predicted.", ""]
    lines += markdown.table(
        ["scaling", "network", "delay a call", "ranks", "one rank, ms", "apart", "ranks/cores", "a turn, µs", "a merge, µs", "predicted, ms", "measured, ms", "slowest repetition", "error",
         "costs most"],
        [[p["scaling"], f"{p['network']} {p['precision']}", delay_text(p), p["ranks"], _ms(p["alone_s"]), f"× {p['slowdown']:.2f}", f"{p['sharing']:g}", f"{1e6 * p['switch_s']:.0f}", f"{1e6 * p['norm_s']:.0f}",
          _ms(p["predicted_s"]), _ms(p["measured_s"]), _ms(p["measured_slowest_s"]), f"{p['error']:+.1%}" + ("" if check.holds(p) else " **fails**"),
          "{} ({} ms)".format(*_largest(p))] for p in found])
    lines += ["", f"{len(found) - len(failed)} of {len(found)} points within {check.WITHIN:.0%}."]
    if failed:
        worst = max(failed, key=lambda p: abs(p["error"]))
        lines[-1] += f" It fails for {len(failed)}, worst for {worst['network']}, {worst['scaling']}, {worst['ranks']} ranks, delay {delay_text(worst)}: {worst['error']:+.1%}."
    return lines


def _largest(prediction):
    name = max(prediction["terms"], key=prediction["terms"].get)
    return name, _ms(prediction["terms"][name])


def _phases(rows):
    names = [name for name in rows[0] if name.endswith("_s") and name[:-2] in plots.PHASES]
    return markdown.table(["scaling", "network", "delay a call", "ranks"] + [name[:-2].replace("_", " ") for name in names],
                    [[r["scaling"], f"{r['network']} {r['precision']}", delay_text(r), r["ranks"]] + [_ms(r[name]) for name in names] for r in rows])


def page(results, rows, found):
    lines = [f"# Scaling study {results.study.name}", ""] + _machine(results) + [""] + _settings(results) + ["", "## Points", ""]
    lines += _points(rows) + [""] + _oversubscribed(rows)
    lines += ["![throughput](throughput.png) ![efficiency](efficiency.png)", "", "## Phases, ms", ""] + _phases(rows)
    lines += ["", "![phases](phases.png) ![spread over ranks](spread.png)", "", "## The model beside the measurements", ""] + _model(found)
    if found:
        lines += ["", "![predicted and measured](model.png)"]
    fits = results.link_fits()
    if fits:
        lines += ["", "Links, fitted to the fastest calls of bench_comm:", ""]
        lines += markdown.table(["ranks", "call", "latency, µs", "bandwidth, MB/s"],
                          [[ranks, call, f"{1e6 * latency:.1f}", f"{1e-6 * bandwidth:.0f}"] for ranks, calls in sorted(fits.items()) if ranks > 1
                           for call, (latency, bandwidth) in calls.items()])
    return lines + [""]


def report(options):
    results = Results(options.folder)
    rows, found = table.rows_of(results), check.predictions(results)
    output = Path(options.output or options.folder)
    try:
        output.mkdir(parents=True, exist_ok=True)
        table.write_csv(rows, output / "table.csv")
        table.write_hdf5(rows, results, output / "table.h5")
        plots.draw(rows, found, output, check.WITHIN)
        (output / "report.md").write_text("\n".join(page(results, rows, found)), encoding="utf-8")
    except OSError as error:
        raise Refused(f"--output {output}: {error.strerror or error}; name a folder that you may write to") from None
    print(output / "report.md")

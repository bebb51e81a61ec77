"""Links as bench_comm sees them: latency and bandwidth of each collective call, fitted to its times."""

import json

import numpy as np

from study import launch
from study.errors import Failed

CALLS = ("all_reduce", "all_gather", "reduce_scatter")
#: Not bytes, but passes over an array of a cache's size before a small reduction.
BUSY = "busy_all_reduce"
#: Not bytes, but channels of a batch norm that runs forward and backward over few values.
NORM = "batch_norm"


def fit(sizes, seconds):
    """(latency, bandwidth) of seconds = latency + bytes / bandwidth, with small relative errors at all sizes; both positive."""
    sizes, seconds = np.asarray(sizes, float), np.asarray(seconds, float)
    weights = 1 / seconds
    matrix = np.stack([weights, sizes * weights], axis=1)
    latency, per_byte = np.linalg.lstsq(matrix, np.ones_like(seconds), rcond=None)[0]
    per_byte = max(per_byte, 1e-15)
    return float(max(latency, 0.0)), float(1 / per_byte)


def times_in(text):
    """{call: {bytes: seconds}} of Google Benchmark's JSON."""
    times = {}
    for benchmark in json.loads(text[text.index("{"):])["benchmarks"]:
        group, call, size, *_ = benchmark["name"].split("/")
        if group == "comm" and call in CALLS + (BUSY, NORM):
            times.setdefault(call, {})[int(size)] = 1e-6 * benchmark["real_time"]
    return times


def fits_of(times):
    return {call: fit(list(found), list(found.values())) for call, found in times.items() if call in CALLS}


def switch_seconds(times, alone, sharing):
    """What a rank pays each time it gets its core back from another: the reduction after computing takes longer than computing
    on one rank times the ranks of a core. The median over the amounts of computing; 0 where ranks have cores of their own."""
    busy, own = times.get(BUSY, {}), alone.get(BUSY, {})
    common = sorted(set(busy) & set(own))
    if sharing <= 1 or not common:
        return 0.0
    return float(max(0.0, np.median([busy[passes] / sharing - own[passes] for passes in common])))


def norm_seconds(times, alone, sharing, beside):
    """What each of a batch norm's two reductions costs a rank in arithmetic, where statistics are of several ranks: what the layer takes
    longer than on one rank, without `beside`, the seconds of the reduction and of a turn. The median over numbers of channels."""
    several, own = times.get(NORM, {}), alone.get(NORM, {})
    common = sorted(set(several) & set(own))
    if not common:
        return 0.0
    return float(max(0.0, np.median([(several[channels] / sharing - own[channels]) / 2 - beside for channels in common])))


def measure(ranks, nodes, threads, minutes, folder):
    """Writes FOLDER/links.json; None where bench_comm is not built."""
    bench = launch.beside_program("perf", "bench_comm")
    if bench is None:
        return None
    command = launch.command_of_ranks(ranks, nodes, threads, {}) + [str(bench), "--benchmark_filter=^comm/", "--benchmark_format=json"]
    log = folder / "bench_comm.log"
    launch.execute([command], [log], threads, minutes)
    try:
        times = times_in(log.read_text())
    except (ValueError, KeyError):
        raise Failed(f"{log}: not what bench_comm writes; run it by hand") from None
    (folder / "links.json").write_text(json.dumps({"ranks": ranks, "nodes": nodes, "seconds": times}, indent=1))
    return times

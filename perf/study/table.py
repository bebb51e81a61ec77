"""The table of a study: a row a point, as CSV and HDF5."""

import csv
import json

from study.limits import ideal_phases, limit
from study.results import PHASES

FORMAT, VERSION = "paws-scaling", 1

#: column: unit or meaning
TEXTS = ("scaling", "network", "precision", "data", "limited_by")
WHOLE = ("ranks", "nodes", "threads", "cores", "pictures_per_rank", "supports_per_rank", "pictures_per_step", "repetitions")


def _cores(results, run):
    """Cores that its threads have."""
    return min(run.ranks * results.study.threads, results.machine["cores"] * run.nodes)


def _row(results, point, base):
    run, measured, study = point.run, results.of(point.run), results.study
    phases = {name: measured.phase(name) for name in PHASES}
    document = measured.best.documents[0]
    low, high = measured.range
    medians = [rank["median"] for rank in document["step"]["per_rank"]]
    speed = run.ranks * run.pictures / measured.step
    row = {
        "scaling": point.scaling, "network": run.network, "precision": run.precision, "data": study.data, "ranks": run.ranks, "nodes": run.nodes,
        "threads": study.threads, "cores": _cores(results, run), "pictures_per_rank": run.pictures,
        "supports_per_rank": run.images_per_class * study.classes, "pictures_per_step": run.ranks * run.pictures,
        "delay_us": float(point.delay.latency_us), "delay_mb_per_s": float(point.delay.mb_per_s), "repetitions": len(measured.repetitions),
        "step_s": measured.step, "step_slowest_s": high, "pictures_per_s": speed, "pictures_per_s_slowest": run.ranks * run.pictures / high,
        "rank_step_min_s": min(medians), "rank_step_max_s": max(medians), "load": max(r.load for r in measured.repetitions),
    }
    base = base or {**row, "phases": phases}
    row["efficiency"] = speed / run.ranks / (base["pictures_per_s"] / base["ranks"])
    row["efficiency_per_core"] = speed / row["cores"] / (base["pictures_per_s"] / base["cores"])
    row["efficiency_slowest"] = row["efficiency"] * row["pictures_per_s_slowest"] / speed
    for name in PHASES:
        row[f"{name}_s"] = phases[name]
    ideal = ideal_phases(base["phases"], base["ranks"], point.scaling, run.ranks)
    row["limited_by"] = limit(phases, ideal, run.ranks, study.threads, results.machine["cores"] * run.nodes)
    return row, base


def rows_of(results):
    """A dictionary for each point; efficiencies are against the fewest ranks of its series."""
    bases, rows = {}, []
    for point in results.points:
        row, bases[point.series] = _row(results, point, bases.get(point.series))
        rows.append(row)
    return rows


def write_csv(rows, path):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        for row in rows:
            writer.writerow({key: f"{value:.6g}" if isinstance(value, float) else value for key, value in row.items()})


def write_hdf5(rows, results, path):
    """`/table`, a compound data set; attributes say what it is of."""
    import h5py
    import numpy as np

    def kind(name):
        return h5py.string_dtype() if name in TEXTS else np.int64 if name in WHOLE else np.float64

    table = np.array([tuple(row.values()) for row in rows], dtype=[(name, kind(name)) for name in rows[0]])
    with h5py.File(path, "w") as file:
        file["table"] = table
        file.attrs.update(format=FORMAT, version=VERSION, created_by="perf/scaling", study=results.text, machine=json.dumps(results.machine))


def read_hdf5(path):
    """[row] of a report's table."""
    import h5py

    with h5py.File(path, "r") as file:
        table = file["table"][()]
    return [{name: (value.decode() if isinstance(value, bytes) else value.item() if hasattr(value, "item") else value)
             for name, value in zip(table.dtype.names, row)} for row in table]

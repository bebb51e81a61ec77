"""The plots of a study, PNG and SVG."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from study.results import PHASES  # noqa: E402

COLOURS = {"data_wait": "#8c6bb1", "forward": "#4e79a7", "loss": "#76b7b2", "backward": "#f28e2b", "communication": "#e15759",
           "update": "#59a14f", "checkpoint": "#9c755f", "other": "#bab0ac"}


def _series(rows):
    found = {}
    for row in rows:
        delay = f", +{row['delay_us']:g} µs" if row["delay_us"] or row["delay_mb_per_s"] else ""
        if row["delay_mb_per_s"]:
            delay += f", {row['delay_mb_per_s']:g} MB/s"
        found.setdefault(f"{row['network']} {row['precision']}, {row['scaling']}{delay}", []).append(row)
    return found


def _axes(figure_width=6.4):
    figure, axes = plt.subplots(figsize=(figure_width, 4.2), layout="constrained")
    axes.grid(True, alpha=0.3)
    return figure, axes


def _rank_ticks(axes, rows):
    ranks = sorted({row["ranks"] for row in rows})
    axes.set_xscale("log", base=2)
    axes.set_xticks(ranks, [str(count) for count in ranks])
    axes.set_xlabel("ranks")


def _save(figure, folder, name):
    for kind in ("png", "svg"):
        figure.savefig(folder / f"{name}.{kind}", dpi=110)
    plt.close(figure)


def _line(axes, rows, key, slowest, name, colour):
    ranks, best = [row["ranks"] for row in rows], [row[key] for row in rows]
    below = [max(0.0, value - row[slowest]) for value, row in zip(best, rows)]
    axes.errorbar(ranks, best, yerr=[below, [0] * len(best)], marker="o", capsize=3, label=name, color=colour)


def throughput(rows, folder):
    figure, axes = _axes()
    for number, (name, line) in enumerate(_series(rows).items()):
        colour = f"C{number}"
        _line(axes, line, "pictures_per_s", "pictures_per_s_slowest", name, colour)
        first = line[0]
        axes.plot([row["ranks"] for row in line], [first["pictures_per_s"] * row["ranks"] / first["ranks"] for row in line], ":", color=colour, alpha=0.6)
    _rank_ticks(axes, rows)
    axes.set_yscale("log", base=2)
    axes.yaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_ylabel("pictures/s (dotted: ideal; bars: to the slowest repetition)")
    axes.legend(fontsize=7)
    _save(figure, folder, "throughput")


def efficiency(rows, folder):
    figure, axes = _axes()
    axes.axhline(1, color="black", linestyle=":", label="ideal")
    shared = any(row["cores"] < row["ranks"] * row["threads"] for row in rows)
    for number, (name, line) in enumerate(_series(rows).items()):
        _line(axes, line, "efficiency", "efficiency_slowest", name, f"C{number}")
        if shared:
            axes.plot([row["ranks"] for row in line], [row["efficiency_per_core"] for row in line], "--", color=f"C{number}", alpha=0.6)
    _rank_ticks(axes, rows)
    axes.set_ylim(0, 1.15)
    axes.set_ylabel("efficiency a rank" + (" (dashed: a core)" if shared else ""))
    axes.legend(fontsize=7)
    _save(figure, folder, "efficiency")


def phases(rows, folder):
    series = _series(rows)
    figure, axes = _axes(max(6.4, 1.2 + 0.55 * len(rows) + 0.5 * len(series)))
    place, ticks, labels = 0.0, [], []
    for name, line in series.items():
        for row in line:
            bottom = 0.0
            for phase in PHASES:
                height = 1000 * row[f"{phase}_s"]
                axes.bar(place, height, 0.8, bottom, color=COLOURS[phase], label=phase.replace("_", " ") if not ticks else None)
                bottom += height
            ticks.append(place)
            labels.append(str(row["ranks"]))
            place += 1
        axes.text(place - len(line) / 2 - 0.5, 0.985, name.replace(", ", "\n"), fontsize=6, ha="center", va="top", transform=axes.get_xaxis_transform())
        place += 0.7
    axes.set_xticks(ticks, labels)
    axes.set_xlabel("ranks")
    axes.set_ylabel("ms a step")
    axes.set_ylim(0, 1.35 * axes.get_ylim()[1])
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    _save(figure, folder, "phases")


def spread(rows, folder):
    """From the fastest to the slowest rank of a run, around the middle of both."""
    figure, axes = _axes()
    for number, (name, line) in enumerate(_series(rows).items()):
        middle = [500 * (row["rank_step_min_s"] + row["rank_step_max_s"]) for row in line]
        half = [500 * (row["rank_step_max_s"] - row["rank_step_min_s"]) for row in line]
        axes.errorbar([row["ranks"] * 2 ** (0.04 * number) for row in line], middle, yerr=half, fmt="o", capsize=4, label=name, color=f"C{number}")
    _rank_ticks(axes, rows)
    axes.set_ylabel("median step of each rank, ms: fastest to slowest")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=7)
    _save(figure, folder, "spread")


def model(found, folder, within):
    """Predictions over measurements."""
    figure, axes = _axes()
    most = 1000 * max(max(p["predicted_s"], p["measured_s"]) for p in found)
    least = 1000 * min(min(p["predicted_s"], p["measured_s"]) for p in found)
    line = [0.8 * least, 1.2 * most]
    axes.plot(line, line, "k:", label="equal")
    axes.fill_between(line, [value * (1 - within) for value in line], [value * (1 + within) for value in line], alpha=0.12, color="black",
                      label=f"within {within:.0%}")
    for number, key in enumerate(sorted({(p["network"], p["ranks"], p["delay_us"], p["delay_mb_per_s"]) for p in found})):
        chosen = [p for p in found if (p["network"], p["ranks"], p["delay_us"], p["delay_mb_per_s"]) == key]
        name = f"{key[0]}, {key[1]} ranks" + (f", +{key[2]:g} µs" if key[2] else "") + (f", {key[3]:g} MB/s" if key[3] else "")
        axes.plot([1000 * p["measured_s"] for p in chosen], [1000 * p["predicted_s"] for p in chosen], "os^vD<>pPX*"[number % 11], label=name, alpha=0.8)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("measured, ms a step")
    axes.set_ylabel("predicted, ms a step")
    axes.legend(fontsize=6)
    _save(figure, folder, "model")


def projection(rows, folder):
    figure, axes = _axes()
    axes.axhline(1, color="black", linestyle=":", label="ideal")
    for name in dict.fromkeys(row["machine"] for row in rows):
        line = [row for row in rows if row["machine"] == name]
        axes.plot([row["ranks"] for row in line], [row["efficiency"] for row in line], "o-", label=name)
    _rank_ticks(axes, rows)
    axes.set_ylim(0, 1.1)
    axes.set_ylabel("predicted efficiency, weak scaling")
    axes.legend(fontsize=8)
    _save(figure, folder, "projection")


def draw(rows, found, folder, within):
    throughput(rows, folder)
    efficiency(rows, folder)
    phases(rows, folder)
    spread(rows, folder)
    if found:
        model(found, folder, within)

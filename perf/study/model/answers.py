"""What a centre asks before it gives someone its GPUs, answered by the model, as Markdown."""

from study.markdown import table
from study.model.projection import (IMAGENET_CLASSES, epochs_seconds, loss_flops, project, setting_of, staging_seconds, steps_per_epoch, supports_of, world_of)
from study.model.simulate import step_seconds, terms

BUCKETS_MB = (0.5, 1, 2, 4, 8, 16, 25, 50, 100)


def milliseconds(seconds):
    return f"{1000 * seconds:.1f}"


def scaling_rows(profile, machine, training, ranks):
    """One dictionary a number of ranks."""
    rows = []
    alone = None
    for count in ranks:
        there, setting, step, write = project(profile, machine, training, count)
        speed = count * training.pictures / step
        alone = alone or speed / count
        lost = terms(there, setting)
        seconds = epochs_seconds(machine, training, world_of(machine, count), step, write)
        rows.append({
            "machine": machine.name, "ranks": count, "nodes": setting.world.nodes, "step_s": step, "pictures_per_s": speed,
            "efficiency": speed / count / alone, "compute_s": there.compute(), "loss_s": there.phases["loss"], "terms": lost,
            "hours": seconds / 3600, "node_hours": seconds / 3600 * setting.world.nodes, "staging_s": staging_seconds(machine, setting.world),
            "supports": supports_of(training, count, False),
        })
    return rows


def limiting(row, share=0.002):
    """The term that costs most, beside computing itself."""
    loss_growth = row["loss_growth_s"] if "loss_growth_s" in row else 0
    lost = {**row["terms"], "loss over more supports": loss_growth}
    name = max(lost, key=lost.get)
    return f"{name} ({lost[name] / row['step_s']:.1%})" if lost[name] > share * row["step_s"] else "compute"


def add_loss_growth(rows, training, machine):
    """What the loss takes more than on the fewest ranks, since every rank compares its views with all supports."""
    rate = 1e12 * machine["compute.fp32_tflops"]
    first = sum(loss_flops(training, rows[0]["supports"]))
    for row in rows:
        row["loss_growth_s"] = (sum(loss_flops(training, row["supports"])) - first) / rate


def steps_table(rows):
    return table(
        ["ranks", "nodes", "step, ms", "pictures/s", "efficiency", "batch norms, ms", "gradients, ms", "gather, ms", "stragglers, ms",
         "input, ms", "loss over more supports, ms", "limited by", "hours", "node-hours"],
        [[r["ranks"], r["nodes"], milliseconds(r["step_s"]), f"{r['pictures_per_s']:,.0f}", f"{r['efficiency']:.1%}",
          milliseconds(r["terms"]["batch norms"]), milliseconds(r["terms"]["gradients"]), milliseconds(r["terms"]["support gather"]),
          milliseconds(r["terms"]["stragglers"]), milliseconds(r["terms"]["input"]), milliseconds(r["loss_growth_s"]), limiting(r),
          f"{r['hours']:.2f}", f"{r['node_hours']:,.0f}"] for r in rows],
    )


def best_bucket(profile, machine, training, ranks):
    """[(MiB, seconds of a step)], without stragglers, which would hide the differences."""
    found = []
    for size in BUCKETS_MB:
        there, setting, _, _ = project(profile, machine, training, ranks, bucket_mb=size, steps=3)
        found.append((size, step_seconds(there, setting.without(stragglers=False))))
    return found


def gather_costs(profile, machine, training, ranks):
    """[(ranks, share of a step that the gather costs, share of the loss)] if every rank brings as many supports as configured, however many
    ranks there are."""
    rows = []
    for count in ranks:
        there, setting, step, _ = project(profile, machine, training, count, grow=True, steps=8)
        without = step_seconds(there, setting.without(gathers=False))
        loss = sum(loss_flops(training, supports_of(training, count, True))) / (1e12 * machine["compute.fp32_tflops"])
        rows.append((count, max(0.0, step - without) / step, loss / step))
    return rows


def matters_from(rows, column, share=0.01):
    """The fewest ranks for which it costs `share` of a step."""
    return next((f"{row[0]:,} ranks" for row in rows if row[column] >= share), f"not up to {rows[-1][0]:,} ranks")


def slower_compute(machine, training, profile, ranks, share):
    """Hours if compute reached only `share` of what is assumed."""
    there, setting, _, write = project(profile, machine, training, ranks)
    step = step_seconds(there.scaled(1 / share), setting)
    return epochs_seconds(machine, training, world_of(machine, ranks), step, write) / 3600


def unstaged(profile, machine, training, ranks):
    """Share of a step by which reading pictures from the file system, not the node's disk, would lengthen it."""
    there, setting, step, _ = project(profile, machine, training, ranks)
    reading, _ = setting_of(machine, training, ranks, profile.checkpoint_bytes, staged=False)
    return step_seconds(there, reading) / step - 1


def assumptions_table(machines):
    keys = list(machines[0].values)
    rows = []
    for key in keys:
        rows.append([key] + [f"{m[key]:g}" for m in machines] + ["; ".join(dict.fromkeys(m.sources[key] for m in machines))])
    return table(["assumption"] + [m.name for m in machines] + ["source"], rows)


def answers(profile, machines, training, ranks, published=64):
    """The Markdown report: a list of lines, and the rows of all machines."""
    lines, everything = [], []
    lines += [f"One rank's batch: {training.pictures} pictures × (2 + {training.multicrop}) views, {training.supports} supports; {training.epochs} epochs "
              f"of ImageNet. Every rank adds its batch (weak scaling). Different classes on each rank end at {ranks_with_own_classes(training)} ranks; "
              "beyond, all ranks share as many supports as there are then.", ""]
    for machine in machines:
        rows = scaling_rows(profile, machine, training, ranks)
        add_loss_growth(rows, training, machine)
        everything += rows
        lines += [f"### {machine.name}", ""] + steps_table(rows) + [""]
        lines += facts(profile, machine, training, rows, ranks, published) + [""]
    lines += ["### Assumptions", ""] + assumptions_table(machines) + [""]
    return lines, everything


def ranks_with_own_classes(training):
    return IMAGENET_CLASSES // training.classes


def facts(profile, machine, training, rows, ranks, published):
    there = next((row for row in rows if row["ranks"] == published), rows[-1])
    most = rows[-1]
    buckets = {count: best_bucket(profile, machine, training, count) for count in (there["ranks"], most["ranks"])}
    gather = gather_costs(profile, machine, training, [2**power for power in range(1, max(ranks).bit_length())] or [1])
    half = slower_compute(machine, training, profile, there["ranks"], 0.5)

    def bucket_words(count):
        found = buckets[count]
        best = min(found, key=lambda pair: pair[1])
        small = min(size for size, seconds in found if seconds <= 1.001 * best[1])
        large = max(size for size, seconds in found if seconds <= 1.001 * best[1])
        default = dict(found)[8]
        return f"{count:,} ranks: {best[0]:g} MiB, from {small:g} to {large:g} within 0.1 %; the default of 8 costs {default / best[1] - 1:.2%} more"

    return [
        f"- **Time:** {training.epochs} epochs on {there['ranks']} ranks: {there['hours']:.2f} h, {there['node_hours']:.0f} node-hours "
        f"({steps_per_epoch(training, there['ranks'])} steps an epoch, {there['staging_s'] / 60:.1f} min of staging the pictures included; "
        f"{most['staging_s'] / 60:.1f} min on {most['ranks']:,}); {half:.2f} h if compute "
        "reached half of the share assumed.",
        f"- **Bucket size:** {bucket_words(there['ranks'])}. {bucket_words(most['ranks'])}.",
        f"- **Batch norms over ranks:** {len(profile.norms)} reductions forward and as many backward, {milliseconds(there['terms']['batch norms'])} ms "
        f"({there['terms']['batch norms'] / there['step_s']:.1%} of a step) on {there['ranks']} ranks, {milliseconds(most['terms']['batch norms'])} ms "
        f"({most['terms']['batch norms'] / most['step_s']:.1%}) on {most['ranks']:,}.",
        f"- **Supports:** if each rank kept its {training.supports} supports whatever the number of ranks, their gather would cost 1 % of a step from "
        f"{matters_from(gather, 1)}; the loss over all of them from {matters_from(gather, 2)} ({gather[-1][1]:.0%} and {gather[-1][2]:.0%} at {gather[-1][0]:,}).",
        f"- **Pictures from the file system** instead of the nodes' disks: a step {unstaged(profile, machine, training, there['ranks']):.1%} longer on "
        f"{there['ranks']} ranks, {unstaged(profile, machine, training, most['ranks']):.1%} on {most['ranks']:,}.",
    ]

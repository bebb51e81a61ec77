"""The model beside the measurements: from the run of one rank with a point's batch, the links of bench_comm and what
neighbours cost each other, the step of all ranks."""

import math

from study import bench_comm
from study.model.collectives import Delay, Measured, World
from study.model.simulate import Setting, step_times, terms

STEPS = 60
WITHIN = 0.10


def growing_share(results, point):
    """The share of the loss's time that grows with the number of supports, from two runs of one rank: their loss is
    a + b · pictures · supports. All of it, if there is only one such run."""
    network, precision = point.run.network, point.run.precision
    seen = {}
    for other in results.points:
        alone = results.of(other.alone)
        if alone and (other.run.network, other.run.precision) == (network, precision):
            seen[other.alone.pictures * other.alone.images_per_class] = alone.phase("loss")
    if len(seen) < 2:
        return 1.0
    small, large = min(seen), max(seen)
    slope = (seen[large] - seen[small]) / (large - small)
    own = point.alone.pictures * point.alone.images_per_class
    return min(1.0, max(0.0, slope * own / seen[own])) if seen[own] > 0 else 1.0


def sharing(results, run):
    """Ranks of a core, at least 1."""
    return max(1.0, run.ranks / run.nodes * results.study.threads / results.machine["cores"])


def slowdown(results, point):
    """How much slower ranks compute beside others that they have nothing to do with, their shares of cores apart; 1 where that is not
    measured."""
    apart, alone = results.of(point.apart), results.of(point.alone)
    return max(1.0, apart.step / alone.step / sharing(results, point.run)) if apart and alone else 1.0


def setting_of(results, point):
    study, run = results.study, point.run
    settings = results.settings()
    network, world = Measured(results.link_fits()), World(run.ranks, run.nodes)
    together, alone, turns = results.links[run.ranks], results.links.get(1, {}), sharing(results, run)
    switch = bench_comm.switch_seconds(together, alone, turns)
    return Setting(
        world=world,
        network=network,
        delay=Delay(1e-6 * point.delay.latency_us, 1e6 * point.delay.mb_per_s if point.delay.mb_per_s else math.inf),
        bucket_bytes=settings.get("meta.bucket_mb", 8) * 2**20,
        wire_share=0.5 if settings.get("meta.reduce_precision") in ("bf16", "fp16") else 1,
        classes=study.classes,
        slowdown=slowdown(results, point),
        sharing=turns,
        switch_seconds=switch,
        norm_seconds=bench_comm.norm_seconds(together, alone, turns, switch + network.all_reduce(0, world)),
        steps=STEPS,
    )


def predict(results, point):
    """{predicted, measured, error, low, high, terms} of a point, or None where there is nothing to predict from."""
    alone, measured = results.of(point.alone), results.of(point.run)
    if alone is None or measured is None or point.run.ranks == 1 or point.run.ranks not in results.links:
        return None
    profile = alone.profile().with_supports(point.run.ranks, growing_share(results, point))
    setting = setting_of(results, point)
    times = sorted(step_times(profile, setting))
    predicted = times[len(times) // 2]
    return {
        "scaling": point.scaling, "network": point.run.network, "precision": point.run.precision, "ranks": point.run.ranks,
        "delay_us": point.delay.latency_us, "delay_mb_per_s": point.delay.mb_per_s, "alone_s": alone.step, "slowdown": setting.slowdown,
        "sharing": setting.sharing, "switch_s": setting.switch_seconds, "norm_s": setting.norm_seconds, "predicted_s": predicted, "measured_s": measured.step, "measured_slowest_s": measured.range[1],
        "error": predicted / measured.step - 1, "terms": terms(profile, setting),
    }


def predictions(results):
    found = (predict(results, point) for point in results.points)
    return [prediction for prediction in found if prediction]


def holds(prediction):
    return abs(prediction["error"]) <= WITHIN

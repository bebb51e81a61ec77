"""From a study to the runs that must be measured. Points of the plots share runs: one rank is the same run for weak and
strong scaling, and the model starts from a run of one rank with the batch that a point has on each of its ranks."""

from dataclasses import dataclass

from study.study_file import Delay


@dataclass(frozen=True)
class Run:
    """What is started at once. Batches are per rank."""

    network: str
    precision: str
    ranks: int
    nodes: int
    pictures: int
    images_per_class: int
    delay: Delay = Delay()
    apart: bool = False  #: ranks do not know of each other

    @property
    def name(self):
        """The folder of its measurements."""
        parts = [self.network, self.precision, f"r{self.ranks}", f"p{self.pictures}", f"s{self.images_per_class}"]
        if self.nodes > 1:
            parts.insert(3, f"n{self.nodes}")
        if self.apart:
            parts.append("apart")
        if not self.delay.is_none:
            parts.append(f"delay{self.delay.latency_us:g}us" + (f"{self.delay.mb_per_s:g}mb" if self.delay.mb_per_s else ""))
        return "-".join(parts)


@dataclass(frozen=True)
class Point:
    """A place in the plots."""

    scaling: str
    run: Run
    alone: Run  #: one rank with the same batch
    apart: Run  #: the ranks of a node, apart; None where there is nothing to measure
    delay: Delay = Delay()  #: of the series; a single rank has none to wait for

    @property
    def series(self):
        """What points have in common that make one line."""
        return (self.scaling, self.run.network, self.run.precision, self.delay)


def _batch(study, scaling, ranks):
    return (study.pictures, study.images_per_class) if scaling == "weak" else (study.pictures // ranks, study.images_per_class // ranks)


def points_of(study):
    """All points. Delays are for the first kind of scaling alone."""
    points = []
    for network in study.networks:
        for precision in study.precision:
            for delay in (Delay(),) + tuple(d for d in study.delays if not d.is_none):
                for scaling in study.scaling if delay.is_none else study.scaling[:1]:
                    for ranks, nodes in zip(study.ranks, study.nodes):
                        points.append(_point(study, scaling, network, precision, ranks, nodes, delay))
    return points


def _point(study, scaling, network, precision, ranks, nodes, delay):
    pictures, images = _batch(study, scaling, ranks)
    run = Run(network, precision, ranks, nodes, pictures, images, delay if ranks > 1 else Delay())
    alone = Run(network, precision, 1, 1, pictures, images)
    beside = ranks // nodes
    apart = Run(network, precision, beside, 1, pictures, images, apart=True) if study.apart and beside > 1 else None
    return Point(scaling, run, alone, apart, delay)


def runs_of(points):
    """Each run once, in the order in which a repetition makes them."""
    runs = {}
    for point in points:
        for run in (point.alone, point.apart, point.run):
            if run is not None:
                runs.setdefault(run.name, run)
    return list(runs.values())

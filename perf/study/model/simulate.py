"""The event simulation of a training step.

Each rank has a clock. Compute moves each clock by the rank's own time; a blocking collective sets all to the latest, plus
its cost; a bucket of gradients starts when the last rank has it ready and the bucket before it is through, and costs
nothing visible unless it is not through at the end of the backward pass. The order is the program's:

    data wait → forward pass, batch norm after batch norm → gather of supports, mean predictions, loss → its gradient
    scattered → backward pass, batch norm after batch norm, buckets in between → wait for buckets → update → agreement
"""

from dataclasses import dataclass, field, replace

import numpy as np

from study.model.buckets import make_buckets
from study.model.collectives import Delay, Network, World, Links

#: What the ranks agree on after each step: loss, me-max, two flags, in float64.
AGREEMENT_BYTES = 32


@dataclass(frozen=True)
class Setting:
    """Where and how the ranks compute."""

    world: World = World(1)
    network: object = field(default_factory=lambda: Network(Links()))
    delay: Delay = Delay()
    bucket_bytes: float = 8 * 2**20
    wire_share: float = 1  #: of a gradient's bytes that travel (0.5: bf16 of float32)
    classes: int = 10  #: of the mean prediction
    slowdown: float = 1  #: of compute, where neighbours share memory, caches and clock
    sharing: float = 1  #: ranks of a core, where there are more of them than cores: they take turns, each to its next call
    switch_seconds: float = 0  #: what such a turn costs
    norm_seconds: float = 0  #: arithmetic of each reduction of a batch norm, which a rank alone has none of
    input_seconds: float = 0  #: to read and make a step's views, beside the step
    save_seconds: float = 0  #: a step's share of what checkpoints cost
    norms: bool = True  #: batch norms over all ranks
    buckets: bool = True
    gathers: bool = True
    stragglers: bool = True
    steps: int = 20
    seed: int = 0

    def without(self, **terms):
        return replace(self, **terms)


class _Ranks:
    """The clocks of all ranks, and the links."""

    def __init__(self, setting):
        self.setting = setting
        self.world, self.network, self.delay = setting.world, setting.network, setting.delay
        self.now = np.zeros(self.world.ranks)
        self.background_free = 0.0  # when the buckets' link is
        self.delay_free = np.zeros(self.world.ranks)  # the same of the artificial one
        self.pending = []
        self.cores = max(1, round(self.world.ranks / setting.sharing)) if setting.sharing > 1 else None
        self.core_free = np.full(self.cores or 0, -np.inf)  # when the last turn on each core is over
        self.has_core = False  # since the last call for which ranks waited

    def wait(self, seconds):
        self.now = self.now + seconds

    def compute(self, seconds):
        if self.cores is None or not np.any(seconds):
            self.now = self.now + seconds
            return
        seconds = np.broadcast_to(seconds, self.now.shape) + (0 if self.has_core else self.setting.switch_seconds)
        self.has_core = True
        end = np.empty_like(self.now)
        free = self.core_free
        for rank in np.argsort(self.now, kind="stable"):
            core = rank % self.cores
            free[core] = end[rank] = max(free[core], self.now[rank]) + seconds[rank]
        self.now = end

    def _delayed(self, size):
        """When each rank's artificial delay is over, for a call that it begins now."""
        return self.now + self.delay.latency + size / self.delay.bandwidth

    def reduce(self, size):
        self._block(self.network.all_reduce(size, self.world), size)

    def merge(self, size):
        """Statistics of a batch norm."""
        if self.world.ranks > 1:
            self.compute(self.setting.norm_seconds)
        self.reduce(size)

    def gather(self, size):
        self._block(self.network.gather(size, self.world), size * (self.world.ranks - 1))

    def _block(self, cost, received):
        if self.world.ranks > 1:
            self.has_core = False
            end = self.now.max() + cost
            self.now = np.maximum(end, self._delayed(received)) if not self.delay.is_none else np.full_like(self.now, end)

    def start_bucket(self, size):
        if self.world.ranks == 1:
            return
        cost = self.network.all_reduce(size, self.world)
        begin = max(self.background_free, self.now.max())
        self.background_free = begin + cost
        self.delay_free = np.maximum(self.delay_free, self.now) + size / self.delay.bandwidth
        self.pending.append(np.maximum(self.background_free, self.delay_free + self.delay.latency))
        if self.network.uses_ranks:
            self.now = self.now + cost

    def finish_buckets(self):
        for end in self.pending:
            self.now = np.maximum(self.now, end)
        self.pending = []


def _pass(ranks, length, events, factor):
    """A pass of `length` seconds with `events` (seconds after its begin, what to do)."""
    place = 0.0
    for at, act in sorted(events, key=lambda event: event[0]):
        at = min(max(at, place), length)
        ranks.compute((at - place) * factor)
        place = at
        act()
    ranks.compute((length - place) * factor)


def _step(ranks, profile, setting, factor):
    phases = profile.phases
    start = ranks.now.max()
    ranks.wait(phases["data_wait"])
    norms = profile.norms if setting.norms else ()
    forward = [(norm.forward_at, lambda size=norm.forward_bytes: ranks.merge(size)) for norm in norms]
    _pass(ranks, phases["forward"], forward, factor)
    if setting.gathers:
        ranks.gather(profile.gather_forward)
    ranks.reduce(4 * setting.classes)
    ranks.compute(phases["loss"] * factor)
    backward = [(norm.backward_at, lambda size=norm.backward_bytes: ranks.merge(size)) for norm in norms]
    if setting.gathers:
        backward.append((0.0, lambda: ranks.gather(profile.gather_backward)))
    if setting.buckets:
        for size, ready in make_buckets([(setting.wire_share * size, ready) for size, ready in profile.gradients], setting.bucket_bytes):
            backward.append((ready, lambda size=size: ranks.start_bucket(size)))
    _pass(ranks, phases["backward"], backward, factor)
    ranks.finish_buckets()
    ranks.compute((phases["update"] + phases["other"]) * factor)
    ranks.reduce(AGREEMENT_BYTES)
    ranks.wait(setting.save_seconds)
    # What makes the views works beside the step: the slower of both sets the pace.
    ranks.now = np.maximum(ranks.now, start + setting.input_seconds)


def step_times(profile, setting):
    """[steps] seconds of each simulated step, as the slowest rank sees it."""
    generator = np.random.default_rng(setting.seed)
    ranks = _Ranks(setting)
    spread = np.asarray(profile.spread if setting.stragglers else (1.0,))
    times = np.empty(setting.steps)
    before = 0.0
    for step in range(setting.steps):
        drawn = generator.choice(spread, size=setting.world.ranks)
        _step(ranks, profile, setting, drawn * setting.slowdown)
        times[step] = ranks.now.max() - before
        before = ranks.now.max()
    return times


def step_seconds(profile, setting):
    """The median step."""
    return float(np.median(step_times(profile, setting)))


#: Terms of a step, and the setting without them.
TERMS = {
    "batch norms": {"norms": False},
    "gradients": {"buckets": False},
    "support gather": {"gathers": False},
    "stragglers": {"stragglers": False},
    "checkpoints": {"save_seconds": 0},
    "input": {"input_seconds": 0},
    "shared cores": {"sharing": 1, "switch_seconds": 0},
    "shared memory and clock": {"slowdown": 1},
}


def terms(profile, setting):
    """{term: seconds that a step would be shorter without it}. Terms hide one another, so they need not add up."""
    whole = step_seconds(profile, setting)
    return {name: max(0.0, whole - step_seconds(profile, setting.without(**change))) for name, change in TERMS.items()}

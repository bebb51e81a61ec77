"""What a collective call costs once all ranks are there."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Links:
    """Latencies in seconds, bandwidths in bytes a second. `inside`: of a rank to its neighbours in the node; `between`:
    of all of a node's adapters together. `call` is what each call costs before anything moves."""

    latency_inside: float = 0
    bandwidth_inside: float = math.inf
    latency_between: float = 0
    bandwidth_between: float = math.inf
    call: float = 0


@dataclass(frozen=True)
class World:
    ranks: int
    nodes: int = 1

    @property
    def of_node(self):
        return self.ranks // self.nodes


def _slowest(links, world):
    """Latency and bandwidth of a ring's slowest hop. Rings cross each node's border once in and once out, and there are as
    many rings as use up the adapters."""
    if world.nodes == 1:
        return links.latency_inside, links.bandwidth_inside
    return max(links.latency_inside, links.latency_between), min(links.bandwidth_inside, links.bandwidth_between)


def ring_all_reduce(size, links, world):
    """2 (W − 1) hops of size / W bytes: T = 2 (W − 1) (latency + size / (W bandwidth))."""
    if world.ranks == 1:
        return 0.0
    latency, bandwidth = _slowest(links, world)
    return links.call + 2 * (world.ranks - 1) * (latency + size / world.ranks / bandwidth)


def tree_all_reduce(size, links, world):
    """Up and down a double binary tree over nodes, and one inside each: T = 2 (⌈log2 nodes⌉ latency between + ⌈log2 ranks of a
    node⌉ latency inside + size / bandwidth), pieces following one another."""
    if world.ranks == 1:
        return 0.0
    _, bandwidth = _slowest(links, world)
    hops = math.ceil(math.log2(world.nodes)) * links.latency_between + math.ceil(math.log2(world.of_node)) * links.latency_inside
    return links.call + 2 * (hops + size / bandwidth)


class Network:
    """The faster of ring and tree for a reduction, a ring for gathers; the network does the work, and ranks compute beside it."""

    uses_ranks = False

    def __init__(self, links):
        self.links = links

    def all_reduce(self, size, world):
        return min(ring_all_reduce(size, self.links, world), tree_all_reduce(size, self.links, world))

    def gather(self, size, world):
        """`size` bytes of each rank to all, or the sum of as many from all to each: (W − 1) hops of `size` bytes."""
        if world.ranks == 1:
            return 0.0
        latency, bandwidth = _slowest(self.links, world)
        return self.links.call + (world.ranks - 1) * (latency + size / bandwidth)

    def without(self):
        return Network(Links())


class Measured:
    """What bench_comm measured for worlds of several sizes: latency + bytes / bandwidth each, by the ranks' own processors,
    which therefore do nothing else meanwhile. `fits`: {ranks: {"all_reduce": (latency, bandwidth), "all_gather": ...}}."""

    uses_ranks = True

    def __init__(self, fits):
        self.fits = fits

    def _cost(self, call, size, world):
        if world.ranks == 1:
            return 0.0
        fit = self.fits[min(self.fits, key=lambda ranks: abs(ranks - world.ranks))]
        latency, bandwidth = fit[call]
        return latency + size / bandwidth

    def all_reduce(self, size, world):
        return self._cost("all_reduce", size, world)

    def gather(self, size, world):
        return self._cost("all_gather", size, world)


@dataclass(frozen=True)
class Delay:
    """perf/delay_messages.cpp: a call ends no earlier than latency + bytes received / bandwidth after this rank began it."""

    latency: float = 0
    bandwidth: float = math.inf

    @property
    def is_none(self):
        return self.latency == 0 and math.isinf(self.bandwidth)

"""What keeps a point from the ideal line: the phases that take longer than on the fewest ranks, and cores that are shared."""

from study.results import PHASES

WORDS = {
    "data_wait": "waiting for data", "forward": "forward pass", "loss": "loss", "backward": "backward pass", "communication": "visible communication",
    "update": "update", "checkpoint": "checkpoint", "other": "the rest of the step",
}


def lost_seconds(phases, ideal):
    """{phase: seconds beyond the ideal}; `ideal` are the phases of the ideal step."""
    return {name: phases[name] - ideal[name] for name in PHASES}


def ideal_phases(base, base_ranks, scaling, ranks):
    """Weak scaling keeps a step's phases; strong scaling divides them."""
    factor = 1 if scaling == "weak" else base_ranks / ranks
    return {name: factor * seconds for name, seconds in base.items()}


def limit(phases, ideal, ranks, threads, cores):
    """A few words."""
    step, lost = sum(phases.values()), lost_seconds(phases, ideal)
    words = []
    if ranks * threads > cores:
        words.append(f"{ranks * threads} threads on {cores} cores")
    largest = max(lost, key=lost.get)
    if lost[largest] > 0.02 * step:
        words.append(f"{WORDS[largest]} (+{lost[largest] / step:.0%} of the step)")
    return ", ".join(words) or "nothing: within 2 % of the ideal"

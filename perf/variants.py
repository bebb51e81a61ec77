"""Which of several settings of PyTorch ours is held against: the fastest."""

import statistics


def median_of(rounds):
    """rounds: for each round the seconds of its repetitions."""
    return statistics.median(second for repetitions in rounds for second in repetitions)


def fastest(rounds_of):
    """The name with the smallest median over all repetitions, the first of equal ones; None where nothing was measured.
    rounds_of: rounds by name."""
    measured = {name: rounds for name, rounds in rounds_of.items() if any(rounds)}
    return min(measured, key=lambda name: median_of(measured[name])) if measured else None


def in_words(name):
    return name.replace("_", " ")

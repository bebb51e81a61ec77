"""How perf/scaling ends when it cannot go on."""


class Refused(Exception):
    """Bad input: one line that names the thing and the remedy. Exit code 2."""


class Failed(Exception):
    """Something that should have worked did not: one line. Exit code 1."""

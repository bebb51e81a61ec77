"""What a measurement says of the machine that it was made on."""

import os
import platform
import re
import subprocess
import time
from pathlib import Path


def cores():
    """Those that this process may use."""
    return len(os.sched_getaffinity(0))


def load():
    return round(os.getloadavg()[0], 2)


def cpu():
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.machine()


def _memory_gib():
    try:
        found = re.search(r"^MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return round(int(found[1]) / 2**20, 1) if found else 0.0


def _output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def _gpus():
    lines = _output("nvidia-smi", "--query-gpu=name", "--format=csv,noheader").splitlines()
    return f"{len(lines)} × {lines[0]}" if lines else "none"


def describe(program):
    """A dictionary of texts and numbers; `program` is the command that starts paws_hpc."""
    here = Path(__file__).resolve().parent
    return {
        "host": platform.node(), "cpu": cpu(), "cores": cores(), "memory_gib": _memory_gib(), "gpus": _gpus(), "kernel": platform.release(),
        "program": "; ".join(_output(*program, "--version").splitlines()),
        "mpi": (_output("mpirun", "--version").splitlines() or ["unknown"])[0],
        "commit": _output("git", "-C", str(here), "rev-parse", "--short", "HEAD") or "unknown",
        "date": time.strftime("%Y-%m-%d %H:%M"), "job": os.environ.get("SLURM_JOB_ID", ""),
    }

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


def model_numbers():
    """"family 6, model 207": a name alone ("Intel(R) Xeon(R) Processor") may be any of a dozen."""
    try:
        lines = Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""
    found = [re.search(rf"^{name}\s*:\s*(\d+)", lines, re.MULTILINE) for name in ("cpu family", "model")]
    return f"family {found[0][1]}, model {found[1][1]}" if all(found) else ""


def libraries(program):
    """What `program --version` says of the BLAS library and of the processor's instruction sets: {"BLAS": ..., "instruction sets": ...},
    with "unknown" where it does not. `program` is the command that starts paws_hpc."""
    line = next((line for line in _output(*program, "--version").splitlines() if line.startswith("BLAS: ")), "")
    said = dict(part.split(": ", 1) for part in line.split("; ") if ": " in part)
    return {name: said.get(name, "unknown") for name in ("BLAS", "instruction sets")}


def blas_kernel(program):
    """OpenBLAS' kernels of `program`, as OPENBLAS_CORETYPE names them; empty where it has another library."""
    found = re.fullmatch(r"OpenBLAS \((\w+)\)", libraries(program)["BLAS"])
    return found[1] if found else ""


def onednn_isa(python):
    """The instruction set that oneDNN generates code for, as it says itself in PyTorch of the interpreter `python`."""
    convolution = "import torch; torch.nn.functional.conv2d(torch.ones(2, 16, 8, 8), torch.ones(16, 16, 3, 3))"
    environment = {**os.environ, "ONEDNN_VERBOSE": "1", "DNNL_VERBOSE": "1"}
    try:
        printed = subprocess.run([python, "-c", convolution], capture_output=True, text=True, timeout=60, env=environment).stdout
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    found = re.search(r"info,cpu,isa:(.+)", printed)
    return found[1] if found else "unknown"


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

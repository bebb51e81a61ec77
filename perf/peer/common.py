"""What the peers share: their options, torch's threads, and the timing loop.

A peer does the work of one of our benchmark programs in plain PyTorch. Each prints one JSON object a line and variant:
{"name", "variant", "seconds": [per repetition, of one call], "items": of one call, "threads", "busy_cores"}.
"""

import argparse
import ctypes
import gc
import json
import os
import sys
import time
from typing import Callable, Dict, NamedTuple, Union


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 up")
    return number


def common_options():
    parser = argparse.ArgumentParser(add_help=False)
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--threads", type=positive, default=cores, help=f"default: the usable cores, {cores} here")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where tensors are (default: cpu)")
    return parser


# OpenMP and OpenBLAS read these once, when torch is loaded. Without them torch counts the cores in its own way:
# Debian's takes one thread on some virtual machines with two cores.
_common = common_options().parse_known_args()[0]
THREADS, DEVICE = _common.threads, _common.device
ON_GPU = DEVICE == "cuda"
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = str(THREADS)

try:
    import torch
except ImportError:
    sys.exit("PyTorch is missing: apt-get install python3-torch python3-torchvision python3-pil")
torch.set_num_threads(THREADS)
if ON_GPU:
    if not torch.cuda.is_available():
        sys.exit("--device cuda: PyTorch sees no GPU here")
    torch.set_default_device(DEVICE)  # PyTorch 2
    torch.backends.cudnn.benchmark = True  # as the published code has it

BF16_INSTRUCTIONS = torch.cuda.is_bf16_supported() if ON_GPU else any("avx512_bf16" in line for line in open("/proc/cpuinfo") if line.startswith("flags"))


class Peer(NamedTuple):
    """One case. A variant is a function that makes the inputs and returns the call to be timed."""

    items: int
    shipped: Callable  #: as people write and ship it
    #: As somebody would who has read PyTorch's tuning guide. Several by their names where the processor decides which of
    #: its advice is fast; those that it cannot run are left out.
    tuned: Union[Callable, Dict[str, Callable]]

    @property
    def variants(self):
        """By name; "shipped" is the first."""
        return {"shipped": self.shipped, **(self.tuned if isinstance(self.tuned, dict) else {"tuned": self.tuned})}


def runs(peers, case=None, variant=None):
    """The pairs of a case and a variant that are asked for, the tuned ones last, whose memory settings hold for the rest
    of the process. ValueError where a case has no such variant."""
    chosen = []
    for name in [case] if case else peers:
        there = list(peers[name].variants)
        if variant and variant not in there:
            raise ValueError(f"--variant {variant}: {name} has {', '.join(there)} on this processor")
        chosen += [(name, what) for what in there if what == (variant or what)]
    return sorted(chosen, key=lambda run: run[1] != "shipped")


def tune():
    """What the tuning guide says of a process. On a GPU products may round to TF32. On a CPU glibc keeps what is freed,
    as the guide's allocators do: else each large tensor costs page faults."""
    if ON_GPU:
        torch.backends.cuda.matmul.allow_tf32 = True
        return
    trim_threshold, mmap_threshold = -1, -3
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # another C library
        return
    mallopt(trim_threshold, 2**31 - 1)
    mallopt(mmap_threshold, 2**31 - 1)


def synchronise():
    if ON_GPU:
        torch.cuda.synchronize()


def timed(call, count):
    """Wall-clock and processor seconds of one of `count` calls; a GPU has done its work at the end of them."""
    synchronise()
    wall, processor = time.perf_counter(), time.process_time()
    for _ in range(count):
        call()
    synchronise()
    return (time.perf_counter() - wall) / count, (time.process_time() - processor) / count


def measure(call, repetitions, min_time):
    """The times of each repetition, which goes on for about `min_time` seconds, after one or two calls to warm up."""
    estimate = timed(call, 1)[0]
    if estimate < min_time:  # the first call also allocates and sets up its convolutions
        estimate = timed(call, 1)[0]
    count = max(1, round(min_time / estimate))
    gc.collect()
    return [timed(call, count) for _ in range(repetitions)]


def main(peers, description):
    """`peers`: by the name of the case."""
    parser = argparse.ArgumentParser(description=description, parents=[common_options()])
    parser.add_argument("--case", choices=list(peers), help="only this one")
    parser.add_argument("--variant", help="only this one: shipped, or the name of a tuned one")
    parser.add_argument("--repetitions", type=positive, default=3)
    parser.add_argument("--min-time", type=float, default=0.5, help="seconds of one repetition, at least one call")
    options = parser.parse_args()
    if torch.get_num_threads() != options.threads:
        sys.exit(f"torch uses {torch.get_num_threads()} threads instead of {options.threads}")
    try:
        chosen = runs(peers, options.case, options.variant)
    except ValueError as problem:
        parser.error(str(problem))
    for name, variant in chosen:
        if variant != "shipped":
            tune()
        torch.manual_seed(0)
        times = measure(peers[name].variants[variant](), options.repetitions, options.min_time)
        result = {
            "name": name,
            "variant": variant,
            "seconds": [wall for wall, _ in times],
            "items": peers[name].items,
            "threads": options.threads,
            "busy_cores": round(sum(cores for _, cores in times) / sum(wall for wall, _ in times), 2),
        }
        print(json.dumps(result), flush=True)

#!/usr/bin/env python3
"""Interrupts training runs as job systems, terminals and people do, and starts them where there is too little of something: a run that is told to
stop ends with exit code 85 and a whole checkpoint, one that nobody listens to goes on, one that cannot run says why.

usage: interruptions.py --paws-hpc PROGRAM --data tests/inputs --slow-sync LIBRARY [--signals 8] [--only PART]"""
import argparse
import concurrent.futures
import fcntl
import os
import pathlib
import pty
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback

import h5py

from faults import check, environment

CONFIG = """task: paws_train
meta: {{model_name: wide_resnet16w1, output_dim: 16, device: cpu, precision: fp32, threads: 1}}
criterion: {{unsupervised_batch_size: 4, classes_per_batch: 5, supervised_imgs_per_class: 1, supervised_views: 1, temperature: 0.1, sharpen: 0.25, me_max: true}}
data: {{dataset: hdf5, file: {data}, unlabeled_frac: 0.5, crop_size: 16, multicrop: 0, label_smoothing: 0.1}}
optimization: {{epochs: 100000, warmup: 0, start_lr: 0.1, lr: 0.1, final_lr: 0.01, momentum: 0.9, nesterov: false, weight_decay: 1.0e-06}}
logging: {{folder: {folder}, write_tag: run, log_every: 1, checkpoint_minutes: 0, jsonl: true, tensorboard: true}}
"""
PATIENCE = 60  # seconds, on a machine that has other things to do


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        check(time.monotonic() < end, f"waited in vain for {what}")
        time.sleep(0.01)


class Training:
    """A run that would take for ever, in a folder of its own."""

    def __init__(self, programs, root, name):
        self.root = root / name
        self.root.mkdir()
        self.folder = self.root / "run"
        self.csv = self.folder / "run_r0.csv"
        self.latest = self.folder / "run-latest.h5"
        self.config = self.root / "run.yaml"
        self.config.write_text(CONFIG.format(data=root / "data.h5", folder=self.folder))
        self.programs = programs
        self.said = self.root / "said"

    def begin(self, *arguments, ranks=1, variables=(), **options):
        launcher = [] if ranks == 1 else ["mpirun", "--oversubscribe", "-n", str(ranks)]
        streams = {name: open(self.said, "a") for name in ("stdout", "stderr") if name not in options}
        self.process = subprocess.Popen([*launcher, self.programs.paws_hpc, str(self.config), *arguments], env=environment() | dict(variables),
                                        stdin=subprocess.DEVNULL, **streams, **options)
        for stream in streams.values():
            stream.close()
        return self

    def text(self):
        return self.said.read_text() if self.said.exists() else ""

    def count(self, words):
        return self.text().count(words)

    def rows(self, path=None):
        path = path or self.csv
        return path.read_text().splitlines()[1:] if path.exists() else []

    def wait_for_rows(self, count=2, path=None):
        def condition():
            check(self.process.poll() is None, f"ended with {self.process.returncode}:\n{self.text()}")
            return len(self.rows(path)) >= count

        wait_for(condition, f"{count} rows in {path or self.csv}")

    def send(self, *numbers):
        for number in numbers:
            self.process.send_signal(number)

    def end(self, code=85):
        try:
            found = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            check(False, f"does not end:\n{self.text()}")
        check(found == code, f"exit code {found} instead of {code}:\n{self.text()}")
        check(not list(self.root.glob("**/*.partial-*")), "leftovers")

    def step(self):
        """Of the checkpoint, which is whole."""
        with h5py.File(self.latest) as file:
            return int(file["progress"].attrs["iteration"])


def stop_signals(training):
    """SIGHUP, and SIGXCPU as the kernel sends it"""
    training.begin().wait_for_rows()
    training.send(signal.SIGHUP)
    training.end()
    check(training.step() >= 2 and training.count("SIGHUP: the run stops") == 1, training.text())
    # A limit on its time that it reaches while it trains; further signals follow each second.
    training.begin(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (2, 100)))
    training.end()
    check(training.count("stopped by SIGXCPU") == 1, training.text())


def ignored_signals(training):
    """nohup"""
    training.begin(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)).wait_for_rows()
    training.send(signal.SIGHUP)
    training.wait_for_rows(len(training.rows()) + 3)
    training.send(signal.SIGTERM)
    training.end()
    check(training.count("stopped by SIGTERM") == 1, training.text())


def nobody_listens(training):
    """Pipes that nobody reads, a full disk, closed descriptors: the run ends as it was told to, and files are none the worse"""
    steps = 0

    def run(**options):
        nonlocal steps
        steps += 4
        training.begin("--stop-after", f"{steps}steps", **options)
        if "stdout" in options and options["stdout"] == subprocess.PIPE:
            training.process.stdout.close()
        training.end(0)
        check(training.step() == steps, f"{training.step()} of {steps} steps")

    run(stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with open("/dev/full", "w") as full:
        run(stdout=full, stderr=full)
    run(stdout=None, stderr=None, preexec_fn=lambda: os.closerange(0, 3))
    check(len(training.rows()) == steps and all(row[0].isdigit() for row in training.rows()), training.csv.read_text())


def terminal_goes(training):
    """A terminal that goes away, without a word"""
    master, slave = pty.openpty()
    training.begin(stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    training.wait_for_rows()
    os.close(master)
    training.wait_for_rows(len(training.rows()) + 5)
    training.send(signal.SIGUSR1)
    training.end()


def slow_write(training):
    """USR1, later CONT and TERM, as SLURM sends them, while a checkpoint is written"""
    begun = training.root / "begun"
    training.begin(variables={"LD_PRELOAD": training.programs.slow_sync, "SLOW_SYNC_SECONDS": "3", "SLOW_SYNC_BEGUN": str(begun)}).wait_for_rows()
    training.send(signal.SIGUSR1)
    wait_for(begun.exists, "the checkpoint")
    time.sleep(1.2)
    training.send(signal.SIGCONT, signal.SIGTERM)
    time.sleep(1.2)
    training.send(signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP)
    training.end()
    check(training.step() >= 2 and training.count("stopped by SIGUSR1") == 1, training.text())


def notes_signals(process, number):
    """Whether a process holds a signal back or has a handler for it: before that, the loader is at work, and nobody can help."""
    try:
        lines = pathlib.Path(f"/proc/{process}/status").read_text().splitlines()
    except FileNotFoundError:
        return False
    return any(int(line.split()[1], 16) >> (number - 1) & 1 for line in lines if line.startswith(("SigBlk", "SigCgt")))


def random_moments(training):
    """USR1, from the first moment on and until the end"""
    chance = random.Random(1)
    reached = 0
    for number in range(training.programs.signals):
        training.begin()
        wait_for(lambda: notes_signals(training.process.pid, signal.SIGUSR1), "the program")
        time.sleep(chance.choice([0, chance.uniform(0, 0.3), chance.uniform(0, 1.5)]))
        while training.process.poll() is None:
            training.send(signal.SIGUSR1)
            time.sleep(chance.uniform(0, 0.2))
        training.end()
        check(training.step() > reached, f"signal {number}: step {training.step()} after {reached}")
        reached = training.step()


def folder_goes(training):
    """The log folder renamed, then removed, on two ranks; a CSV removed"""
    training.begin("--set", "logging.all_ranks=true", ranks=2).wait_for_rows()
    kept = training.root / "kept"
    training.folder.rename(kept)
    other = training.folder / "run_r1.csv"
    training.wait_for_rows(2)
    training.wait_for_rows(2, other)
    check(training.count("made again") == 1 and training.count("begun anew") == 0, training.text())
    # In one move, since the ranks go on writing.
    gone = training.root / "gone"
    training.folder.rename(gone)
    shutil.rmtree(gone)
    training.wait_for_rows(2)
    training.wait_for_rows(2, other)
    check(training.count("made again") == 2 and training.count("begun anew") == 0, training.text())
    for number, path in enumerate((training.csv, other), 1):
        path.unlink()
        training.wait_for_rows(2, path)
        check(path.read_text().startswith("epoch,itr,"), path.read_text())
        check(training.count("begun anew") == number and training.count(f"{path.name}: was removed") == 1, training.text())
    for name in ("run.lock", "params-paws_train.yaml", "run_r1.jsonl", "run_tensorboard/r0"):
        check((training.folder / name).exists(), f"no {name}")
    training.send(signal.SIGUSR1)
    training.end()
    check(training.step() >= 2, "no checkpoint")
    check(len(training.rows(kept / "run_r0.csv")) >= 2, "the old log is gone")


def plain_lines(training):
    """A terminal that cannot draw lines again, or is too narrow for them"""
    for kind, columns in (("dumb", 200), ("xterm", 30), ("xterm", 200)):
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        training.begin("--resume", "never", "--stop-after", "8steps", stdout=slave, stderr=slave, variables={"TERM": kind})
        os.close(slave)
        text = b""
        try:
            while part := os.read(master, 4096):
                text += part
        except OSError:
            pass  # the end of a terminal
        os.close(master)
        training.end(0)
        check(b"epoch 1/" in text, text)
        is_drawn = b"\x1b" in text or b"\r" in text.replace(b"\r\n", b"")
        check(is_drawn == (kind == "xterm" and columns == 200), f"{kind}, {columns} columns: {text}")


def too_little(training):
    """Limits on address space and data, on one rank and two: one line, exit code 2"""
    def run(kind, mebibytes, *arguments, ranks=1):
        training.said.unlink(missing_ok=True)
        training.begin(*arguments, ranks=ranks, preexec_fn=lambda: resource.setrlimit(kind, (mebibytes << 20, mebibytes << 20)))
        training.end(2)
        lines = [line for line in training.text().splitlines() if line.startswith("paws_hpc: ")]
        check(len(lines) == 1 and all(words in lines[0] for words in ("limited to", "GiB", "need", "raise the limit")), training.text())
        check(not training.folder.exists(), "it has begun")

    for mebibytes in (620, 1000, 1200):
        run(resource.RLIMIT_AS, mebibytes)
    run(resource.RLIMIT_DATA, 150)
    run(resource.RLIMIT_AS, 640, ranks=2)
    # A step that needs more than there is.
    run(resource.RLIMIT_AS, 4000, "--set", "criterion.unsupervised_batch_size=40000")


def too_few_files(training):
    """A limit on open files: one line, exit code 2"""
    training.begin(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24)))
    training.end(2)
    check(training.text().count("\n") == 1 and "ulimit -n" in training.text(), training.text())


def too_few_threads(training):
    """A limit on processes, which root does not know: one line, exit code 2"""
    nobody = 65534
    program = shutil.copy(training.programs.paws_hpc, training.root)
    for folder in (training.root.parent, training.root):
        folder.chmod(0o755)

    def limit():
        resource.setrlimit(resource.RLIMIT_NPROC, (4, 4))
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(nobody)
            os.setuid(nobody)

    done = subprocess.run([program, "--version"], preexec_fn=limit, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE)
    check(done.returncode == 2 and done.stdout.count("\n") == 1 and "threads are needed to start" in done.stdout and "ulimit -u" in done.stdout,
          f"exit code {done.returncode}:\n{done.stdout}")


CASES = (random_moments, folder_goes, too_little, slow_write, stop_signals, plain_lines, nobody_listens, ignored_signals, terminal_goes, too_few_threads, too_few_files)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paws-hpc", required=True, type=os.path.realpath)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--slow-sync", required=True, type=os.path.abspath)
    parser.add_argument("--signals", type=int, default=8)
    parser.add_argument("--only", default="", help="cases whose names contain this")
    programs = parser.parse_args()
    cases = [case for case in CASES if programs.only in case.__name__]
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        subprocess.run([programs.paws_hpc, "pack", "--format", "cifar10", "--input", programs.data / "cifar-10-batches-py", "--output", root / "data.h5"], check=True,
                       stdout=subprocess.DEVNULL)

        def run(case):
            start = time.monotonic()
            try:
                case(Training(programs, root, case.__name__))
                print(f"right: {case.__name__}, {time.monotonic() - start:.1f} s", flush=True)
                return True
            except Exception:
                print(f"WRONG: {case.__name__}: {traceback.format_exc()}", flush=True)
                return False

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            right = list(pool.map(run, cases))
    sys.exit(not all(right) or not right)


if __name__ == "__main__":
    main()

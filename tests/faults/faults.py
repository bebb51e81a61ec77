#!/usr/bin/env python3
"""Makes ranks fail, each in its own way, and checks how the others end: within the deadline, with one line that names
rank, host and cause, an exit code that is not zero, and no file half-written.

usage: faults.py --fault-rank PROGRAM --paws-hpc PROGRAM --broken-disk LIBRARY [--repeat 20] [--only PART] [--everything]"""
import argparse
import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HOST = socket.gethostname()
TIMEOUT = 2.0  # the deadline that the ranks are given, in seconds
SLACK = 6.0  # for starting, noticing and ending, on a machine that has other things to do


class Wrong(Exception):
    pass


def check(condition, message):
    if not condition:
        raise Wrong(message)


def environment():
    # What this process may have from an MPI of its own would make the ranks a part of that.
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    return kept | {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMP_NUM_THREADS": "1"}


def is_alive(process):
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


class Run:
    """Ranks under mpirun: one command line for all, or one for each."""

    def __init__(self, folder, commands, ranks, variables=()):
        self.folder, self.ranks = folder, ranks
        line = ["mpirun", "--oversubscribe"]
        if len(commands) == 1:
            line += ["-n", str(ranks), *commands[0]]
        else:
            for number, command in enumerate(commands):
                line += ([":"] if number else []) + ["-n", "1", *command]
        self.error = tempfile.TemporaryFile("w+")
        self.start = time.monotonic()
        self.mpirun = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=self.error,
                                       env=environment() | {name: str(value) for name, value in dict(variables).items()})

    def processes(self):
        """Waits until all ranks are at work."""
        names = [os.path.join(self.folder, f"alive-{rank}") for rank in range(self.ranks)]
        while not all(os.path.exists(name) and os.path.getsize(name) for name in names):
            check(self.mpirun.poll() is None, "mpirun ended before the ranks were at work:\n" + self.errors())
            check(time.monotonic() - self.start < 60, "the ranks do not begin")
            time.sleep(0.02)
        return [int(open(name).read()) for name in names]

    def errors(self):
        self.error.seek(0)
        return self.error.read()

    def lines(self):
        return [line for line in self.errors().splitlines() if "paws_hpc: " in line]

    def finish(self, seconds):
        """The exit code; when the line was there, and when mpirun had ended."""
        said = None
        end = time.monotonic() + seconds
        while self.mpirun.poll() is None:
            if time.monotonic() > end:
                self.mpirun.kill()
                raise Wrong(f"still running after {seconds} s:\n" + self.errors())
            if said is None and self.lines():
                said = time.monotonic()
            time.sleep(0.01)
        ended = time.monotonic()
        return self.mpirun.returncode, said or ended, ended


def check_end(run, processes, since, seconds, pattern, code=None, killed=()):
    exit_code, said, ended = run.finish(seconds)
    lines = run.lines()
    shown = run.errors()
    check(exit_code != 0, f"exit code 0:\n{shown}")
    check(code is None or exit_code == code, f"exit code {exit_code}, not {code}:\n{shown}")
    check(len(lines) == 1, f"{len(lines)} lines of ours:\n{shown}")
    check(re.fullmatch(f"paws_hpc: ({pattern})", lines[0]), f"not what was expected ({pattern}):\n{lines[0]}")
    end = time.monotonic() + 1
    while any(map(is_alive, processes)) and time.monotonic() < end:
        time.sleep(0.01)
    check(not any(map(is_alive, processes)), "a rank is still alive")
    for rank in range(len(processes)):
        target = os.path.join(run.folder, f"target-{rank}")
        check(open(target).read() == "as it was before", f"{target} was touched")
        left = glob.glob(target + ".partial-*")
        # Nobody but itself could remove what a killed process was writing; the next one that writes it does.
        check(rank in killed or not left, f"left over: {left}")
    return said - since, ended - since


def of_rank(rank, text):
    return f"rank {rank} on {re.escape(HOST)}: {text}"


LOST = "ended without a word.*"
SILENT = "gave no sign of life.*"


def by_signal(name, number, deadline, text, code=None):
    def case(programs, folder, ranks, victim):
        run = Run(folder, [[programs.fault_rank, folder, "--timeout", str(TIMEOUT)]], ranks)
        processes = run.processes()
        time.sleep(0.1)
        since = time.monotonic()
        os.kill(processes[victim], number)
        killed = (victim,) if number != signal.SIGTERM else ()
        return check_end(run, processes, since, deadline, of_rank(victim, text), code, killed)

    return name, case


def by_itself(failure, text, code=None, deadline=SLACK, killed=False, whom=of_rank):
    def case(programs, folder, ranks, victim):
        run = Run(folder, [[programs.fault_rank, folder, "--timeout", str(TIMEOUT), "--rank", str(victim), "--failure",
                            failure, "--step", "50"]], ranks)
        processes = run.processes() if failure != "agreed" else []
        return check_end(run, processes, time.monotonic(), deadline, whom(victim, text), code,
                         (victim,) if killed is True else killed or ())

    return failure, case


def two_at_once(name, number, deadline, text):
    """Rank 0, to whom all report, and rank 1, who would take its place."""
    def case(programs, folder, ranks, victim):
        run = Run(folder, [[programs.fault_rank, folder, "--timeout", str(TIMEOUT)]], 3)
        processes = run.processes()
        since = time.monotonic()
        # Stopped first, so that neither has time to speak of the other.
        for sent in (signal.SIGSTOP, number):
            for process in processes[:2]:
                os.kill(process, sent)
        return check_end(run, processes, since, deadline, of_rank(0, text), None, (0, 1))

    return name, case


def suspended(programs, folder, ranks, victim):
    """A job system that stops all ranks and lets them go on later does no harm; nor does one rank stopped for a moment."""
    run = Run(folder, [[programs.fault_rank, folder, "--timeout", str(TIMEOUT), "--steps", "500"]], ranks)
    processes = run.processes()
    for stopped, seconds in ((processes, 2 * TIMEOUT), ([processes[victim]], TIMEOUT / 4)):
        for process in stopped:
            os.kill(process, signal.SIGSTOP)
        time.sleep(seconds)
        for process in stopped:
            os.kill(process, signal.SIGCONT)
        time.sleep(0.1)
    since = time.monotonic()
    code, _, ended = run.finish(SLACK + 10)
    check(code == 0 and not run.lines(), f"exit code {code}:\n{run.errors()}")
    return ended - since, ended - since


def other_version(programs, folder, ranks, victim):
    lines = [[programs.fault_rank, folder] for _ in range(ranks)]
    lines[victim] += ["--version-text", "fault_rank 2"]
    run = Run(folder, lines, ranks)
    other = victim or 1
    return check_end(run, [], run.start, SLACK + 4,
                     of_rank(other, f"it runs fault_rank .*, but rank 0 on {re.escape(HOST)} runs fault_rank .*"), 2)


def configured(programs, folder, ranks, change, variables=()):
    """paws_hpc on small data; `change(lines, configuration)` makes the ranks' command lines differ."""
    for name in ("data.h5", "other.h5", "labelled.txt", "small.yaml"):
        shutil.copy(os.path.join(programs.small_run, name), folder)
    config = os.path.join(folder, "small.yaml")
    lines = [[programs.paws_hpc, config, "--set", f"data.file={folder}/data.h5", "--set",
              f"data.subset={folder}/labelled.txt", "--set", f"logging.folder={folder}/run"] for _ in range(ranks)]
    change(lines, folder)
    return Run(folder, lines, ranks, variables)


def check_refused(run, pattern):
    took = check_end(run, [], run.start, SLACK + 8, pattern, 2)
    check(not os.path.exists(os.path.join(run.folder, "run")), "the run has begun to write")
    return took


def other_yaml(programs, folder, ranks, victim):
    run = configured(programs, folder, ranks,
                     lambda lines, _: lines[victim].extend(["--set", "optimization.lr=0.25", "--set", "meta.seed=7"]))
    return check_refused(run, of_rank(victim or 1, ".*settings differ.*meta.seed, optimization.lr.*"))


def corrupt_yaml(programs, folder, ranks, victim):
    run = configured(programs, folder, ranks,
                     lambda lines, _: lines[victim].extend(["--set", "optimization.learning=0.25"]))
    return check_refused(run, of_rank(victim, ".*optimization.learning.*"))


def missing_yaml(programs, folder, ranks, victim):
    def change(lines, _):
        lines[victim][1] = "/nowhere/small.yaml"

    return check_refused(configured(programs, folder, ranks, change), of_rank(victim, ".*/nowhere/small.yaml.*"))


def corrupt_yaml_everywhere(programs, folder, ranks, victim):
    def change(lines, _):
        for line in lines:
            line += ["--set", "optimization.learning=0.25"]

    return check_refused(configured(programs, folder, ranks, change), "(?!rank ).*optimization.learning.*")


def other_data(programs, folder, ranks, victim):
    def change(lines, _):
        for rank, line in enumerate(lines):
            own = os.path.join(folder, f"node-{rank}")
            os.mkdir(own)
            shutil.copy(os.path.join(folder, "other.h5" if rank == victim else "data.h5"),
                        os.path.join(own, "data.h5"))
            line[:] = ["-wdir", own, *line, "--set", "data.file=data.h5"]

    return check_refused(configured(programs, folder, ranks, change),
                         of_rank(victim or 1, "data.h5 is [0-9]+ bytes, checksum .*, but [0-9]+ bytes, checksum .*"))


def missing_data(programs, folder, ranks, victim):
    def change(lines, _):
        for rank, line in enumerate(lines):
            own = os.path.join(folder, f"node-{rank}")
            os.mkdir(own)
            if rank != victim:
                shutil.copy(os.path.join(folder, "data.h5"), own)
            line[:] = ["-wdir", own, *line, "--set", "data.file=data.h5"]

    return check_refused(configured(programs, folder, ranks, change), of_rank(victim, "data.h5: there is no such file.*"))


def other_command(programs, folder, ranks, victim):
    def change(lines, _):
        lines[victim] = [programs.paws_hpc, "inspect", f"{folder}/data.h5"]

    return check_refused(configured(programs, folder, ranks, change),
                         of_rank(victim or 1, "its command line differs from that of rank 0.*"))


def bad_option(programs, folder, ranks, victim):
    run = configured(programs, folder, ranks, lambda lines, _: lines[victim].append("--nonsense"))
    return check_refused(run, of_rank(victim, ".*--nonsense.*"))


def not_finite(programs, folder, ranks, victim):
    """What all ranks find; their images are in a file by then."""
    def change(lines, _):
        for line in lines:
            line += [f"--set=optimization.{key}" for key in ("lr=1e30", "start_lr=1e30", "use_lars=false")]

    run = configured(programs, folder, ranks, change)
    took = check_end(run, [], run.start, SLACK + 14, "(?!rank )the (loss|gradient) is NaN or infinite.*", 1)
    files = glob.glob(os.path.join(folder, "run", "*-bad-step.json"))
    check(len(files) == 1, "no file of the step")
    check(len(json.load(open(files[0]))["ranks"]) == ranks, "images of some ranks are missing")
    return took


def broken_disk(after):
    """One rank alone cannot write, while all write one HDF5 file together."""
    def case(programs, folder, ranks, victim):
        pictures = os.path.join(os.path.dirname(__file__), "..", "inputs", "pictures")
        for name in [f"{kind}/{number}.jpg" for kind in ("cat", "dog") for number in range(12)]:
            target = os.path.join(folder, "pets/train", name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(os.path.join(pictures, "baseline_420.jpg"), target)

        def change(lines, _):
            for line in lines:
                line += [f"--set={text}" for text in (
                    f"meta.comm_timeout={TIMEOUT}", "data.dataset=folder", "data.file=null", "data.subset=null", "data.unlabeled_frac=0",
                    f"data.root_path={folder}/", "data.image_folder=pets/", "logging.eval_every=0", "criterion.classes_per_batch=2")]

        run = configured(programs, folder, ranks, change, {"LD_PRELOAD": programs.broken_disk, "BROKEN_RANK": victim, "BROKEN_FILE": "pets.h5",
                                                           "BROKEN_AFTER": after})
        # HDF5 may keep a failure of its own writing to itself, with all ranks in one call: it is over after a while.
        said = of_rank(victim, ".*pets.h5: cannot be written .*") + "|(?!rank ).*pets.h5: cannot be written .*|.*pets.h5: to write it together takes .*"
        took = check_end(run, [], run.start, 10 * TIMEOUT + SLACK + 12, said)
        check(sorted(os.listdir(folder)) == ["data.h5", "labelled.txt", "other.h5", "pets", "small.yaml"], f"left over: {os.listdir(folder)}")
        return took

    return f"broken disk {after}", case


CASES = dict([
    by_itself("throw", "planned failure", 1),
    by_itself("bad-input", "/some/file: planned bad input", 2),
    by_itself("agreed", "/some/file: planned bad input", 2, SLACK + 4),
    by_itself("thread", "planned failure of a thread", 1),
    by_itself("exit", LOST, killed=True),
    by_itself("abort", LOST, killed=True),
    by_itself("long", "planned failure …{1000,}", 1),
    by_itself("with the first", "planned failure", killed=(0,)),
    by_itself("stuck", ".*MPI_Iallreduce: the other ranks did not answer within.*", 1, 10 * TIMEOUT + SLACK,
              whom=lambda victim, text: text),
    by_signal("kill", signal.SIGKILL, SLACK, LOST),
    by_signal("stop", signal.SIGSTOP, TIMEOUT + SLACK, SILENT),
    by_signal("terminate", signal.SIGTERM, SLACK, "ended by SIGTERM.*"),
    two_at_once("two killed", signal.SIGKILL, SLACK, LOST),
    two_at_once("two stopped", signal.SIGSTOP, 2 * TIMEOUT + SLACK, SILENT),
    ("suspended", suspended),
    ("other version", other_version),
    ("other YAML", other_yaml),
    ("corrupt YAML", corrupt_yaml),
    ("corrupt YAML everywhere", corrupt_yaml_everywhere),
    ("missing YAML", missing_yaml),
    ("other data", other_data),
    ("missing data", missing_data),
    ("other command", other_command),
    ("bad option", bad_option),
    ("not finite", not_finite),
    broken_disk(0),
    broken_disk(1),
])


# What every rank of every world is tried with, and what needs half a minute.
ALWAYS = ("throw", "kill", "stop")
SLOW = ("stuck",)
# What can only happen to some.
PLACES = {"two killed": [(3, 0)], "two stopped": [(3, 0)], "with the first": [(2, 1)], "not finite": [(2, 1)],
          "broken disk 0": [(2, 0), (2, 1), (3, 2)], "broken disk 1": [(2, 1)]}


def plan(everything, names):
    """Pairs of a case, and of the number of ranks and the one that fails."""
    places = [(2, 0), (3, 2), (2, 1), (3, 0), (3, 1)]
    for number, name in enumerate(names):
        if name in PLACES:
            chosen = PLACES[name]
        elif everything and name not in SLOW:
            chosen = places
        elif name in ALWAYS:
            chosen = places[:4]
        else:
            chosen = [places[number % 4]]
        for place in chosen:
            yield name, place


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fault-rank", required=True, type=os.path.abspath)
    parser.add_argument("--paws-hpc", required=True, type=os.path.abspath)
    parser.add_argument("--broken-disk", required=True, type=os.path.abspath)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--only", help="cases whose names contain this; several, separated by commas")
    parser.add_argument("--everything", action="store_true", help="every case on every rank of two and of three")
    programs = parser.parse_args()
    wanted = programs.only.split(",") if programs.only else [""]
    names = [name for name in CASES if any(part in name for part in wanted)]
    times = {name: [] for name in names}
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="paws-faults-") as folder:
        programs.small_run = os.path.join(folder, "small")
        os.mkdir(programs.small_run)
        subprocess.run([programs.fault_rank, programs.small_run, "--make-small-run"], check=True, env=environment())
        for repetition in range(programs.repeat):
            for name, (ranks, victim) in plan(programs.everything, names):
                own = tempfile.mkdtemp(dir=folder)
                try:
                    times[name].append(CASES[name](programs, own, ranks, victim))
                except Wrong as error:
                    wrong += 1
                    print(f"WRONG: {name}, rank {victim} of {ranks}, repetition {repetition}: {error}", flush=True)
                shutil.rmtree(own, ignore_errors=True)
    print(f"{'seconds, median and longest':28}    times    until the line    until all had ended")
    for name, values in times.items():
        if values:
            said, ended = (sorted(of) for of in zip(*values))
            middle = len(values) // 2
            print(f"{name:28} {len(values):8} {said[middle]:9.2f} {said[-1]:6.2f}    {ended[middle]:9.2f} {ended[-1]:6.2f}")
    right = sum(map(len, times.values()))
    print(f"{right} right, {wrong} wrong")
    sys.exit(wrong != 0 or not right)


if __name__ == "__main__":
    main()

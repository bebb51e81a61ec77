#!/usr/bin/env python3
"""Makes ranks fail, each in its own way, and checks how the others end: within the deadline, with one line that names
rank, host and cause, an exit code that is not zero, and no file half-written.

usage: faults.py --fault-rank PROGRAM --paws-hpc PROGRAM [--repeat 20] [--only PART] [--ranks 2 3]"""
import argparse
import glob
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

    def __init__(self, folder, commands, ranks):
        self.folder, self.ranks = folder, ranks
        line = ["mpirun", "--oversubscribe"]
        if len(commands) == 1:
            line += ["-n", str(ranks), *commands[0]]
        else:
            for number, command in enumerate(commands):
                line += ([":"] if number else []) + ["-n", "1", *command]
        self.error = tempfile.TemporaryFile("w+")
        self.start = time.monotonic()
        self.mpirun = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=self.error, env=environment())

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

    def finish(self, seconds):
        """The exit code and our lines on stderr."""
        try:
            code = self.mpirun.wait(seconds)
        except subprocess.TimeoutExpired:
            self.mpirun.kill()
            raise Wrong(f"still running after {seconds} s:\n" + self.errors())
        return code, [line for line in self.errors().splitlines() if "paws_hpc: " in line]


def check_end(run, processes, since, seconds, pattern, code=None, killed=()):
    ended, lines = run.finish(seconds)
    took = time.monotonic() - since
    shown = run.errors()
    check(ended != 0, f"exit code 0:\n{shown}")
    check(code is None or ended == code, f"exit code {ended}, not {code}:\n{shown}")
    check(len(lines) == 1, f"{len(lines)} lines of ours:\n{shown}")
    check(re.fullmatch("paws_hpc: " + pattern, lines[0]), f"not what was expected ({pattern}):\n{lines[0]}")
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
    return took


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


def by_itself(failure, text, code=None, deadline=SLACK, killed=False, whom=of_rank, timeout=TIMEOUT):
    def case(programs, folder, ranks, victim):
        run = Run(folder, [[programs.fault_rank, folder, "--timeout", str(timeout), "--rank", str(victim), "--failure",
                            failure, "--step", "50"]], ranks)
        processes = run.processes() if failure != "agreed" else []
        return check_end(run, processes, time.monotonic(), deadline, whom(victim, text), code,
                         (victim,) if killed else ())

    return failure, case


def other_version(programs, folder, ranks, victim):
    lines = [[programs.fault_rank, folder] for _ in range(ranks)]
    lines[victim] += ["--version-text", "fault_rank 2"]
    run = Run(folder, lines, ranks)
    other = victim or 1
    return check_end(run, [], time.monotonic(), SLACK + 4,
                     of_rank(other, f"it runs fault_rank .*, but rank 0 on {re.escape(HOST)} runs fault_rank .*"), 2)


def configured(programs, folder, ranks, change):
    """paws_hpc on small data; `change(lines, configuration)` makes the ranks' command lines differ."""
    for name in ("data.h5", "other.h5", "labelled.txt", "small.yaml"):
        shutil.copy(os.path.join(programs.small_run, name), folder)
    config = os.path.join(folder, "small.yaml")
    lines = [[programs.paws_hpc, config, "--set", f"data.file={folder}/data.h5", "--set",
              f"data.subset={folder}/labelled.txt", "--set", f"logging.folder={folder}/run"] for _ in range(ranks)]
    change(lines, folder)
    return Run(folder, lines, ranks)


def check_refused(run, pattern):
    took = check_end(run, [], time.monotonic(), SLACK + 8, pattern, 2)
    check(not os.path.exists(os.path.join(run.folder, "run")), "the run has begun to write")
    return took


def other_yaml(programs, folder, ranks, victim):
    run = configured(programs, folder, ranks,
                     lambda lines, _: lines[victim].extend(["--set", "optimization.lr=0.25", "--set", "meta.seed=7"]))
    return check_refused(run, of_rank(victim or 1, ".*settings differ.*meta.seed, optimization.lr.*"))


def broken_yaml(programs, folder, ranks, victim):
    run = configured(programs, folder, ranks,
                     lambda lines, _: lines[victim].extend(["--set", "optimization.learning=0.25"]))
    return check_refused(run, of_rank(victim, ".*optimization.learning.*"))


def missing_yaml(programs, folder, ranks, victim):
    def change(lines, _):
        lines[victim][1] = "/nowhere/small.yaml"

    return check_refused(configured(programs, folder, ranks, change), of_rank(victim, ".*/nowhere/small.yaml.*"))


def broken_yaml_everywhere(programs, folder, ranks, victim):
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


CASES = dict([
    by_itself("throw", "planned failure", 1),
    by_itself("bad-input", "/some/file: planned bad input", 2),
    by_itself("agreed", "/some/file: planned bad input", 2, SLACK + 4),
    by_itself("thread", "planned failure of a thread", 1),
    by_itself("exit", LOST, killed=True),
    by_itself("abort", LOST, killed=True),
    by_itself("stuck", ".*MPI_Iallreduce: the other ranks did not answer within.*", 1, 10 + SLACK,
              whom=lambda victim, text: text, timeout=1),
    by_signal("kill", signal.SIGKILL, SLACK, LOST),
    by_signal("stop", signal.SIGSTOP, TIMEOUT + SLACK, SILENT),
    by_signal("terminate", signal.SIGTERM, SLACK, "ended by SIGTERM.*"),
    ("other version", other_version),
    ("other YAML", other_yaml),
    ("broken YAML", broken_yaml),
    ("broken YAML everywhere", broken_yaml_everywhere),
    ("missing YAML", missing_yaml),
    ("other data", other_data),
    ("missing data", missing_data),
    ("other command", other_command),
    ("bad option", bad_option),
])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fault-rank", required=True)
    parser.add_argument("--paws-hpc", required=True)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--only", help="cases whose names contain this; several, separated by commas")
    parser.add_argument("--ranks", type=int, nargs="+", default=[2, 3])
    programs = parser.parse_args()
    wanted = programs.only.split(",") if programs.only else [""]
    times = {}
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="paws-faults-") as folder:
        programs.small_run = os.path.join(folder, "small")
        os.mkdir(programs.small_run)
        subprocess.run([programs.fault_rank, programs.small_run, "--make-small-run"], check=True, env=environment())
        for repetition in range(programs.repeat):
            for ranks in programs.ranks:
                for victim in (0, ranks - 1):
                    for name, case in CASES.items():
                        if not any(part in name for part in wanted):
                            continue
                        own = tempfile.mkdtemp(dir=folder)
                        try:
                            took = case(programs, own, ranks, victim)
                            times.setdefault(name, []).append(took)
                        except Wrong as error:
                            wrong += 1
                            print(f"WRONG: {name}, rank {victim} of {ranks}, repetition {repetition}: {error}", flush=True)
                        shutil.rmtree(own, ignore_errors=True)
    for name, values in times.items():
        print(f"{name:24} {len(values):4} times, ended after {sorted(values)[len(values) // 2]:5.2f} s (median), "
              f"{max(values):5.2f} s (longest)")
    print(f"{sum(map(len, times.values()))} right, {wrong} wrong")
    sys.exit(wrong != 0 or not times)


if __name__ == "__main__":
    main()

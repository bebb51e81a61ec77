"""How ranks are started: mpirun here, srun in a job, and as processes that do not know of each other."""

import contextlib
import os
import shlex
import signal
import subprocess
from pathlib import Path

from study.errors import Failed, Refused
from study.machine import cores

ROOT = Path(__file__).resolve().parent.parent.parent


def program():
    """The command of paws_hpc: PAWS_SCALING_PROGRAM, as jobs/scaling_study.sbatch sets it, or the newest that is built or installed."""
    if os.environ.get("PAWS_SCALING_PROGRAM"):
        return shlex.split(os.environ["PAWS_SCALING_PROGRAM"])
    # Built in place, or installed with these files.
    found = [*ROOT.glob("build/*/paws_hpc"), *(path for path in [ROOT.parent.parent / "bin/paws_hpc"] if path.exists())]
    built = sorted(found, key=lambda path: path.stat().st_mtime)
    if not built:
        raise Refused(f"there is no paws_hpc in {ROOT}/build; ./bootstrap build makes it, or PAWS_SCALING_PROGRAM names it")
    return [str(built[-1])]


def beside_program(*parts):
    """A file of the build that has paws_hpc, or None."""
    path = Path(program()[-1]).resolve().parent.joinpath(*parts)
    return path if path.exists() else None


def environment(threads):
    settings = {**os.environ, "OMP_NUM_THREADS": str(threads), "OMP_PROC_BIND": "false"}
    if os.geteuid() == 0:
        settings.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    return settings


def delay_variables(delay):
    library = beside_program("perf", "libdelay_messages.so")
    if library is None:
        raise Refused("delays: there is no perf/libdelay_messages.so beside paws_hpc; build its target delay_messages, or leave delays out")
    return {"LD_PRELOAD": str(library), "PAWS_DELAY_LATENCY_US": f"{delay.latency_us:g}", "PAWS_DELAY_MB_PER_S": f"{delay.mb_per_s:g}"}


def command_of_ranks(ranks, nodes, threads, variables):
    """What comes before the program's name."""
    if os.environ.get("PAWS_SCALING_LAUNCH"):
        exported = ["--export=" + ",".join(["ALL"] + [f"{key}={value}" for key, value in variables.items()])] if variables else []
        return shlex.split(os.environ["PAWS_SCALING_LAUNCH"]) + [f"--nodes={nodes}", f"--ntasks={ranks}"] + exported
    if nodes > 1:
        raise Refused(f"nodes: {nodes} nodes need a job of SLURM: perf/scaling submit")
    fits = ranks * threads <= cores()
    binding = ["--bind-to", "core", "--map-by", f"slot:PE={threads}"] if fits else ["--bind-to", "none"]
    exported = [part for key, value in variables.items() for part in ("-x", f"{key}={value}")]
    return ["mpirun", "--oversubscribe", *binding, *exported, "-n", str(ranks)]


def commands(run, study, configurations):
    """[(command, folder of its output)]: one, or one for each rank that is apart."""
    if run.apart:
        places = sorted(os.sched_getaffinity(0))
        found = []
        for number, path in enumerate(configurations):
            # More ranks than cores take turns on them.
            mine = (number * study.threads + thread for thread in range(study.threads))
            place = ",".join(sorted({str(places[core % len(places)]) for core in mine}))
            found.append(["taskset", "-c", place] + program() + [str(path)])
        return found
    if run.ranks == 1 and not os.environ.get("PAWS_SCALING_LAUNCH"):
        place = ",".join(str(core) for core in sorted(os.sched_getaffinity(0))[:study.threads])
        return [["taskset", "-c", place] + program() + [str(configurations[0])]]
    variables = {} if run.delay.is_none else delay_variables(run.delay)
    return [command_of_ranks(run.ranks, run.nodes, study.threads, variables) + program() + [str(configurations[0])]]


def last_line(path):
    lines = [line for line in Path(path).read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it wrote nothing"


def end(processes):
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextlib.contextmanager
def interrupted_afterwards():
    """An interruption comes at the end: in the middle of a start, nobody would end what was started."""
    told = []
    before = signal.signal(signal.SIGINT, lambda number, frame: told.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if told:
        raise KeyboardInterrupt


def execute(run_commands, logs, threads, minutes):
    """Starts all at once and waits for them. Throws Failed, with the log's last line."""
    processes = []
    try:
        for command, log in zip(run_commands, logs):
            with open(log, "w") as file:
                try:
                    with interrupted_afterwards():
                        processes.append(subprocess.Popen(command, env=environment(threads), stdin=subprocess.DEVNULL, stdout=file,
                                                          stderr=subprocess.STDOUT, start_new_session=True))
                except OSError as error:
                    raise Failed(f"{command[0]}: {error.strerror}; is it installed?") from None
        for process, log in zip(processes, logs):
            try:
                code = process.wait(60 * minutes)
            except subprocess.TimeoutExpired:
                raise Failed(f"{log}: not done after {minutes:g} minutes; set minutes in the study, or fewer steps") from None
            if code != 0:
                raise Failed(f"{log}: exit code {code}: {last_line(log)}")
    finally:
        end(processes)

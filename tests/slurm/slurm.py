#!/usr/bin/env python3
"""Starts a SLURM of two nodes on this machine, submits the templates of jobs/ with small data, and checks what becomes of
them. Ends with 77 where SLURM is not installed, unless --required or PAWS_REQUIRE_SLURM=1 say that it must be.

usage: slurm.py --paws-hpc PROGRAM [--only STEP]... [--keep] [--required]"""
import argparse
import csv
import inspect
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import small_data
from cluster import Cluster, missing_packages, wait_for
from jobs import Jobs, Wrong, check, last_row, wait_for_step

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TEMPLATES = ("cifar10", "cpu", "evaluate", "imgnt_fine_tune", "imgnt_pretrain", "pack_imagenet", "scaling", "scaling_study")
TWO_NODES = ("--nodes", "2", "--tasks-per-node", "1", "--cpus-per-task", "2", "--mem", "500", "--time", "10")
RESUME_ME = 85
SKIPPED = 77


class Test:
    def __init__(self, cluster, folder, paws_hpc):
        self.cluster, self.folder, self.paws_hpc = cluster, folder, paws_hpc
        self.jobs = Jobs(cluster, SOURCE, folder)
        self.write("small.yaml", small_data.CONFIGURATION)
        self.write("site.sh", f"container=()\npaws_hpc={paws_hpc}\nmpi=pmix\nscratch={folder}/scratch\n")
        os.mkdir(f"{folder}/scratch")
        cluster.environment["PAWS_SITE"] = f"{folder}/site.sh"

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)

    def train(self, run, *options, template="cpu", size=TWO_NODES):
        return self.jobs.submit("--template", template, *size, "--fname", "small.yaml", "--set", f"logging.folder={run}", *options)

    def csv(self, run):
        return self.path(run, "small_r0.csv")

    def program(self, *arguments):
        return self.cluster.run(self.paws_hpc, *arguments, cwd=self.folder)

    def check_equal_to_uninterrupted(self, run):
        """Weights, statistics and momentum, bit for bit."""
        import h5py

        def arrays(name):
            found = {}
            with h5py.File(self.path(name, "small-latest.h5"), "r") as file:
                for group in ("encoder", "optimizer"):
                    file[group].visititems(lambda key, item, group=group: found.update(
                        {f"{group}/{key}": item[()].tobytes()} if isinstance(item, h5py.Dataset) else {}))
            return found

        expected, found = arrays("uninterrupted"), arrays(run)
        check(len(expected) > 20 and expected.keys() == found.keys(), f"{run}: other tensors than those of the uninterrupted run")
        different = [name for name in expected if expected[name] != found[name]]
        check(not different, f"{run}: {len(different)} of {len(expected)} tensors differ from the uninterrupted run: {different[:3]}")


def two_nodes(test):
    """Images packed by two ranks on two nodes, and training across them under srun --mpi=pmix"""
    small_data.write_images(test.path("images"))
    job = test.jobs.submit("--template", "pack_imagenet", *TWO_NODES, "--let", "INPUT=images", "--let", "OUTPUT=images.h5")
    test.jobs.complete(job)
    said = test.program("inspect", "images.h5")
    check(said.returncode == 0 and "train: 640 images" in said.stdout, f"inspect: {said.stdout}{said.stderr}\n{test.jobs.told(job)}")
    job = test.train("uninterrupted")
    test.jobs.complete(job)
    log = test.jobs.log(job)
    for words in ("ranks           2 on 2 nodes", f"job             SLURM {job}, partition batch, 2 nodes (n[1-2]), tasks per node 1(x2), 2 cores per task",
                  "epoch 4/4", "ended with exit code 0"):
        check(words in log, f"the log does not say '{words}':\n{log}")
    # Asked a moment after the start of ten minutes, rounded to whole ones.
    check("ends in 9 min" in log or "ends in 10 min" in log, f"the log does not say when the job ends:\n{log}")


def by_hand(test):
    """A template edited with its site.sh, and a container's line in that, as one does without jobs/submit"""
    place = test.path("by_hand")
    shutil.copytree(f"{SOURCE}/jobs", f"{place}/jobs")
    for name, changes in (
            ("site.sh", (("container=()", 'container=(env "CONTAINER=of $SLURM_JOB_ID")'), ("paws_hpc=", f"paws_hpc={test.paws_hpc}"))),
            ("cpu.sbatch", (("my_cpu_partition", "batch"), ("ntasks-per-node=2", "ntasks-per-node=1"), ("cpus-per-task=24", "cpus-per-task=2"),
                            ("CONFIG=configs/cifar10_hdf5.yaml", "CONFIG=../small.yaml"),
                            ("(--set meta.device=cpu)", "(--dry-run --set data.root_path=.. --set meta.device=cpu)"), ("mem=0", "mem=500")))):
        with open(f"{place}/jobs/{name}") as file:
            text = file.read()
        for old, new in changes:
            check(text.count(old) >= 1, f"jobs/{name} has no '{old}'")
            text = text.replace(old, new, 1)
        with open(f"{place}/jobs/{name}", "w") as file:
            file.write(text)
    environment = test.cluster.environment.copy()
    del environment["PAWS_SITE"]
    done = subprocess.run(["sbatch", "--parsable", "jobs/cpu.sbatch"], cwd=place, env=environment, capture_output=True, text=True)
    check(done.returncode == 0, done.stderr)
    job = done.stdout.strip()
    test.jobs.complete(job)
    with open(f"{place}/cpu-{job}.log") as file:
        log = file.read()
    check("2 on 2 nodes" in log and "2 nodes (n[1-2])" in log and "2 cores per task" in log, log)


def refused(test):
    """Templates and options that cannot run are refused in one line of words"""
    for options, words in (
            (("--partition", "nowhere"), "invalid partition.*sinfo -s"),
            (("--device", "volta32gb"), "(?i)invalid feature.*sinfo"),
            (("--nodes", "3"), "(?i)node.*sinfo"),
            (("--cpus-per-task", "9"), "(?i)(processors|node configuration).*sinfo"),
            (("--gpus-per-node", "3"), "(?i)node configuration.*sinfo"),
            (("--mem", "9000"), "(?i)(memory|node configuration).*sinfo"),
            (("--dependency", "afterok:pack"), "(?i)dependency.*afterok:JOB"),
            (("--time", "soon"), "--time.*'soon'.*minutes"),
            (("--nodes", "0"), "--nodes.*above 0"),
            (("--fname", "nowhere.yaml"), "nowhere.yaml: there is no such file"),
            (("--fname", "."), r"\.: is a folder"),
            (("--fname", "/dev/null"), "/dev/null: is not a regular file"),
            (("--fname", "small.yaml", "--batch-launch"), "small.yaml: not a list"),
            (("--template", "gpu"), "--template: there is no 'gpu'.*cifar10"),
            (("--let", "INPUT=x"), "no variable INPUT.*CONFIG"),
            (("--node", "3"), "--node")):
        done = test.jobs.try_submit("--template", "cpu", *TWO_NODES, *options)
        lines = done.stderr.splitlines()
        check(done.returncode == 2 and not done.stdout, f"{options}: exit code {done.returncode}, {done.stdout}{done.stderr}")
        check(len(lines) == 1 and re.search(words, lines[0]), f"{options}: {done.stderr}")
    check(not test.cluster.ask("squeue", "-h"), "a refused job was queued")
    # As they are, but for the cluster's names.
    for template in TEMPLATES:
        done = test.cluster.run("sbatch", f"{SOURCE}/jobs/{template}.sbatch", cwd=test.folder)
        check(done.returncode != 0 and "invalid partition" in done.stderr, f"{template}.sbatch unedited: {done.stdout}{done.stderr}")
        script = test.jobs.try_submit("--template", template, *TWO_NODES, "--device", "volta16gb", "--dry-run")
        done = test.cluster.run("sbatch", "--test-only", input=script.stdout)
        check(done.returncode == 0, f"{template}: {done.stderr}\n{script.stdout}{script.stderr}")


def bad_run(test):
    """What paws_hpc refuses, or MPI cannot start, ends the job at once with a line in the log"""
    job = test.train("bad", "--set", "optimization.epoch=4")
    test.jobs.fail(job, 2)
    lines = [line for line in test.jobs.log(job).splitlines() if line.startswith("paws_hpc: ")]
    check(len(lines) == 1 and "optimization.epochs" in lines[0], test.jobs.log(job))
    test.write("pmi2.sh", f"container=()\npaws_hpc={test.paws_hpc}\nmpi=pmi2\nscratch=\n")
    for site, code, words in (("nowhere.sh", 2, "nowhere.sh: there is no such file"), ("pmi2.sh", 1, "paws_hpc: MPI did not start: .*--mpi=pmix")):
        job = test.train("bad", "--sbatch", f"export=ALL,PAWS_SITE={test.path(site)}")
        test.jobs.fail(job, code)
        log = test.jobs.log(job)
        check(len(re.findall(words, log)) == 1, log)


def signalled(test):
    """SIGUSR1 to the ranks: checkpoint within an epoch, exit code 85, requeued, resumed, completed; equal to an uninterrupted run"""
    job = test.train("signalled")
    wait_for_step(test.csv("signalled"), 2, 10)
    test.cluster.run("scancel", "--signal=USR1", job)
    test.jobs.complete(job, restarts=1)
    log = test.jobs.log(job)
    for words in ("stopped with a checkpoint; requeued", "start 1,", "requeued 1×", "epoch 4/4"):
        check(words in log, f"the log does not say '{words}':\n{log}")
    check(log.count("epoch 1/4") == 1, f"the first epoch was done again:\n{log}")
    test.check_equal_to_uninterrupted("signalled")


def signalled_early(test):
    """SIGTERM to the ranks before paws_hpc has begun: queued again too"""
    test.write("early.sh", f"container=(bash -c '[ -n \"$SLURM_RESTART_COUNT\" ] || exec sleep 60; exec \"$@\"' -)\npaws_hpc={test.paws_hpc}\nmpi=pmix\nscratch=\n")
    job = test.train("early", "--set", "optimization.epochs=1", "--set", "optimization.warmup=0", "--sbatch", f"export=ALL,PAWS_SITE={test.path('early.sh')}")
    wait_for(lambda: "start 0" in test.jobs.log(job), 30, "the job does not start")
    time.sleep(2)
    test.cluster.run("scancel", "--signal=TERM", job)
    test.jobs.complete(job, restarts=1)
    check("stopped by a signal before it had begun (143); requeued" in test.jobs.log(job), test.jobs.told(job))


def preempted(test):
    """A job of higher priority takes the nodes: checkpoint in the time of grace, requeued, resumed, completed; equal"""
    job = test.train("preempted", "--partition", "low")
    wait_for_step(test.csv("preempted"), 2, 30)
    first = test.jobs.submit("--template", "cpu", *TWO_NODES, "--partition", "high", "--sbatch", "exclusive", "--fname", "small.yaml",
                             "--set", "logging.folder=first", "--", "--dry-run")
    test.jobs.complete(first)
    test.jobs.complete(job, restarts=1)
    check("stopped with a checkpoint" in test.jobs.log(job), test.jobs.told(job))
    test.check_equal_to_uninterrupted("preempted")


def node_lost(test):
    """A node goes DOWN: SLURM queues the job again, and it resumes from its last checkpoint; equal"""
    job = test.train("node_lost")
    wait_for_step(test.csv("node_lost"), 2, 20)
    test.jobs.scontrol("update", "nodename=n2", "state=down", "reason=test")
    wait_for(lambda: test.jobs.state(job)["JobState"] == "PENDING", 30, "the job of a lost node is not queued again")
    # It is up in truth, so that SLURM may have found it well again already.
    test.cluster.run("scontrol", "update", "nodename=n2", "state=resume")
    test.jobs.complete(job, restarts=1)
    check(re.search("resumed", test.jobs.log(job)), test.jobs.told(job))
    test.check_equal_to_uninterrupted("node_lost")


def node_killed(test):
    """A rank and its node's daemon are killed, which SLURM would notice in minutes only: requeued by the template, goes on; equal"""
    job = test.train("node_killed")
    wait_for_step(test.csv("node_killed"), 2, 20)
    ranks = test.jobs.processes_of_ranks(job, "n2")
    check(len(ranks) == 1, f"processes of ranks on n2: {ranks}")
    test.cluster.kill_node("n2")
    os.kill(ranks[0], signal.SIGKILL)
    wait_for(lambda: "a node no longer answers" in test.jobs.log(job), 60, f"the lost node is not noticed:\n{test.jobs.told(job)}")
    test.cluster.start_node("n2")
    test.jobs.complete(job, restarts=1)
    log = test.jobs.log(job)
    check("paws_hpc: rank 1 on" in log and "resumed from" in log, log)
    test.check_equal_to_uninterrupted("node_killed")


def cancelled(test):
    """scancel: checkpoint, and the job does not come back; the same line resumes it; equal"""
    job = test.train("cancelled")
    wait_for_step(test.csv("cancelled"), 2, 40)
    test.cluster.run("scancel", job)
    state = test.jobs.wait_for_end(job)
    check(state["JobState"] == "CANCELLED", str(state))
    wait_for(lambda: "the same sbatch line resumes it" in test.jobs.log(job), 20, f"the log says nothing of a checkpoint:\n{test.jobs.told(job)}")
    time.sleep(2)
    check(test.jobs.state(job)["JobState"] == "CANCELLED", "a cancelled job came back")
    again = test.train("cancelled")
    test.jobs.complete(again)
    check(test.jobs.log(again).count("epoch 1/4") == 0, f"it began anew:\n{test.jobs.log(again)}")
    test.check_equal_to_uninterrupted("cancelled")


def time_limit(test):
    """The end of the job's time: asked by SLURM's signal, or knowing it from SLURM, paws_hpc stops in time with a checkpoint"""
    test.cluster.environment["PAWS_MOST_RESTARTS"] = "0"
    long_run = ("--set", "optimization.epochs=100000")
    # SLURM looks every half minute, and sends the signal up to half a minute early: here 15 to 45 s after the start.
    warned = test.train("warned", *long_run, "--time", "2", "--sbatch", "signal=USR1@75")
    # Without a signal.
    script = test.train("time_known", *long_run, "--time", "1", "--dry-run")
    check("#SBATCH --signal=USR1@30\n" in script, script)
    done = test.cluster.run("sbatch", "--parsable", cwd=test.folder, input=script.replace("#SBATCH --signal=USR1@30\n", ""))
    check(done.returncode == 0, done.stderr)
    del test.cluster.environment["PAWS_MOST_RESTARTS"]
    known = done.stdout.strip()
    for run, job, limit, words in (("warned", warned, "00:02:00", "stopped by SIGUSR1"), ("time_known", known, "00:01:00", "stopped by the job's time limit")):
        state = test.jobs.fail(job, RESUME_ME, 100)
        log = test.jobs.log(job)
        check(words in log and "not requeued after 0 starts" in log, f"the log does not say '{words}':\n{test.jobs.told(job)}")
        check(state["RunTime"] < limit, f"{run} ran {state['RunTime']}")
        said = test.program("inspect", f"{run}/small-latest.h5")
        check(said.returncode == 0, said.stderr)
        epoch, step = last_row(test.csv(run))
        check(epoch > 1 or step > 10, f"{run} came to epoch {epoch}, step {step} only")


def rank_killed(test):
    """A rank is killed: all end, with one line that names it, and the job fails"""
    job = test.train("rank_killed", "--set", "optimization.epochs=100000")
    wait_for_step(test.csv("rank_killed"), 1, 5)
    ranks = test.jobs.processes_of_ranks(job)
    check(len(ranks) == 2, f"processes of ranks: {ranks}")
    os.kill(ranks[1], signal.SIGKILL)
    state = test.jobs.wait_for_end(job, 20)
    check(state["JobState"] == "FAILED", str(state))
    lines = [line for line in test.jobs.log(job).splitlines() if line.startswith("paws_hpc: ")]
    check(len(lines) == 1 and re.match(r"paws_hpc: rank [01] on \S+: ended without a word", lines[0]), test.jobs.told(job))
    check(not test.jobs.processes_of_ranks(job), "a rank is still alive")


def array(test):
    """A scaling study as a job array, and its table"""
    job = test.jobs.submit("--template", "scaling", *TWO_NODES, "--gpus-per-node", "0", "--array", "1,2", "--fname", "small.yaml", "--let",
                           "IMAGES_PER_RANK=4", "--let", "STEPS=12", "--let", "RUNS=scaling", "--", "--set", "data.copy_data=false")
    for element in (1, 2):
        test.jobs.complete(f"{job}_{element}")
    done = test.cluster.run(f"{SOURCE}/jobs/scaling_table", "scaling", cwd=test.folder)
    rows = [line.split() for line in done.stdout.splitlines()[1:]]
    check([row[0] for row in rows] == ["1", "2"], f"jobs/scaling_table: {done.stdout}{done.stderr}\n{test.jobs.told(f'{job}_2')}")
    for run in (1, 2):
        check(last_row(test.path(f"scaling/{job}-{run}/small_r0.csv")) == (1, 11), f"element {run} did not train 12 steps")


def study(test):
    """A study of perf/scaling as a job array: its points on one node and on two, and its table"""
    test.write("study.yaml", "networks: [wide_resnet16w1]\nranks: [1, 2]\nnodes: [1, 2]\nsteps: 4\nrepetitions: 1\ndevice: cpu\napart: false\nlinks: false\n"
               "batch: {pictures: 4, classes: 4}\nviews: {large: 16, multicrop: 0}\n")
    done = test.cluster.run(f"{SOURCE}/perf/scaling", "submit", "study.yaml", "--output", "study", "--time", "10", "--mem", "500", cwd=test.folder)
    check(done.returncode == 0, done.stderr)
    test.jobs.logs = test.path("study/logs")
    job = done.stdout.strip()
    for element in (1, 2):
        test.jobs.complete(f"{job}_{element}")
    done = test.cluster.run(f"{SOURCE}/perf/scaling", "report", "study", cwd=test.folder)
    check(done.returncode == 0, done.stderr)
    with open(test.path("study/table.csv")) as file:
        rows = list(csv.DictReader(file))
    check([(row["ranks"], row["nodes"]) for row in rows] == [("1", "1"), ("2", "2")], f"{rows}\n{test.jobs.told(f'{job}_2')}")
    test.jobs.logs = test.path("logs")


def batch(test):
    """A list of YAML files: a job for each, named after it"""
    for name in ("first", "second"):
        test.write(f"{name}.yaml", small_data.CONFIGURATION.replace("folder: run", f"folder: batch_{name}"))
    test.write("list.yaml", "- first.yaml   # one\n- second.yaml\n")
    jobs = test.jobs.submit("--template", "cpu", *TWO_NODES, "--fname", "list.yaml", "--batch-launch", "--set", "optimization.epochs=1", "--set",
                            "optimization.warmup=0").split()
    check(len(jobs) == 2, f"{jobs}")
    for job, name in zip(jobs, ("first", "second")):
        check(test.jobs.complete(job)["JobName"] == name, str(test.jobs.state(job)))
        check(os.path.exists(test.path(f"batch_{name}", "small-latest.h5")), test.jobs.told(job))
    # What is used above to tell that runs are equal tells when they are not.
    try:
        test.check_equal_to_uninterrupted("batch_first")
    except Wrong:
        return
    raise Wrong("one epoch counts as equal to four")


def chain(test):
    """Packing, pre-training with GPUs and staged images, evaluation: each after the one before; and none after a failure"""
    size = "--nodes 2 --tasks-per-node 1 --cpus-per-task 2 --mem 500 --time 10"
    settings = (f"CPU=({size})\nGPU=(--nodes 1 --tasks-per-node 1 --cpus-per-task 2 --mem 500 --time 10 --device volta16gb)\nDATA=chain\n"
                "IMAGES=few\nRUN=chain/run\nCONFIG=small.yaml\nCHECKPOINT=$RUN/small-latest.h5\nFINE_TUNE=\nLOGS=logs\nLINKS=2\n")
    test.write("chain.sh", settings)
    shutil.copytree(test.path("images"), test.path("chain/few"))
    done = test.cluster.run(f"{SOURCE}/jobs/chain.sh", "chain.sh", cwd=test.folder)
    check(done.returncode == 0, done.stderr)
    pack, train, evaluate = re.findall(r"\d+$", done.stdout, re.MULTILINE)
    states = [test.jobs.complete(job) for job in (pack, str(int(train) - 1), train, evaluate)]
    for before, after in zip(states, states[1:]):
        check(before["EndTime"] <= after["StartTime"], f"{after['JobId']} began before {before['JobId']} had ended")
    first = test.jobs.log(states[1]["JobId"])
    check("1 GPU per node" in first and f"{test.folder}/scratch" in first, f"neither GPU nor staged images:\n{first}")
    for name in ("run/small-latest-snn.json", "run/small-latest-val-embeddings.h5"):
        check(os.path.exists(test.path("chain", name)), f"{name} is missing:\n{test.jobs.told(evaluate)}")
    test.write("chain.sh", settings.replace("few", "none"))
    done = test.cluster.run(f"{SOURCE}/jobs/chain.sh", "chain.sh", cwd=test.folder)
    pack, train, evaluate = re.findall(r"\d+$", done.stdout, re.MULTILINE)
    test.jobs.fail(pack, 2)
    wait_for(lambda: not test.cluster.ask("squeue", "-h"), 60, "jobs wait for one that has failed")


STEPS = (two_nodes, by_hand, refused, bad_run, time_limit, signalled, signalled_early, preempted, node_lost, node_killed, cancelled, rank_killed, array, study, batch, chain)


def parse():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--paws-hpc", required=True)
    options.add_argument("--only", action="append", choices=[step.__name__ for step in STEPS], help="these steps (and two_nodes, which they need)")
    options.add_argument("--keep", action="store_true", help="leave the folder with all logs")
    options.add_argument("--required", action="store_true", default=os.environ.get("PAWS_REQUIRE_SLURM") == "1")
    return options.parse_args()


def without_slurm(required):
    missing = missing_packages()
    try:
        import h5py  # noqa: F401
    except ImportError:
        missing.append("python3-h5py")
    if missing:
        print(f"{'failed' if required else 'skipped'}: SLURM's test needs {', '.join(missing)}; as root: apt-get install {' '.join(missing)}")
    return missing


def main():
    options = parse()
    if without_slurm(options.required):
        return 1 if options.required else SKIPPED
    # A short name: sockets lie in it.
    folder = tempfile.mkdtemp(prefix="paws-slurm-")
    work = os.path.join(folder, "work")
    os.mkdir(work)
    failures = 0
    try:
        with Cluster(folder) as cluster:
            test = Test(cluster, work, os.path.abspath(options.paws_hpc))
            for step in STEPS:
                if options.only and step is not two_nodes and step.__name__ not in options.only:
                    continue
                start = time.monotonic()
                print(f"{inspect.getdoc(step)} ...", flush=True)
                try:
                    step(test)
                    print(f"    passed, {time.monotonic() - start:.0f} s", flush=True)
                except (Wrong, RuntimeError, subprocess.TimeoutExpired) as wrong:
                    failures += 1
                    print(f"    FAILED ({step.__name__}): {wrong}", flush=True)
                    cluster.run("scancel", "-u", cluster.user)
                    if step is two_nodes:
                        break
    finally:
        if options.keep:
            print(f"see {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{failures} of the steps failed" if failures else "all steps passed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

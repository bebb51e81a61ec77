"""Submits through jobs/submit and watches what becomes of the jobs."""
import glob
import os
import re

from cluster import wait_for


class Wrong(Exception):
    pass


def check(condition, message):
    if not condition:
        raise Wrong(message)


class Jobs:
    def __init__(self, cluster, source, folder):
        self.cluster, self.source, self.folder = cluster, source, folder
        self.logs = os.path.join(folder, "logs")

    def try_submit(self, *options):
        return self.cluster.run(f"{self.source}/jobs/submit", "--folder", self.logs, *options, cwd=self.folder)

    def submit(self, *options):
        """The job's number."""
        done = self.try_submit(*options)
        check(done.returncode == 0, f"jobs/submit {' '.join(options)}: {done.stderr}")
        return done.stdout.strip()

    def state(self, job):
        """Of one job: scontrol's fields."""
        text = self.cluster.ask("scontrol", "-o", "show", "job", job).splitlines()
        check(text, f"SLURM knows nothing of job {job}")
        return dict(re.findall(r"(\w+)=(\S*)", text[0]))

    def log(self, job):
        text = ""
        for path in glob.glob(f"{self.logs}/*-{job}.log"):
            with open(path) as file:
                text += file.read()
        return text

    def told(self, job):
        """For messages: what a job's log ends with."""
        return "\n".join(self.log(job).splitlines()[-25:])

    def wait_for_state(self, job, state, seconds=60):
        try:
            wait_for(lambda: self.state(job)["JobState"] == state, seconds, "")
        except RuntimeError:
            raise Wrong(f"job {job} does not become {state} within {seconds} s: {self.state(job)}\n{self.told(job)}")

    def wait_for_end(self, job, seconds=120):
        """Its fields when it has ended, in whatever way."""
        ends = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED")

        def ended():
            state = self.state(job)
            return state if state["JobState"] in ends else None

        try:
            return wait_for(ended, seconds, "")
        except RuntimeError:
            raise Wrong(f"job {job} has not ended after {seconds} s: {self.state(job)}\n{self.told(job)}")

    def complete(self, job, restarts=0, seconds=120):
        """Waits for its good end, after so many restarts."""
        state = self.wait_for_end(job, seconds)
        check(state["JobState"] == "COMPLETED" and state["ExitCode"] == "0:0", f"job {job}: {state}\n{self.told(job)}")
        check(state["Restarts"] == str(restarts), f"job {job} was restarted {state['Restarts']} times, not {restarts}\n{self.told(job)}")
        return state

    def fail(self, job, code, seconds=120):
        state = self.wait_for_end(job, seconds)
        check(state["JobState"] == "FAILED" and state["ExitCode"] == f"{code}:0", f"job {job}: {state}\n{self.told(job)}")
        return state

    def processes_of_ranks(self, job, node=None):
        """Of paws_hpc itself: not of srun, which has its name among its arguments."""
        found = []
        for place in glob.glob("/proc/[0-9]*"):
            try:
                with open(f"{place}/cmdline", "rb") as file:
                    program = file.read().split(b"\0")[0]
                with open(f"{place}/environ", "rb") as file:
                    variables = file.read().split(b"\0")
            except OSError:
                continue
            ours = f"SLURM_CONF={self.cluster.folder}/slurm.conf".encode() in variables
            there = node is None or f"SLURMD_NODENAME={node}".encode() in variables
            if program.endswith(b"/paws_hpc") and ours and there and f"SLURM_JOB_ID={job}".encode() in variables:
                found.append(int(os.path.basename(place)))
        return sorted(found)

    def scontrol(self, *arguments):
        done = self.cluster.run("scontrol", *arguments)
        check(done.returncode == 0, f"scontrol {' '.join(arguments)}: {done.stderr}")


def last_row(csv):
    """Epoch and step that a run has come to; (0, 0) before its first."""
    try:
        with open(csv) as file:
            rows = file.read().splitlines()
        epoch, step = rows[-1].split(",")[:2]
        return int(epoch), int(step)
    except (OSError, ValueError, IndexError):
        return 0, 0


def wait_for_step(csv, epoch, step, seconds=60):
    try:
        wait_for(lambda: last_row(csv) >= (epoch, step), seconds, "")
    except RuntimeError:
        raise Wrong(f"{csv}: no step {step} of epoch {epoch} after {seconds} s, only {last_row(csv)}")

"""A SLURM of two nodes on this machine: its own munge, controller and node daemons in a scratch folder, without systemd,
as root or as an ordinary user."""
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time

# Program, and the Debian package that has it.
PROGRAMS = {"munged": "munge", "slurmctld": "slurmctld", "slurmd": "slurmd", "sbatch": "slurm-client", "mpirun": "openmpi-bin"}

# `high` preempts `low`, whose jobs have some seconds to go. Daemons listen on all addresses: on the one of the host's name alone, as
# NoInAddrAny has it, they would not hear 127.0.0.1 where that name stands for 127.0.1.1, as Debian's installer writes it.
CONFIGURATION = """ClusterName=paws
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={ctld}
SlurmUser={user}
SlurmdUser={user}
AuthInfo=socket={folder}/munge/munge.sock,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
TmpFS={folder}/tmp.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/affinity
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
EnforcePartLimits=ALL
JobRequeue=1
ReturnToService=2
SlurmdParameters=config_overrides
KillWait=5
MailProg=/bin/true
GresTypes=gpu
NodeName=n[1-2] NodeHostname=localhost NodeAddr=127.0.0.1 Port=[{n1},{n2}] CPUs=4 RealMemory=4000 Gres=gpu:2 Feature=volta16gb
PartitionName=batch Nodes=n[1-2] Default=YES MaxTime=INFINITE PriorityTier=10
PartitionName=high Nodes=n[1-2] MaxTime=INFINITE PriorityTier=100 PreemptMode=OFF
PartitionName=low Nodes=n[1-2] MaxTime=INFINITE PriorityTier=1 PreemptMode=REQUEUE GraceTime=30
"""

# Devices that exist everywhere stand for GPUs.
DEVICES = "".join(f"NodeName=n[1-2] Name=gpu File={device}\n" for device in ("/dev/null", "/dev/zero"))

# Nothing here uses cgroups, and slurmd looks for a mounted file system of theirs, which a container or chroot may not have, unless it is
# told a version.
CGROUPS = "CgroupPlugin=cgroup/v1\n"

# Both nodes are this host, which Open MPI takes for one otherwise.
MPI_ON_ONE_HOST = {
    "OMPI_MCA_btl": "self,tcp", "OMPI_MCA_btl_tcp_if_include": "lo", "OMPI_MCA_oob_tcp_if_include": "lo",
    "OMPI_MCA_pml": "ob1", "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def find_program(name):
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/local/sbin")


def missing_packages():
    return sorted({package for program, package in PROGRAMS.items() if find_program(program) is None})


def end_with_parent():
    """Asks the kernel to end this process when the one that started it ends, be it killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def free_ports(count):
    """Kept open together, so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise RuntimeError(f"after {seconds} s: {what}")
        time.sleep(0.2)


class Cluster:
    """`with Cluster(folder) as cluster`: up in about a second, down at the end, whatever happened."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.daemons = {}
        self.munged = None
        # What this process may have from a job or an MPI of its own would make the jobs a part of that.
        foreign = ("SLURM_", "SBATCH_", "SRUN_", "OMPI_", "PMIX_", "PMI_")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        self.environment |= MPI_ON_ONE_HOST | {"SLURM_CONF": f"{self.folder}/slurm.conf"}

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        os.chmod(self.folder, 0o755)
        for part in ("munge", "state", "log", "tmp.n1", "tmp.n2", "spool.n1", "spool.n2"):
            os.makedirs(f"{self.folder}/{part}")
        ctld, n1, n2 = free_ports(3)
        self.write("slurm.conf", CONFIGURATION.format(folder=self.folder, user=self.user, ctld=ctld, n1=n1, n2=n2))
        self.write("gres.conf", DEVICES)
        self.write("cgroup.conf", CGROUPS)
        self.start_munge()
        self.start_daemon("slurmctld", "-D")
        for node in ("n1", "n2"):
            self.start_node(node)
        self.wait_until_idle()

    def write(self, name, text):
        with open(f"{self.folder}/{name}", "w") as file:
            file.write(text)

    def start_munge(self):
        place = f"{self.folder}/munge"
        os.chmod(place, 0o755)
        with open(os.open(f"{place}/key", os.O_CREAT | os.O_WRONLY, 0o400), "wb") as file:
            file.write(os.urandom(128))
        # --force: the scratch folder may lie in a folder that others can write to.
        self.munged = self.spawn("munged", "--foreground", "--force", f"--key-file={place}/key", f"--socket={place}/munge.sock",
                                 f"--pid-file={place}/pid", f"--log-file={place}/log", f"--seed-file={place}/seed")
        wait_for(lambda: os.path.exists(f"{place}/munge.sock"), 20, f"munged makes no socket; see {place}/log")

    def start_daemon(self, name, *arguments):
        self.daemons[(name, *arguments)] = self.spawn(name, *arguments)

    def start_node(self, node):
        self.start_daemon("slurmd", "-D", "-N", node)

    def kill_node(self, node):
        """It answers no more, and SLURM knows nothing of it for a while."""
        daemon = self.daemons.pop(("slurmd", "-D", "-N", node))
        daemon.kill()
        daemon.wait()

    def spawn(self, name, *arguments):
        # A session of its own, so that it outlives signals to this one's process group.
        with open(f"{self.folder}/log/{name}.out", "ab") as log:
            return subprocess.Popen([find_program(name), *arguments], env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    start_new_session=True, preexec_fn=end_with_parent)

    def wait_until_idle(self):
        wait_for(lambda: self.ask("sinfo", "-h", "-N", "-p", "batch", "-o", "%T").split() == ["idle", "idle"], 40,
                 f"the nodes do not become idle; see {self.folder}/log")

    def run(self, *command, seconds=60, **options):
        """CompletedProcess of a client command or any other program inside the cluster's environment."""
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=seconds, **options)

    def ask(self, *command):
        return self.run(*command).stdout

    def stop(self):
        if self.daemons:
            self.run("scancel", "-f", "-u", self.user)
            try:
                wait_for(lambda: not self.ask("squeue", "-h").strip(), 30, "jobs do not end")
            except RuntimeError as error:
                print(error, flush=True)
            self.run("scontrol", "shutdown")
        for process in [*self.daemons.values(), *([self.munged] if self.munged else [])]:
            if process is self.munged:
                process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.daemons.clear()
        self.munged = None

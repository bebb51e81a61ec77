"""A Debian 12 that has nothing but apt: made by mmdebstrap in a folder, and entered with namespaces of its own, as root."""
import ctypes
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

SUITE = "bookworm"
MIRROR = "http://deb.debian.org/debian"

# Variables of whoever starts this say nothing about a machine that was just installed: no locale, for one.
ENVIRONMENT = {"HOME": "/root", "LOGNAME": "root", "USER": "root", "SHELL": "/bin/bash", "TERM": "dumb",
               "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}

# Run in namespaces of its own, with the root's folder as its first argument. Mounts and processes end with it.
ENTER = r"""
set -eu
root=$1
shift
hostname bare
mount --make-rprivate /
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys" 2>/dev/null || mount --rbind /sys "$root/sys"
mount -t tmpfs -o mode=0755 dev "$root/dev"
for device in null zero full random urandom tty; do
  : > "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"
mkdir -p "$root/dev/pts"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
case " $PAWS_WITHOUT " in *" shm "*) ;; *)
  mkdir -m 1777 "$root/dev/shm"
  mount -t tmpfs -o mode=1777 shm "$root/dev/shm" ;;
esac
case " $PAWS_WITHOUT " in *" proc "*) umount "$root/proc" ;; esac
unset PAWS_WITHOUT
exec chroot "$root" /usr/bin/env -i "$@"
"""


def missing():
    """What is not here to make and enter a root, in words; empty if all is."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "root"
    for program, package in (("mmdebstrap", "mmdebstrap"), ("unshare", "util-linux")):
        if shutil.which(program) is None:
            return f"{program} (apt-get install {package})"
    if subprocess.run(["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "true"], capture_output=True, check=False).returncode != 0:
        return "the right to make namespaces (in a container: --privileged)"
    return ""


def end_with_parent():
    """Asks the kernel to kill this process when the one that started it ends, be it killed; what is in the namespaces ends with it."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class BareRoot:
    """The Debian in `folder`. What of a machine it is to lack is named in `without`: shm, proc."""

    def __init__(self, folder, mirror=MIRROR, without=()):
        self.folder = Path(folder).resolve()
        self.mirror = mirror
        self.without = tuple(without)

    def make(self, log):
        """Seconds that it took. The folder must not exist."""
        began = time.monotonic()
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "w") as file:
            subprocess.run(["mmdebstrap", "--variant=apt", SUITE, str(self.folder), self.mirror], check=True, stdin=subprocess.DEVNULL,
                           stdout=file, stderr=subprocess.STDOUT, preexec_fn=end_with_parent, env={**os.environ, "LC_ALL": "C.UTF-8"})
        # As Debian's installer leaves them; mmdebstrap takes the host's name, and writes no /etc/hosts.
        self.path("/etc/hostname").write_text("bare\n")
        self.path("/etc/hosts").write_text("127.0.0.1\tlocalhost\n127.0.1.1\tbare\n")
        return time.monotonic() - began

    def path(self, inside):
        """Where a path of the root lies outside of it."""
        return self.folder / str(inside).lstrip("/")

    def run(self, command, folder="/root", environment=(), log=None, seconds=None):
        """Exit code of a command line of bash in the root, and the seconds that it took; output goes to the file `log`."""
        began = time.monotonic()
        variables = {**ENVIRONMENT, **dict(environment)}
        inside = ["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "bash", "-c", ENTER, "enter", str(self.folder),
                  *(f"{key}={value}" for key, value in variables.items()), "bash", "-c", f"cd {shlex.quote(folder)} && {command}"]
        with open(log or os.devnull, "a") as file:
            options = {"stdin": subprocess.DEVNULL, "stdout": file, "stderr": subprocess.STDOUT, "preexec_fn": end_with_parent,
                       "env": {**os.environ, "PAWS_WITHOUT": " ".join(self.without)}}
            try:
                code = subprocess.run(inside, timeout=seconds, check=False, **options).returncode
            except subprocess.TimeoutExpired:
                code = 124
        return code, time.monotonic() - began

    def remove(self):
        # Nothing is mounted here any more: mounts ended with the last process in their namespace.
        shutil.rmtree(self.folder, ignore_errors=True)

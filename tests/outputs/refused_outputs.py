#!/usr/bin/env python3
"""Outputs that would destroy something, or could not be written in the end: refused before anything is read or computed,
in one line, and nothing in the folder changes. And those that may be streamed, or that a link leads to: written there.

usage: refused_outputs.py --paws-hpc PROGRAM --data FOLDER (tests/data)"""
import argparse
import json
import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

RUN = """task: paws_train
meta: {{model_name: wide_resnet16w1, output_dim: 16, use_pred_head: true, device: cpu, precision: fp32, threads: 1}}
criterion: {{unsupervised_batch_size: 20, classes_per_batch: 2, supervised_imgs_per_class: 1}}
data: {{dataset: synthetic, num_classes: 2, synthetic_train: 40, synthetic_validation: 10, synthetic_height: 16, synthetic_width: 16,
  crop_size: 16, eval_crop_size: 16, multicrop: 0, label_smoothing: 0.1}}
optimization: {{epochs: 1, lr: 0.1}}
logging: {{folder: {0}/run, write_tag: t}}
"""
MPIRUN = "mpirun --oversubscribe -n 2".split()


def contents_of(folder):
    """Kind and bytes, or target, of all that is there; times and inodes do not count."""
    found = {}
    for path in sorted(folder.rglob("*")):
        kind = stat.S_IFMT(path.lstat().st_mode)
        found[str(path.relative_to(folder))] = (
            kind,
            os.readlink(path) if path.is_symlink() else path.read_bytes() if stat.S_ISREG(kind) else b"",
        )
    return found


class Program:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        kept = ("PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR")
        self.environment = {name: os.environ[name] for name in kept if name in os.environ}
        self.environment.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMP_NUM_THREADS="1")

    def start(self, words, **more):
        start = more.pop("start", ())
        return subprocess.run(
            [*start, self.program, *map(str, words)],
            env=self.environment, cwd=self.folder, timeout=120, stdin=subprocess.DEVNULL,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more},
        )

    def done(self, *words, code=0, **more):
        result = self.start(words, **more)
        assert result.returncode == code, (words, result.returncode, result.stdout, result.stderr)
        return result

    def refuses(self, words, *parts, **more):
        """Exit code 2, one line that has the parts, and everything as it was."""
        before = contents_of(self.folder)
        result = self.start(words, **more)
        text = result.stderr.decode()
        lines = [line for line in text.splitlines() if line.startswith("paws_hpc: ")]
        assert result.returncode == 2 and len(lines) == 1, (words, result.returncode, result.stdout, text)
        for part in map(str, parts):
            assert part in lines[0], (words, part, lines[0])
        after = contents_of(self.folder)
        assert after == before, (words, before.keys() ^ after.keys() or [n for n in after if after[n] != before[n]])


def make_files(paws_hpc, data):
    """A packed data set, a list, checkpoints of both kinds, embeddings, a sheet of views: one of each kind."""
    folder = paws_hpc.folder
    shutil.copytree(data / "cifar-10-batches-py", folder / "cifar")
    paws_hpc.done("pack", "--format", "cifar10", "--input", "cifar", "--output", "data.h5")
    paws_hpc.done("subset", "--data", "data.h5", "--per-class", 4, "--output", "list.txt")
    shutil.copy(data / "reference_ckpt_small.pth.tar", folder / "c.pth.tar")
    (folder / "run.yaml").write_text(RUN.format(folder))
    paws_hpc.done("run.yaml", "--set", f"logging.folder={folder}/before")
    shutil.copy(folder / "before/t-latest.h5", folder / "c.h5")
    shutil.rmtree(folder / "before")
    paws_hpc.done("views", "run.yaml", "--output", "sheet.png", "--pictures", 1)
    (folder / "notes.yaml").write_text("mine: true\n")
    for kind in "train", "val":
        for name in "ant", "bee":
            (folder / "images" / kind / name).mkdir(parents=True)
            shutil.copy(data / "pictures/rgb.png", folder / "images" / kind / name / "1.png")


# What writes, and with which option: each command up to its output.
PACK = "pack --format imagefolder --input images --output".split()
SUBSET = "subset --data data.h5 --per-class 1 --output".split()
EMBED = "embed --checkpoint c.h5 --output".split()
VIEWS = "views run.yaml --pictures 1 --output".split()
CONVERT = "convert c.pth.tar".split()
SUMMARY = "inspect c.h5 --summary".split()


def check_other_kinds(paws_hpc):
    for command, own in ((PACK, "data.h5"), (EMBED, None), (VIEWS, "sheet.png"), (SUBSET, "list.txt"), (SUMMARY, None)):
        for name in "data.h5", "c.h5", "list.txt", "sheet.png", "notes.yaml", "images/train/ant/1.png", "cifar/data_batch_1":
            if name != own and not (command is SUBSET and name == "data.h5") and not (command is SUMMARY and name == "c.h5"):
                paws_hpc.refuses([*command, name], name, "is there already and is not")


def check_inputs(paws_hpc):
    folder = paws_hpc.folder
    (folder / "soft").symlink_to("c.h5")
    os.link(folder / "c.h5", folder / "hard.h5")
    (folder / "empty.txt").touch()
    for words, option, read in (
        (["inspect", "c.h5", "--summary", "c.h5"], "--summary", "FILE c.h5"),
        (["inspect", "c.h5", "--summary", "soft"], "--summary", "FILE c.h5"),
        (["inspect", "./c.h5", "--summary", "hard.h5"], "--summary", "FILE ./c.h5"),
        ([*EMBED, "hard.h5"], "--output", "--checkpoint c.h5"),
        (["subset", "--data", "data.h5", "--per-class", "1", "--output", "./data.h5"], "--output", "--data data.h5"),
        (["run.yaml", "--dry-run", "--summary", "run.yaml"], "--summary", "CONFIG run.yaml"),
        (["run.yaml", "--summary", "run.yaml"], "--summary", "CONFIG run.yaml"),
        ([*VIEWS, "run.yaml"], "--output", "CONFIG run.yaml"),
        (["convert", "c.h5", "hard.h5"], "OUT", "IN c.h5"),
        (["convert", "c.pth.tar", "x.h5", "--config", "empty.txt", "--summary", "empty.txt"], "--summary", "--config"),
        (["snn-eval", "--checkpoint", "c.h5", "--subset", "empty.txt", "--summary", "empty.txt"], "--summary", "--subset"),
        ([*PACK, "empty.txt", "--val-list", "empty.txt"], "--output", "--val-list empty.txt"),
        ([*PACK, "new.h5", "--summary", "new.h5"], "--summary", "--output writes"),
        ([*SUBSET, "new.txt", "--summary", "./images/../new.txt"], "--summary", "--output writes"),
    ):
        paws_hpc.refuses(words, option + ": ", read)


def check_places(paws_hpc):
    folder = paws_hpc.folder
    os.mkfifo(folder / "fifo")
    (folder / "to_fifo").symlink_to("fifo")
    special = ["fifo", "to_fifo"]
    try:
        os.mknod(folder / "null", stat.S_IFCHR | 0o600, os.makedev(1, 3))
        os.mknod(folder / "disk", stat.S_IFBLK | 0o600, os.makedev(7, 250))
        special += ["null", "disk"]
    except PermissionError:
        print("refused_outputs.py: no device nodes without root; FIFOs stand for them")
    for command in (PACK, EMBED, VIEWS):
        for name in special:
            paws_hpc.refuses([*command, name], "--output: ", name, " is a ")
    if "disk" in special:
        paws_hpc.refuses([*SUBSET, "disk"], "is a block device")
    paws_hpc.refuses([*EMBED, "/dev/stdout"], "/dev/stdout", "is a stream")
    for command in (PACK, SUBSET, EMBED, VIEWS, SUMMARY, ["run.yaml", "--summary"], ["run.yaml", "--dry-run", "--summary"]):
        paws_hpc.refuses([*command, "none/file"], "none/file", "make it first")
        paws_hpc.refuses([*command, "images"], "images", "is a folder")
    paws_hpc.refuses([*SUMMARY, "n" * 256], "256 bytes", "takes 255")
    for words in ([*PACK, "fifo"], [*PACK, "none/file"], ["run.yaml", "--summary", "none/file"]):
        paws_hpc.refuses(words, words[-1], start=MPIRUN)
    with open(folder / "printed", "ab") as printed:
        paws_hpc.refuses([*SUMMARY, "printed"], "printed", "stdout", stdout=printed)
    (folder / "printed").unlink()


def check_runs(paws_hpc):
    """The files of a run, all of which its tag names."""
    folder = paws_hpc.folder
    run = folder / "run"
    run.mkdir()
    for name in "t.lock", "t-latest.h5", "t-latest-1.h5", "t-best.h5", "t_r0.csv", "params-paws_train.yaml":
        for other in "notes.yaml", "data.h5":
            (run / name).symlink_to(f"../{other}")
            paws_hpc.refuses(["run.yaml"], name, "is there already and is not")
            (run / name).unlink()
    os.mkfifo(run / "t_r0.csv")
    paws_hpc.refuses(["run.yaml"], "t_r0.csv", "is a FIFO")
    (run / "t_r0.csv").unlink()
    os.mkfifo(run / "t_r1.csv")
    paws_hpc.refuses(["run.yaml"], "rank 1", "t_r1.csv", "is a FIFO", start=MPIRUN)
    (run / "t_r1.csv").unlink()
    os.link(folder / "c.h5", run / "t-best.h5")
    paws_hpc.refuses(["run.yaml", "--set", "meta.init_backbone=c.h5"], "t-best.h5", "meta.init_backbone c.h5")
    (run / "t-best.h5").unlink()
    shutil.copy(folder / "run.yaml", run / "params-paws_train.yaml")
    paws_hpc.refuses(["run/params-paws_train.yaml"], "logging.folder: ", "CONFIG run/params-paws_train.yaml")
    shutil.rmtree(run)
    for name in "t_r0.csv", "t.lock", "t-latest.h5":
        paws_hpc.refuses(["run.yaml", "--summary", f"run/{name}"], name, "--summary writes")
    tag = ["run.yaml", "--set", "logging.write_tag=" + "t" * 250]
    for words in (tag, [*tag, "--dry-run"]):
        paws_hpc.refuses(words, "logging.write_tag: has 250 bytes", "takes 255", "at most 23")
    paws_hpc.refuses(["run.yaml", "--set", "logging.folder=notes.yaml/run"], "notes.yaml")


def check_written(paws_hpc):
    """Links, streams, long names and folders that the run makes."""
    folder = paws_hpc.folder
    (folder / "deep").mkdir()
    for command, name in ((PACK, "a.h5"), (SUBSET, "a.txt"), (VIEWS, "a.png"), (CONVERT, "b.h5"), (SUMMARY, "a.json")):
        link = folder / ("link-" + name)
        link.symlink_to("deep/" + name)
        for _ in range(2):  # a new file, and one in its place
            paws_hpc.done(*command, link.name)
            assert link.is_symlink() and (folder / "deep" / name).stat().st_size > 0, name
    assert len(list((folder / "deep").iterdir())) == 5
    long = "n" * 252 + ".h5"
    paws_hpc.done(*PACK, long, start=MPIRUN)
    paws_hpc.done("inspect", long)
    reader = subprocess.Popen(["cat", "fifo"], cwd=folder, stdout=subprocess.PIPE)
    paws_hpc.done(*SUMMARY, "fifo")
    assert json.loads(reader.communicate(timeout=20)[0])["task"] == "inspect"
    positions = (folder / "deep/a.txt").read_bytes()
    assert paws_hpc.done(*SUBSET, "/dev/stdout").stdout == positions
    with open(folder / "both", "wb") as both:
        both.write(b"before\n")
        both.flush()
        paws_hpc.done(*SUMMARY, "/dev/stdout", stdout=both)
    before, summary = (folder / "both").read_text().split("\n", 1)
    assert before == "before" and json.loads(summary)["task"] == "inspect"
    if (folder / "null").exists():
        paws_hpc.done(*SUBSET, "null", "--summary", "null")
        assert (folder / "null").is_char_device()
    tag = "t" * 225
    (folder / "run").mkdir()
    (folder / "run" / (tag + "-latest.h5")).symlink_to("../deep/latest.h5")
    paws_hpc.done("run.yaml", "--set", "logging.write_tag=" + tag, "--summary", "run/summary.json", start=MPIRUN)
    assert json.loads((folder / "run/summary.json").read_text())["epochs"] == 1
    assert (folder / "run" / (tag + "-latest.h5")).is_symlink() and (folder / "deep/latest.h5").is_file()
    paws_hpc.done("run/params-paws_train.yaml", "--set", "logging.write_tag=u", "--summary", "run/summary.json")
    shutil.rmtree(folder / "run")
    paws_hpc.done("run.yaml", "--summary", "run/summary.json")
    assert not list(folder.rglob("*.partial-*"))


def check_full_stdout(paws_hpc):
    """As programs of the system do: an exit code, and one line on stderr."""
    commands = (["inspect", "c.h5"], ["run.yaml", "--dry-run"], ["--help"], ["--version"], ["pack", "--help"], [*SUBSET, "list.txt"])
    with open("/dev/full", "wb") as full:
        for words in commands:
            result = paws_hpc.done(*words, code=1, stdout=full)
            assert result.stderr.count(b"\n") == 1 and b"stdout: not all could be written (No space" in result.stderr, words
        paws_hpc.done("run.yaml", "--resume", "never", "--set", "optimization.epochs=1", stdout=full)
    closed = ["sh", "-c", 'exec "$@" >&-', "sh"]
    result = paws_hpc.done("inspect", "c.h5", code=1, start=closed)
    assert b"stdout: not all could be written" in result.stderr, result.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paws-hpc", required=True)
    parser.add_argument("--data", required=True, type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="paws-refused-") as name:
        paws_hpc = Program(Path(arguments.paws_hpc).resolve(), Path(name))
        make_files(paws_hpc, arguments.data.resolve())
        for check in (check_other_kinds, check_inputs, check_places, check_runs, check_written, check_full_stdout):
            check(paws_hpc)
    print("refused_outputs.py: all as it should be")


if __name__ == "__main__":
    main()

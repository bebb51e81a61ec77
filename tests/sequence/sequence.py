"""The published sequence with a published style of configuration, on made-up CIFAR files: sequence.py --paws-hpc PROGRAM --data tests/inputs.

paws_train on two ranks -> snn_fine_tune -> snn-eval -> fine_tune -> its evaluation -> embed -> convert -> torch.load; and a run that
resumes from the converted checkpoint. Each step is a command as a user types it, with nothing changed but paths and sizes.
"""
import argparse
import json
import os
import pathlib
import subprocess
import tempfile

import h5py
import numpy
import torch

# As the published files are written: no task, a device of CUDA's, .pth.tar names, a master_port.
META = """meta:
  model_name: wide_resnet16w1
  output_dim: 16
  use_pred_head: false
  use_fp16: true
  device: cuda:0
  load_checkpoint: false
  copy_data: true
  master_port: 8080
"""
DATA = """data:
  dataset: cifar10{suffix}
  root_path: {root}
  image_folder: images/
  subset_path: {root}/lists
  unlabeled_frac: 0.92
  data_seed: 152
  unique_classes_per_rank: false
  color_jitter_strength: 0.5
  normalize: true
"""
OPTIMIZATION = """optimization:
  epochs: 2
  warmup: 0
  start_lr: 0.1
  lr: 0.1
  final_lr: 0.01
  momentum: 0.9
  nesterov: false
  weight_decay: 0.0
  use_lars: true
"""
PAWS = META + """  read_checkpoint: null
criterion:
  unsupervised_batch_size: 16
  classes_per_batch: 5
  supervised_imgs_per_class: 2
  supervised_views: 1
  temperature: 0.1
  sharpen: 0.25
  me_max: true
""" + DATA + """  label_smoothing: 0.1
  multicrop: 1
""" + OPTIMIZATION + """logging:
  folder: {root}/run
  write_tag: paws
"""
SNN = META + """criterion:
  classes_per_batch: 5
  supervised_batch_size: 2
  supervised_views: 2
  temperature: 0.1
""" + DATA + """  label_smoothing: 0.0
""" + OPTIMIZATION + """logging:
  folder: {root}/run
  pretrain_path: paws-latest.pth.tar
  write_tag: paws
"""
FINE_TUNE = """meta:
  model_name: wide_resnet16w1
  training: true
  use_fp16: true
  device: cuda:0
  load_checkpoint: false
  copy_data: true
  master_port: 4029
""" + DATA + """  num_classes: 10
optimization:
  epochs: 2
  batch_size: 8
  lr: 0.02
  use_lars: false
  weight_decay: 0.0
  zero_init: true
logging:
  folder: {root}/run
  pretrain_path: paws-latest.pth.tar
  write_tag: paws
"""


class Sequence:
    def __init__(self, program, root):
        self.program, self.root = program, root
        self.environment = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "TMPDIR": str(root)}

    def config(self, name, text, suffix=""):
        path = self.root / name
        path.write_text(text.format(root=self.root, suffix=suffix))
        return path

    def run(self, *arguments, ranks=1, code=0):
        start = ["mpirun", "--oversubscribe", "-n", ranks] if ranks > 1 else []
        summary = self.root / "summary.json"
        summary.unlink(missing_ok=True)
        command = [str(a) for a in (*start, self.program, *arguments, "--summary", summary)]
        print("$", " ".join(command), flush=True)
        environment = {**self.environment, **({"OMP_NUM_THREADS": "1"} if ranks > 1 else {})}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
        assert done.returncode == code, (command, done.returncode, done.stdout, done.stderr)
        self.said = done.stdout + done.stderr
        return json.loads(summary.read_text()) if summary.exists() else {}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--paws-hpc", required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "images").mkdir()
        (root / "images/cifar-10-batches-py").symlink_to(options.data.resolve() / "cifar-10-batches-py")
        check(Sequence(pathlib.Path(options.paws_hpc).resolve(), root), root)
    print("the sequence is whole")


def check(sequence, root):
    cpu = ("--set", "meta.device=cpu")
    # The labelled images, drawn here instead of published.
    packed = root / "packed.h5"
    sequence.run("pack", "--format", "cifar10", "--input", root / "images/cifar-10-batches-py", "--output", packed)
    (root / "lists").mkdir()
    sequence.run("subset", "--data", packed, "--per-class", 6, "--seed", 152, "--output", root / "lists/spc.4000_split.152.txt")

    paws = sequence.config("paws.yaml", PAWS)
    trained = sequence.run("--fname", paws, *cpu, "--sel", "paws_train", ranks=2)
    assert trained["task"] == "paws_train" and trained["epochs"] == 2 and trained["ranks"] == 2, trained
    assert sequence.said.count("master_port") == 1, sequence.said

    # The published names end in .pth.tar; what is there ends in .h5.
    snn = sequence.config("snn.yaml", SNN, "_fine_tune")
    tuned = sequence.run(snn, *cpu)
    assert tuned["task"] == "snn_fine_tune" and 0 <= tuned["best_top1"] <= 1, tuned
    assert "paws-latest.h5" in sequence.said, sequence.said

    evaluated = sequence.run("snn-eval", "--checkpoint", root / "run/paws-fine-tune-SNN-best.h5", ranks=2)
    assert evaluated["top1"] == tuned["best_top1"], (evaluated, tuned)

    classifier = sequence.config("fine_tune.yaml", FINE_TUNE, "_fine_tune")
    learnt = sequence.run(classifier, *cpu, ranks=2)
    assert learnt["task"] == "fine_tune" and learnt["epochs"] == 2, learnt
    final = sequence.run(classifier, *cpu, "--set", "meta.training=false")
    assert final["top1"] == learnt["best_top1"], (final, learnt)

    embeddings = root / "embeddings.h5"
    sequence.run("embed", "--checkpoint", root / "run/paws-latest.h5", "--outputs", "backbone,projection", "--probabilities", "--output", embeddings, ranks=2)
    with h5py.File(embeddings) as file:
        assert file["backbone"].shape == (40, 64) and file["projection"].shape == (40, 16), list(file)
        assert numpy.allclose(file["probabilities"][:].sum(1), 1, atol=1e-3)

    published = root / "run/converted.pth.tar"
    sequence.run("convert", root / "run/paws-latest.h5", published)
    checkpoint = torch.load(published, map_location="cpu")
    with h5py.File(root / "run/paws-latest.h5") as file:
        stored = file["encoder/conv1/weight"][:]
        assert checkpoint["epoch"] == file["progress"].attrs["epoch"] == 2
    assert numpy.array_equal(checkpoint["encoder"]["module.conv1.weight"].numpy(), stored)

    # A longer run resumes from PyTorch's file in a folder of its own.
    again = sequence.run(paws, *cpu, "--resume", published, "--set", f"logging.folder={root}/again")
    assert again["epochs"] == 2 and "resumed from" in sequence.said, (again, sequence.said)

    # What a user who switches gets wrong.
    refusals(sequence, root, paws, classifier, cpu)


def refusals(sequence, root, paws, classifier, cpu):
    def refused(*arguments, parts):
        sequence.run(*arguments, code=2)
        lines = [line for line in sequence.said.splitlines() if line.startswith("paws_hpc: ")]
        assert len(lines) == 1 and all(part in lines[0] for part in parts), (arguments, parts, sequence.said)

    refused(paws, parts=["CUDA"])
    refused(root / "nowhere.yaml", parts=["nowhere.yaml"])
    refused(paws, *cpu, "--sel", "fine_tune", parts=["fine_tune"])
    refused(classifier, *cpu, "--set", "meta.model_name=resnet18", "--set", "logging.folder=" + str(root / "run"), "--resume", "never",
            parts=["wide_resnet16w1", "resnet18"])
    refused(classifier, *cpu, "--resume", "never", "--set", "logging.pretrain_path=nothing.pth.tar", parts=["nothing.pth.tar", "logging.pretrain_path"])
    refused(paws, *cpu, "--set", "logging.folder=" + str(root / "other"), "--set", "logging.eval_every=1", "--set", "data.validation_split=test", parts=["test"])
    refused(paws, *cpu, "--set", "logging.folder=" + str(root / "other"), "--set", "criterion.classes_per_batch=11", parts=["only 10 classes"])


if __name__ == "__main__":
    main()

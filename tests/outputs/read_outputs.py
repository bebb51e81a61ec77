#!/usr/bin/env python3
"""Trains, logs and embeds on a few images, and reads what was written with programs that are not ours: h5py and numpy,
csv, json, Google's Protocol Buffers and a CRC-32C of crcmod.

usage: read_outputs.py --paws-hpc PROGRAM --pictures FOLDER"""
import argparse
import csv
import json
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import crcmod.predefined
import h5py
import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

EPOCHS = 2
RUN = """task: paws_train
meta: {{model_name: wide_resnet16w1, output_dim: 16, use_pred_head: true, device: cpu, precision: fp32}}
criterion: {{unsupervised_batch_size: 50, classes_per_batch: 10, supervised_imgs_per_class: 2}}
data: {{dataset: cifar10, file: {0}/c.h5, subset: {0}/labelled.txt, multicrop: 0, label_smoothing: 0.1, unlabelled_count: 150}}
optimization: {{epochs: 2, lr: 0.1}}
logging: {{folder: {0}/run, write_tag: t, log_every: 1, eval_every: 1, jsonl: true, tensorboard: true, timings: true}}
"""


def event_class():
    """tensorflow.Event, as far as scalars go."""
    file = descriptor_pb2.FileDescriptorProto(name="event.proto", package="t", syntax="proto3")
    kinds = descriptor_pb2.FieldDescriptorProto
    fields = {
        "Value": [("tag", 1, kinds.TYPE_STRING, ""), ("simple_value", 2, kinds.TYPE_FLOAT, "")],
        "Summary": [("value", 1, kinds.TYPE_MESSAGE, "Value")],
        "SessionLog": [("status", 1, kinds.TYPE_INT32, "")],
        "Event": [
            ("wall_time", 1, kinds.TYPE_DOUBLE, ""),
            ("step", 2, kinds.TYPE_INT64, ""),
            ("file_version", 3, kinds.TYPE_STRING, ""),
            ("summary", 5, kinds.TYPE_MESSAGE, "Summary"),
            ("session_log", 7, kinds.TYPE_MESSAGE, "SessionLog"),
        ],
    }
    for name, members in fields.items():
        message = file.message_type.add(name=name)
        for field, number, kind, of in members:
            repeated = (name, field) == ("Summary", "value")
            label = kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL
            message.field.add(name=field, number=number, type=kind, label=label, type_name=f".t.{of}" if of else None)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    event = pool.FindMessageTypeByName("t.Event")
    try:
        return message_factory.GetMessageClass(event)
    except AttributeError:  # before protobuf 4.22
        return message_factory.MessageFactory(pool).GetPrototype(event)


def events_in(path):
    crc32c = crcmod.predefined.mkCrcFun("crc-32c")

    def require_checksum(part, stored):
        rotated = crc32c(part)
        rotated = ((rotated >> 15) | (rotated << 17)) & 0xFFFFFFFF
        assert (rotated + 0xA282EAD8) & 0xFFFFFFFF == stored, path

    event, data, place, events = event_class(), path.read_bytes(), 0, []
    while place < len(data):
        length, checksum = struct.unpack_from("<QI", data, place)
        require_checksum(data[place : place + 8], checksum)
        body = data[place + 12 : place + 12 + length]
        require_checksum(body, struct.unpack_from("<I", data, place + 12 + length)[0])
        events.append(event.FromString(body))
        place += 16 + length
    return events


def check_logs(folder):
    with open(folder / "t_r0.csv") as file:
        rows = list(csv.DictReader(file))
    objects = [json.loads(line) for line in open(folder / "t_r0.jsonl")]
    steps = [line for line in objects if "step" in line]
    evaluations = [line for line in objects if "top1" in line]
    assert list(rows[0]) == ["epoch", "itr", "paws-xent-loss", "paws-me_max-reg", "time (ms)"], rows[0]
    assert len(rows) == len(steps) > EPOCHS and len(evaluations) == EPOCHS
    (path,) = (folder / "t_tensorboard" / "r0").iterdir()
    first, start, *events = events_in(path)
    assert first.file_version == "brain.Event:2" and start.session_log.status == 1 and start.step == 1
    scalars = {}
    for event in events:
        for value in event.summary.value:
            scalars.setdefault(value.tag, {})[event.step] = value.simple_value
    for row, step in zip(rows, steps):
        assert (int(row["epoch"]), int(row["itr"])) == (step["epoch"], step["step"])
        assert abs(float(row["paws-xent-loss"]) - step["paws-xent-loss"]) < 1e-5
        for key, tag in {
            "paws-xent-loss": "loss/paws-xent-loss",
            "paws-me_max-reg": "loss/paws-me_max-reg",
            "lr": "lr",
            "pictures_per_second": "speed/pictures_per_second",
            "step_ms": "speed/step_ms",
            "data_wait": "wait/data",
            "comm_wait": "wait/comm",
        }.items():
            assert scalars[tag][step["steps_done"]] == np.float32(step[key]), key
    for line in evaluations:
        assert scalars["accuracy/top1"][line["steps_done"]] == np.float32(line["top1"])
        assert scalars["accuracy/top5"][line["steps_done"]] == np.float32(line["top5"])
    assert abs(events[-1].wall_time - objects[-1]["time"]) < 60


def check_timings(folder):
    table = json.loads((folder / "t-timings.json").read_text())
    assert (table["format"], table["version"]) == ("paws-timings", 1)
    assert table["world_size"] == len(table["hosts"]) == 1
    assert table["steps"] == table["epoch_steps"] * EPOCHS and table["warm_up_steps"] == 2
    assert table["pictures_per_step"] == 50
    assert table["checkpoint_bytes"] == (folder / "t-latest.h5").stat().st_size
    phases = "data_wait augmentation forward loss backward communication update checkpoint other".split()
    assert list(table["phases"]) == phases
    counted = table["steps"] - table["warm_up_steps"]
    for name, of_phase in {**table["phases"], "step": table["step"]}.items():
        (rank,) = of_phase["per_rank"]
        assert rank["count"] == counted and rank["min"] <= rank["median"] <= rank["max"], name
        assert of_phase["min"] == of_phase["median"] == of_phase["max"] == rank["median"], name
    assert [name for name in phases if table["phases"][name]["overlapped"]] == ["augmentation"]
    ready = [gradient["ready"] for gradient in table["gradients"]]
    assert ready == sorted(ready) and 0 < ready[0] and all(gradient["bytes"] > 0 for gradient in table["gradients"])
    layers = table["batch_norms"]
    assert [layer["forward_at"] for layer in layers] == sorted(layer["forward_at"] for layer in layers)
    assert all(layer["bytes_forward"] == 8 * (2 * layer["channels"] + 1) for layer in layers)
    assert layers[0]["backward_at"] > layers[-1]["backward_at"] > 0
    supports = 10 * 2 * 1
    assert table["gathers"] == {"forward_bytes": supports * 16 * 4 * 2, "backward_bytes": supports * 16 * 4}
    with h5py.File(folder / "t-timings.h5") as file:
        assert list(file["phases"].asstr()) == phases
        seconds, steps = file["seconds"][...], file["step_seconds"][...]
        assert seconds.shape == (1, table["steps"], len(phases)) and seconds.dtype == np.float32
        overlapped = phases.index("augmentation")
        assert np.allclose(np.delete(seconds, overlapped, 2).sum(2), steps, rtol=1e-4)
        assert (seconds >= -1e-6).all() and (seconds[:, :, overlapped] > 0).all()
        of_step = steps[0, table["warm_up_steps"] :]
        assert np.isclose(np.median(of_step), table["step"]["median"], rtol=1e-5)
        assert file["epoch"][...].tolist() == sorted(list(range(1, EPOCHS + 1)) * table["epoch_steps"])
        assert file["step"][...].tolist() == list(range(table["epoch_steps"])) * EPOCHS
        assert file["gradients/name"].asstr()[...].tolist() == [gradient["name"] for gradient in table["gradients"]]
        for group, rows in (("gradients", table["gradients"]), ("batch_norms", layers)):
            for key in set(rows[0]) - {"name"}:
                assert np.allclose(file[f"{group}/{key}"][...], [row[key] for row in rows]), (group, key)
        for key in "format version task network precision device world_size nodes threads steps pictures_per_step".split():
            assert file.attrs[key] == table[key], key


def check_embeddings(plain, small):
    with h5py.File(plain) as full, h5py.File(small) as half:
        assert full["embeddings"].dtype == np.float32 and full["embeddings"] == full["backbone"]
        assert full["embeddings"].chunks is None and list(full.attrs["outputs"]) == ["backbone"]
        assert half["embeddings"].dtype == np.float16 and half["embeddings"] == half["projection"]
        assert list(half.attrs["outputs"]) == ["projection", "backbone", "prediction"]
        assert half["backbone"].chunks == (16, 64) and half["backbone"].compression == "gzip"
        assert half["backbone"].compression_opts == 4
        names = full["names"].asstr()[:]
        assert len(names) == len(set(names)) == 40 and (half["names"].asstr()[:] == names).all()
        assert (full["index"][:] == np.arange(40)).all() and (full["labels"][:] == half["labels"][:]).all()
        a, b = full["backbone"][:], half["backbone"][:].astype(np.float32)
        assert np.abs(a - b).max() <= np.abs(a).max() * 2**-10, np.abs(a - b).max()
        probabilities = half["probabilities"][:].astype(np.float32)
        assert probabilities.shape == (40, 10) and np.allclose(probabilities.sum(1), 1, atol=5e-3)
        assert (probabilities.argmax(1) == half["predicted"][:]).mean() > 0.9  # rounding makes ties
        assert half.attrs["split"] == "val" and half.attrs["epoch"] == EPOCHS and "half: true" in half.attrs["config"]
        assert "probabilities" not in full


def check_drawing(plain, folder):
    program = Path(__file__).resolve().parents[2] / "perf/tools/draw_embeddings.py"

    def draw(*words):
        return subprocess.run([sys.executable, program, *map(str, words)], capture_output=True, text=True)

    drawn = draw(plain, folder / "image.png", "--classes", folder / "c.h5")
    assert drawn.returncode == 0 and (folder / "image.png").stat().st_size > 0, drawn.stderr
    bad = ((folder / "nowhere.h5", "no such file"), (folder / "run.yaml", "cannot be read as HDF5"), (folder / "c.h5", "has no 'embeddings'"))
    for path, words in bad:
        refused = draw(path, folder / "none.png")
        assert refused.returncode == 2 and refused.stderr.count("\n") == 1, refused.stderr
        assert str(path) in refused.stderr and words in refused.stderr, refused.stderr
    assert not (folder / "none.png").exists()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paws-hpc", required=True)
    parser.add_argument("--pictures", required=True)
    arguments = parser.parse_args()
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}

    def paws_hpc(*words):
        result = subprocess.run([arguments.paws_hpc, *map(str, words)], env=kept, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr

    with tempfile.TemporaryDirectory(prefix="paws-outputs-") as name:
        folder = Path(name)
        (folder / "run.yaml").write_text(RUN.format(folder))
        paws_hpc("pack", "--format", "cifar10", "--input", arguments.pictures, "--output", folder / "c.h5")
        paws_hpc("subset", "--data", folder / "c.h5", "--per-class", 4, "--output", folder / "labelled.txt")
        paws_hpc(folder / "run.yaml")
        check_logs(folder / "run")
        check_timings(folder / "run")
        embed = ["embed", "--checkpoint", folder / "run/t-latest.h5", "--split", "val"]
        paws_hpc(*embed, "--output", folder / "plain.h5", "--outputs", "backbone")
        paws_hpc(*embed, "--output", folder / "small.h5", "--outputs", "projection,backbone,prediction", "--half",
                 "--compression", 4, "--chunk-rows", 16, "--probabilities")
        check_embeddings(folder / "plain.h5", folder / "small.h5")
        check_drawing(folder / "plain.h5", folder)
    print("read_outputs.py: all as it should be")


if __name__ == "__main__":
    main()

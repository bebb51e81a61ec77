"""Checkpoints to PyTorch and back, with the program and with PyTorch itself: exchange.py --paws-hpc PROGRAM --data tests/inputs.

Every number is compared bit by bit: what torch.load gives with what h5py reads, and what torch.save wrote with what h5py reads of the
conversion.
"""
import argparse
import pathlib
import pickle
import subprocess
import sys
import tempfile
import zipfile

import h5py
import numpy
import torch


def run(*arguments, code=0):
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True)
    assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def arrays_of(group):
    """The arrays of a group by their names with dots, in the order that they were stored in."""
    found = []
    group.visititems(lambda name, item: found.append((item.attrs["position"], name.replace("/", "."), item[()])) if isinstance(item, h5py.Dataset) else None)
    return {name: value for _, name, value in sorted(found, key=lambda entry: entry[0])}


def same_bits(tensor, array):
    values = tensor.detach().contiguous().numpy()
    return values.dtype == array.dtype and values.shape == array.shape and values.tobytes() == numpy.asarray(array).tobytes()


def compare(checkpoint, file):
    """A dictionary of the published layout with a file of ours."""
    weights = arrays_of(file["encoder"])
    assert list(checkpoint["encoder"]) == ["module." + name for name in weights]
    assert all(same_bits(checkpoint["encoder"]["module." + name], array) for name, array in weights.items())
    parameters = [n for n in weights if not n.endswith(("running_mean", "running_var", "num_batches_tracked"))]
    numbered = [n for n in parameters if "bias" not in n and "bn" not in n] + [n for n in parameters if "bias" in n or "bn" in n]
    momentum = arrays_of(file["optimizer/momentum"])
    state = checkpoint["opt"]["state"]
    assert sorted(momentum) == sorted(numbered) and sorted(state) == list(range(len(numbered)))
    assert all(same_bits(state[i]["momentum_buffer"], momentum[name]) for i, name in enumerate(numbered))
    assert checkpoint["epoch"] == file["progress"].attrs["epoch"]


def equal(a, b):
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b)
    if isinstance(a, dict):
        return list(a) == list(b) and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(equal(x, y) for x, y in zip(a, b))
    return type(a) is type(b) and a == b


def load_weights_only(path):
    """None where this PyTorch cannot: 1.13 has the option, but knows no floating-point numbers."""
    try:
        return torch.load(path, weights_only=True)
    except TypeError:
        return None
    except Exception as error:
        if "Unsupported operand 71" in str(error):
            return None
        raise


def the_way_of_users(paws_hpc, data, folder):
    """CIFAR-10's files, two epochs of training, conversion, PyTorch, and back."""
    config = folder / "run.yaml"
    config.write_text(f"""task: paws_train
meta: {{model_name: wide_resnet16w1, output_dim: 16, use_pred_head: true, device: cpu, precision: fp32}}
criterion: {{unsupervised_batch_size: 16, classes_per_batch: 10, supervised_imgs_per_class: 1, supervised_views: 1, temperature: 0.1, sharpen: 0.25, me_max: true}}
data: {{dataset: cifar10, root_path: {data}, image_folder: cifar-10-batches-py, multicrop: 0, label_smoothing: 0.1, unlabeled_frac: 0.0}}
optimization: {{epochs: 1, warmup: 0, lr: 0.4, final_lr: 0.01, momentum: 0.9, weight_decay: 1.0e-06}}
logging: {{folder: {folder / "run"}, write_tag: paws}}
""")
    run(paws_hpc, config)
    ours, theirs, back = folder / "run/paws-latest.h5", folder / "paws-latest.pth.tar", folder / "back.h5"
    run(paws_hpc, "convert", ours, theirs)
    checkpoint = torch.load(theirs, map_location="cpu")
    with h5py.File(ours) as file:
        compare(checkpoint, file)
    safe = load_weights_only(theirs)
    assert safe is None or equal(safe, checkpoint)
    assert checkpoint["lr"] == 0.4 and checkpoint["opt"]["param_groups"][1]["LARS_exclude"] is True
    run(paws_hpc, "convert", theirs, back)
    assert back.read_bytes() == ours.read_bytes()
    # PyTorch's own optimiser takes the state.
    names = [n for n in checkpoint["encoder"] if not n.endswith(("running_mean", "running_var", "num_batches_tracked"))]
    groups = [[torch.nn.Parameter(checkpoint["encoder"][n]) for n in names if ("bias" in n or "bn" in n) == second] for second in (False, True)]
    optimizer = torch.optim.SGD([{"params": group} for group in groups], lr=1, momentum=0.9)
    optimizer.load_state_dict(checkpoint["opt"])
    assert optimizer.param_groups[1]["weight_decay"] == 0 and optimizer.param_groups[0]["lr"] == 0.4
    assert all("momentum_buffer" in optimizer.state[p] for group in groups for p in group)
    # Saved again by PyTorch, in both formats, it is still the same.
    for legacy in (False, True):
        torch.save(checkpoint, theirs, _use_new_zipfile_serialization=not legacy)
        run(paws_hpc, "convert", theirs, back)
        assert back.read_bytes() == ours.read_bytes()


def the_published_file(paws_hpc, data, folder):
    original = torch.load(data / "reference_ckpt_small.pth.tar", map_location="cpu")
    run(paws_hpc, "convert", data / "reference_ckpt_small.pth.tar", folder / "small.h5")
    with h5py.File(folder / "small.h5") as file:
        compare(original, file)
    run(paws_hpc, "convert", folder / "small.h5", folder / "small.pth.tar")
    assert equal(torch.load(folder / "small.pth.tar"), original)


def a_plain_state_dict(paws_hpc, folder):
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Conv2d(4, 4, 3)).to(memory_format=torch.channels_last)
    torch.save(module.half().state_dict(), folder / "plain.pth")
    run(paws_hpc, "convert", folder / "plain.pth", folder / "plain.h5")
    with h5py.File(folder / "plain.h5") as file:
        for name, array in arrays_of(file["encoder"]).items():
            tensor = module.state_dict()[name]
            assert same_bits(tensor.float() if tensor.is_floating_point() else tensor, array), name
    run(paws_hpc, "convert", folder / "plain.h5", folder / "again.pth")
    again = torch.load(folder / "again.pth")
    assert equal(again, dict(module.state_dict())) and again._metadata == module.state_dict()._metadata
    safe = load_weights_only(folder / "again.pth")
    assert safe is None or equal(safe, again)
    module.load_state_dict(again)


def repacked(source, target):
    """The same zip file with compressed entries."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry))
    return target


def whatever_torch_loads(paws_hpc, folder):
    """Files that torch.save writes when asked to, or that came out of other hands: the numbers are those of torch.load."""
    flat = torch.randn(400000)
    weights = {}
    for i in range(20):
        weights[f"bn{i}.weight"] = flat[i * 20000 : (i + 1) * 20000]
        weights[f"bn{i}.num_batches_tracked"] = torch.tensor(i)
    weights["expanded"] = flat[:1].expand(1000, 1000)
    weights["transposed"] = flat[:200000].reshape(400, 500).t()
    files = [folder / name for name in ("flat.pth", "protocol4.pth", "legacy.pth", "legacy4.pth")]
    torch.save(weights, files[0])
    torch.save(weights, files[1], pickle_protocol=4)
    torch.save(weights, files[2], _use_new_zipfile_serialization=False)
    torch.save(weights, files[3], _use_new_zipfile_serialization=False, pickle_protocol=4)
    files.append(repacked(files[0], folder / "deflated.pth"))
    files.append(folder / "longer.pth")
    files[-1].write_bytes(files[0].read_bytes() + b"after the end")
    for path in files:
        expected = torch.load(path)
        run(paws_hpc, "convert", path, folder / "any.h5")
        with h5py.File(folder / "any.h5") as file:
            arrays = arrays_of(file["encoder"])
        assert list(arrays) == list(expected)
        assert all(same_bits(expected[name], array) for name, array in arrays.items()), path
    assert "whole" in run(paws_hpc, "inspect", folder / "deflated.pth")


def progress(paws_hpc, data, folder):
    """An epoch may be any whole number."""
    original = torch.load(data / "reference_ckpt_small.pth.tar", map_location="cpu")
    torch.save({**original, "epoch": torch.tensor(17)}, folder / "epoch.pth")
    run(paws_hpc, "convert", folder / "epoch.pth", folder / "epoch.h5")
    with h5py.File(folder / "epoch.h5") as file:
        compare(original, file)
    run(paws_hpc, "convert", folder / "epoch.h5", folder / "again.pth")
    assert equal(torch.load(folder / "again.pth"), torch.load(folder / "epoch.pth"))
    torch.save({**original, "epoch": torch.tensor([1, 2])}, folder / "epoch.pth")
    message = run(paws_hpc, "convert", folder / "epoch.pth", folder / "none.h5", code=2)
    assert message.count("\n") == 1 and "'epoch'" in message and not (folder / "none.h5").exists(), message


def what_is_no_checkpoint(paws_hpc, folder):
    module = torch.nn.Sequential(torch.nn.Linear(2, 2))
    torch.save(module, folder / "module.pth")
    torch.jit.script(module).save(folder / "script.pt")
    for name, tensor in (("sparse", torch.eye(3).to_sparse()), ("quantised", torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)),
                         ("complex", torch.ones(3, dtype=torch.complex64))):
        torch.save({"encoder": {"a.weight": torch.ones(2), "b.weight": tensor}}, folder / f"{name}.pth")
    with (folder / "pickled.pth").open("wb") as file:
        pickle.dump({"a": 1}, file)
    for name, words in (("module.pth", "whole module"), ("script.pt", "TorchScript"), ("sparse.pth", "'encoder.b.weight' is sparse"),
                        ("quantised.pth", "'encoder.b.weight' is quantised"), ("complex.pth", "'encoder.b.weight' is of the type torch.ComplexFloat"),
                        ("pickled.pth", "pickle of Python")):
        message = run(paws_hpc, "convert", folder / name, folder / "none.h5", code=2)
        assert message.count("\n") == 1 and name in message and words in message, message
    assert not (folder / "none.h5").exists()


def errors(paws_hpc, folder):
    class Harm:
        def __reduce__(self):
            return (open, (str(folder / "harm"), "w"))

    torch.save({"encoder": {"a": torch.zeros(1)}, "harm": Harm()}, folder / "harm.pth")
    message = run(paws_hpc, "convert", folder / "harm.pth", folder / "harm.h5", code=2)
    assert message.count("\n") == 1 and "harm.pth" in message and "open" in message, message
    assert not (folder / "harm").exists() and not (folder / "harm.h5").exists()
    message = run(paws_hpc, "convert", folder / "small.h5", folder / "small.txt", code=2)
    assert message.count("\n") == 1 and "small.txt" in message, message
    assert "IN OUT" in run(paws_hpc, "convert", "--help")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--paws-hpc", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        the_way_of_users(arguments.paws_hpc, arguments.data, folder)
        the_published_file(arguments.paws_hpc, arguments.data, folder)
        a_plain_state_dict(arguments.paws_hpc, folder)
        whatever_torch_loads(arguments.paws_hpc, folder)
        progress(arguments.paws_hpc, arguments.data, folder)
        what_is_no_checkpoint(arguments.paws_hpc, folder)
        errors(arguments.paws_hpc, folder)
    print(f"PyTorch {torch.__version__}: all equal")
    return 0


if __name__ == "__main__":
    sys.exit(main())

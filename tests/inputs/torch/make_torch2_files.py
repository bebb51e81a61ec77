"""Makes the files here whose names begin with torch2: `python3 make_torch2_files.py` in this folder (needs PyTorch 2; made with 2.15)."""
import torch

numbers = torch.arange(6.0)
flat = torch.arange(100.0)


def negative(values):
    """The same numbers as a view with the "neg" bit: saved are their negatives, and {'neg': True}."""
    values = torch.view_as_complex(torch.stack([values, -values], 1)).conj().imag
    assert values.is_neg()
    return values


parameter = torch.nn.Parameter(numbers.clone())
parameter.note = "an attribute"
tensor = numbers.clone()
tensor.note = "an attribute"
values = {
    "plain": numbers,
    "negative": negative(numbers),
    "negative double": negative(numbers.double()),
    "parameter": torch.nn.Parameter(numbers.clone()),
    "parameter with an attribute": parameter,
    "tensor with an attribute": tensor,
    "buffer": torch.nn.Buffer(numbers.clone()),
    # Views of one storage with others between them.
    "views": {f"{i}.{name}": value for i in range(5) for name, value in (("weight", flat[20 * i : 20 * i + 20]), ("count", torch.tensor(i)))},
}
torch.save(values, "torch2_values.pth")
torch.save(values, "torch2_protocol4.pth", pickle_protocol=4)
for name in ("negative", "negative double"):
    values[name] = values[name].resolve_neg()
torch.save(values, "torch2_legacy_protocol4.pth", _use_new_zipfile_serialization=False, pickle_protocol=4)
torch.save(torch.nn.Sequential(torch.nn.Linear(1, 1)), "torch2_module.pth")

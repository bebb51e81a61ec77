"""Makes the files here: `/usr/bin/python3 make_torch_files.py` in this folder (needs PyTorch; made with 1.13)."""
import torch

numbers = torch.arange(24, dtype=torch.float32)
matrix = numbers.reshape(4, 6)
values = {
    "float32": torch.tensor([0.1, -0.0, float("inf")]),
    "float64": torch.tensor([[0.1], [1e300]], dtype=torch.float64),
    # The largest, the smallest normal and the smallest half numbers, and bfloat16's.
    "float16": torch.tensor([1.5, -65504.0, 6.103515625e-05, 5.960464477539063e-08, -0.0, float("inf")], dtype=torch.float16),
    "bfloat16": torch.tensor([1.5, -3.3895e38, 1e-40, -0.0], dtype=torch.bfloat16),
    "int64": torch.tensor([1 << 60, -1]),
    "int32": torch.tensor([1 << 30, -1], dtype=torch.int32),
    "int16": torch.tensor([1 << 14, -1], dtype=torch.int16),
    "int8": torch.tensor([127, -128], dtype=torch.int8),
    "uint8": torch.tensor([255, 0], dtype=torch.uint8),
    "bool": torch.tensor([True, False]),
    "scalar": torch.tensor(7),
    "empty": torch.zeros(0, 3),
    "transposed": matrix.t(),
    "part": matrix[1:3, ::2],
    "end": numbers[20:],
    "expanded": numbers[5:6].expand(2, 3),
    "channels_last": numbers.reshape(1, 2, 3, 4).contiguous(memory_format=torch.channels_last),
    "parameter": torch.nn.Parameter(numbers[:2]),
    "plain": [None, True, False, 200, 60000, -2, 1 << 40, 0.1, "grün", (1, (2,)), b"\x00\xff", torch.Size([3, 4])],
    3: "a number as a key",
}
torch.save(values, "values.pth")
torch.save(values, "values_legacy.pth", _use_new_zipfile_serialization=False)
torch.manual_seed(0)
torch.save(torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3)).state_dict(), "module.pth")

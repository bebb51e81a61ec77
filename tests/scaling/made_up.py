"""Timings of a rank that nobody ran: a chain of batch norms, and gradients that are ready one after the other."""


def summary(value, ranks=1):
    one = {"min": value, "median": value, "max": value, "mean": value, "count": 10}
    return {"overlapped": False, "median": value, "min": value, "max": value, "per_rank": [one] * ranks}


def timings(forward=0.1, backward=0.2, layers=10, norm_bytes=1024, gradient_bytes=1 << 20, ranks=1, **scalars):
    """A document as TAG-timings.json has it."""
    phases = {"data_wait": 0.0, "augmentation": 0.01, "forward": forward, "loss": 0.01, "backward": backward,
              "communication": 0.0, "update": 0.005, "checkpoint": 0.0, "other": 0.001}
    step = sum(seconds for name, seconds in phases.items() if name != "augmentation")
    document = {
        "format": "paws-timings", "version": 1, "created_by": "tests", "task": "paws_train", "network": "wide_resnet16w1", "precision": "fp32",
        "device": "cpu", "world_size": ranks, "nodes": 1, "hosts": ["here"] * ranks, "threads": 1, "steps": 10, "warm_up_steps": 2,
        "pictures_per_step": 8 * ranks, "epoch_steps": 10, "step": summary(step, ranks),
        "phases": {name: summary(seconds, ranks) for name, seconds in phases.items()},
        "gradients": [{"name": f"layer{i}", "bytes": gradient_bytes, "ready": backward * (i + 1) / layers} for i in range(layers)],
        "batch_norms": [{"channels": 32, "bytes_forward": norm_bytes, "bytes_backward": norm_bytes, "forward_at": forward * (i + 1) / layers,
                         "backward_at": backward * (layers - i) / layers} for i in range(layers)],
        "gathers": {"forward_bytes": 20480, "backward_bytes": 20480}, "checkpoint_bytes": 1 << 22,
    }
    return {**document, **scalars}

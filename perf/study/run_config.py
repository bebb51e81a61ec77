"""The configuration of paws_hpc for a run of a study."""

import copy

import yaml

from study.errors import Refused

BASE = {
    "task": "paws_train",
    "meta": {"output_dim": 128, "use_pred_head": False},
    "criterion": {"supervised_views": 1, "temperature": 0.1, "sharpen": 0.25, "me_max": True},
    "data": {"label_smoothing": 0.1, "color_jitter_strength": 0.5, "normalize": True},
    "optimization": {"warmup": 0, "start_lr": 0.1, "lr": 0.1, "final_lr": 0.1, "momentum": 0.9, "weight_decay": 1.0e-06},
    "logging": {},
}
#: Where real pictures come from; synthetic ones need none of it.
PLACES = ("file", "subset", "subset_path", "root_path", "image_folder", "copy_data", "unlabeled_frac", "data_seed", "skip_broken")


def _base(study):
    if not study.config:
        return copy.deepcopy(BASE)
    try:
        with open(study.config, encoding="utf-8") as file:
            document = yaml.safe_load(file)
    except (OSError, yaml.YAMLError) as error:
        raise Refused(f"{study.config}: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict) or not all(isinstance(section, dict) for key, section in document.items() if key != "task"):
        raise Refused(f"{study.config}: no configuration of paws_hpc; configs/ has some")
    return document


def configuration(study, run, folder, tag="study"):
    """A dictionary for YAML: one epoch of `study.steps` steps of every rank, with timings."""
    document = _base(study)
    for section in ("meta", "criterion", "data", "optimization", "logging"):
        document.setdefault(section, {})
    document["task"] = "paws_train"
    ranks = 1 if run.apart else run.ranks
    pictures = run.pictures * ranks * study.steps
    document["meta"].update(model_name=run.network, precision=run.precision, device=study.device, threads=study.threads)
    document["meta"].pop("use_fp16", None)
    document["criterion"].update(unsupervised_batch_size=run.pictures, classes_per_batch=study.classes, supervised_imgs_per_class=run.images_per_class)
    if study.data == "synthetic":
        for key in PLACES:
            document["data"].pop(key, None)
        # The step alone is measured: making views is another study's subject.
        document["data"].update(dataset="synthetic", num_classes=study.classes, synthetic_train=max(pictures, study.classes),
                                synthetic_validation=study.classes, crop_size=study.large, multicrop=study.multicrop, small_crop_size=study.small,
                                synthetic_height=study.large, synthetic_width=study.large, reuse_views=True, unique_classes_per_rank=False)
    document["data"]["unlabelled_count"] = pictures
    document["optimization"].update(epochs=1, warmup=0)
    document["logging"].update(folder=str(folder), write_tag=tag, timings=True, log_every=max(1, study.steps), eval_every=0,
                               checkpoint_minutes=0, keep_last=1)
    for key, value in study.settings:
        section, name = key.split(".")
        document.setdefault(section, {})[name] = value
    return document


def write(document, path):
    with open(path, "w", encoding="utf-8") as file:
        yaml.safe_dump(document, file, sort_keys=False)

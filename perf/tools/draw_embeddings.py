#!/usr/bin/env python3
"""Draws a paws-embeddings file: each image a point, coloured by class.

usage: draw_embeddings.py EMBEDDINGS.h5 OUTPUT.png [--classes DATASET.h5] [--output-name NAME] [--method tsne|pca] [--points N]

t-SNE needs scikit-learn; without it the two strongest principal components are drawn.
"""

import argparse
from pathlib import Path

import h5py
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np


def principal_components(points):
    centred = points - points.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    return centred @ directions[:2].T


def neighbour_map(points):
    from sklearn.manifold import TSNE

    return TSNE(metric="cosine", init="pca", learning_rate="auto", random_state=0).fit_transform(points)


def opened(path, parser):
    """The HDF5 file; ends the program with one line where it cannot be read."""
    if not Path(path).is_file():
        parser.exit(2, f"{parser.prog}: {path}: there is no such file; check the path\n")
    try:
        return h5py.File(path)
    except OSError as error:
        reason = str(error).splitlines()[0]
        parser.exit(2, f"{parser.prog}: {path}: cannot be read as HDF5 ({reason}); give a file of paws_hpc\n")


def required(file, name, path, parser):
    """A data set of the file, likewise."""
    if name not in file:
        there = ", ".join(file) or "nothing"
        parser.exit(2, f"{parser.prog}: {path}: has no '{name}', but {there}; name another file, or --output-name\n")
    return file[name]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("embeddings")
    parser.add_argument("output")
    parser.add_argument("--classes", help="the packed data set, for the names of the classes")
    parser.add_argument("--output-name", default="embeddings", help="backbone, projection or prediction, if the file has it")
    parser.add_argument("--method", choices=("tsne", "pca"), default="pca")
    parser.add_argument("--points", type=int, default=5000)
    arguments = parser.parse_args()

    with opened(arguments.embeddings, parser) as file:
        points = required(file, arguments.output_name, arguments.embeddings, parser)[: arguments.points].astype(np.float32)
        labels = required(file, "labels", arguments.embeddings, parser)[: arguments.points]
        split = file.attrs.get("split", "")
    names = [str(k) for k in range(labels.max() + 1)]
    if arguments.classes:
        with opened(arguments.classes, parser) as file:
            names = list(required(file, "class_names", arguments.classes, parser).asstr()[:])

    points = points / np.linalg.norm(points, axis=1, keepdims=True)
    place = neighbour_map(points) if arguments.method == "tsne" else principal_components(points)

    figure, axes = plt.subplots(figsize=(8, 6), dpi=110)
    colours = plt.get_cmap("tab10" if len(names) <= 10 else "tab20")
    for k, name in enumerate(names):
        chosen = labels == k
        axes.scatter(place[chosen, 0], place[chosen, 1], s=5, color=colours(k % colours.N), label=name, linewidths=0)
    axes.set_title(f"{len(points)} images of '{split}', {arguments.method.upper()} of their embeddings")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.legend(markerscale=3, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.tight_layout()
    figure.savefig(arguments.output)
    print(f"{arguments.output}: {len(points)} points")


if __name__ == "__main__":
    main()

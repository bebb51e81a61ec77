#!/usr/bin/python3
"""Soft nearest-neighbour evaluation with top-1 and top-5, by blocks of queries; the peer of bench_snn_eval."""

from common import Peer, main, torch
from torch.nn.functional import normalize, one_hot, softmax

QUERIES, SUPPORTS, DIMS, CLASSES = 4096, 12000, 2048, 1000
TEMPERATURE = 0.1


def hits(probabilities, wanted):
    """probabilities [N, K], wanted classes [N] to the numbers of top-1 and top-5 hits."""
    found = probabilities.topk(5, dim=1).indices == wanted[:, None]
    return torch.stack([found[:, 0].sum(), found.sum()])


def evaluation(block, class_sums):
    """class_sums(weights [N, M]): the sums of each query's weights over the supports of each class [N, K]."""
    queries, supports = torch.randn(QUERIES, DIMS), torch.randn(SUPPORTS, DIMS)
    wanted = torch.arange(QUERIES) % CLASSES

    @torch.inference_mode()
    def call():
        q, s = normalize(queries) / TEMPERATURE, normalize(supports).T
        counts = sum(
            hits(class_sums(softmax(some @ s, dim=1)), labels)
            for some, labels in zip(q.split(block), wanted.split(block))
        )
        return (counts / QUERIES).tolist()

    return call


def shipped():
    labels = one_hot(torch.arange(SUPPORTS) % CLASSES).float()
    return evaluation(256, lambda weights: weights @ labels)


def tuned():
    """Larger blocks, and a sum over the supports of a class instead of a product with their one-hot labels."""
    return evaluation(1024, lambda weights: weights.unflatten(1, (-1, CLASSES)).sum(1))


if __name__ == "__main__":
    main({"4096x12000": Peer(QUERIES, shipped, tuned)}, __doc__)

#!/usr/bin/python3
"""Soft nearest-neighbour evaluation with top-1 and top-5, by blocks of queries; the peer of bench_snn_eval."""

from common import Peer, main, torch
from torch.nn.functional import normalize, one_hot, softmax

DIMS, CLASSES = 2048, 1000
TEMPERATURE = 0.1


def hits(probabilities, wanted):
    """probabilities [N, K], wanted classes [N] to the numbers of top-1 and top-5 hits."""
    found = probabilities.topk(5, dim=1).indices == wanted[:, None]
    return torch.stack([found[:, 0].sum(), found.sum()])


def evaluation(queries_count, supports_count, block, class_sums):
    """class_sums(weights [N, M]): the sums of each query's weights over the supports of each class [N, K]."""
    queries, supports = torch.randn(queries_count, DIMS), torch.randn(supports_count, DIMS)
    wanted = torch.arange(queries_count) % CLASSES

    @torch.inference_mode()
    def call():
        q, s = normalize(queries) / TEMPERATURE, normalize(supports).T
        counts = sum(
            hits(class_sums(softmax(some @ s, dim=1)), labels)
            for some, labels in zip(q.split(block), wanted.split(block))
        )
        return (counts / queries_count).tolist()

    return call


def shipped(queries, supports):
    labels = one_hot(torch.arange(supports) % CLASSES).float()
    return evaluation(queries, supports, 256, lambda weights: weights @ labels)


def tuned(queries, supports):
    """Larger blocks, and a sum over the supports of a class instead of a product with their one-hot labels."""
    block = min(1024, 60_000_000 // supports)
    return evaluation(queries, supports, block, lambda weights: weights.unflatten(1, (-1, CLASSES)).sum(1))


def peer(*sizes):
    return Peer(sizes[0], lambda: shipped(*sizes), lambda: tuned(*sizes))


if __name__ == "__main__":
    main({"4096x12000": peer(4096, 12000), "2000x120000": peer(2000, 120000)}, __doc__)

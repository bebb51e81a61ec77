"""How gradients are put together for reductions, as src/comm/gradient_reducer.cpp does it."""


def make_buckets(gradients, limit):
    """[(bytes, ready)] of buckets: gradients (bytes, ready) in order of readiness fill one until the next would exceed `limit`
    bytes; a bucket is reduced when its last gradient is ready, and not before the ones in front of it."""
    buckets = []
    for size, ready in gradients:
        if not buckets or (buckets[-1][0] > 0 and buckets[-1][0] + size > limit):
            buckets.append([0, 0.0])
        buckets[-1][0] += size
        buckets[-1][1] = max(buckets[-1][1], ready)
    started = 0.0
    for bucket in buckets:
        started = bucket[1] = max(bucket[1], started)
    return [tuple(bucket) for bucket in buckets]

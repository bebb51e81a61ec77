#pragma once

#include "kernels/batch_norm/backward.hpp"
#include "kernels/batch_norm/forward.hpp"
#include "kernels/batch_norm/statistics.hpp"

// Batch normalisation with the ReLU that follows it, for images in channels-last order seen as [R, C], R = N·H·W, or on
// the host in blocks of channels (batch_norm/blocked.hpp).
// Memory is what bounds it: forward reads x twice and writes y once, backward reads x and grad_y twice and writes
// grad_x once; the ReLU's mask is computed again from x instead of being kept. At the end of a residual block the
// shortcut is added in the same pass. Statistics are separate functions, so that they can be summed over ranks between
// the two halves of either pass. Images are stored as double, float, bfloat16 or float16, and the values per channel
// are `Real`: double or float.

#pragma once

namespace paws::device
{
/// OpenBLAS keeps threads of its own, which go on spinning for milliseconds after each product and take the cores away
/// from LibTorch's and Kokkos' (a fifth of a small network's step). This makes it use the calling thread only; products
/// that are worth more threads go through `multiply` (matrix_product.hpp). Without OpenBLAS it does nothing.
void use_one_blas_thread();
}  // namespace paws::device

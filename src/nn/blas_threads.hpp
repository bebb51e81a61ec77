#pragma once

#include <cstdint>

namespace paws::nn
{
/// OpenBLAS keeps threads of its own, which go on spinning for milliseconds after each product and take the cores away
/// from LibTorch's and Kokkos' (a fifth of a small network's step). So products run on one thread, and only large ones,
/// inside such a scope, on all. Without OpenBLAS these do nothing.
class BlasThreads
{
public:
    /// For products of rows × columns × depth.
    BlasThreads(std::int64_t rows, std::int64_t columns, std::int64_t depth);
    ~BlasThreads();
    BlasThreads(const BlasThreads&) = delete;
    BlasThreads& operator=(const BlasThreads&) = delete;

private:
    bool raised_;
};

/// What holds outside of such scopes.
void use_one_blas_thread();
}  // namespace paws::nn

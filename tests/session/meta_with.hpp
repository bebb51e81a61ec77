#pragma once

#include "src/config/config.hpp"

namespace paws::test
{
/// Settings that ask for a precision by either key.
inline config::Meta meta_with(bool use_fp16, config::Precision precision)
{
    config::Meta meta;
    meta.use_fp16 = use_fp16;
    meta.precision = precision;
    return meta;
}
}  // namespace paws::test

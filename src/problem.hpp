// From a problem to a work: every size known to be sane, every default filled in.
#pragma once

#include "core/work.hpp"

#include <gpuconv/problem.hpp>

namespace gpuconv::detail {

/// Throws InvalidArgument.
Work check(Problem const&);

/// Throws OutOfMemory where `bytes`, which are about to be allocated, exceed the memory that the process may use. What
/// callers pass is there already, and may be mapped files or overlapping rows: it is not counted. A double: sums of
/// sizes that cannot overflow.
void check_fits(double bytes);

/// Throws InvalidArgument for what DeviceBuffer makes of a negative size or one that overflows.
void check_device_bytes(std::size_t bytes);

/// a * b, or the largest value; for non-negative numbers.
std::int64_t saturating_multiply(std::int64_t a, std::int64_t b);

}  // namespace gpuconv::detail

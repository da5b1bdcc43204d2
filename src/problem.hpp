// A checked problem: every size known to be sane, every default filled in.
#pragma once

#include <gpuconv/problem.hpp>

namespace gpuconv::detail {

struct Geometry {
  std::int64_t signal, filter, batch;
  std::int64_t filters;        // rows of filters: 1 or batch
  std::int64_t first, length;  // the slice
  Type signal_type, filter_type, result_type;
  double bytes;  // of all arrays together

  std::int64_t full() const { return signal + filter - 1; }
  std::int64_t filter_row(std::int64_t row) const { return filters == 1 ? 0 : row; }
  // What solvers compute in: the floating result type, or unsigned 64-bit for all integers (exact modulo 2^64).
  Type compute_type() const { return is_floating(result_type) ? result_type : Type::uint64; }
};

/// Throws InvalidArgument.
Geometry check(Problem const&);

/// Throws OutOfMemory where `bytes` exceed the machine's memory. A double: sums of sizes that cannot overflow.
void check_fits(double bytes);

/// Throws InvalidArgument for what DeviceBuffer makes of a negative size or one that overflows.
void check_device_bytes(std::size_t bytes);

/// a * b, or the largest value; for non-negative numbers.
std::int64_t saturating_multiply(std::int64_t a, std::int64_t b);

}  // namespace gpuconv::detail

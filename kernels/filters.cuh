// What the methods of blocks have in common: the filters' scale, what a transform's results are worth near overflow,
// and the direct sums that take their place there.
#pragma once

#include "elements.cuh"

#include "core/long_sum.hpp"

#include <cfloat>

namespace gpuconv::kernels {

/// Spectra are of the filter times 2^-exponent, so that magnitudes near the ends of the exponent's range neither
/// overflow nor vanish in a transform; 0 for what is far from them.
__device__ inline int filter_exponent(Filters const& filters, std::int64_t f) {
  constexpr int moderate = 30;
  const unsigned long long largest = filters.largest[f];
  const int exponent = static_cast<int>(largest >> 52) - 1022;  // of the power of two above a double of these bits
  return largest == 0 || (-moderate <= exponent && exponent <= moderate) ? 0 : exponent;
}

__device__ inline void set_power_of_two(int exponent, float& to) { to = __int_as_float((127 + exponent) << 23); }
__device__ inline void set_power_of_two(int exponent, double& to) {
  to = __longlong_as_double((1023LL + exponent) << 52);
}

/// 2^exponent as a product of two numbers, since it may be out of range by itself.
template <class C>
struct Power {
  C half, rest;
  __device__ explicit Power(int exponent) {
    set_power_of_two(exponent / 2, half);
    set_power_of_two(exponent - exponent / 2, rest);
  }
};

/// Whether a transform's result can be trusted to be finite: to half the largest number, from where the transform's
/// error does not reach to infinity.
__device__ inline bool is_safe(float y) { return fabsf(y) <= FLT_MAX / 2; }
__device__ inline bool is_safe(double y) { return fabs(y) <= DBL_MAX / 2; }

/// Outputs begin, begin + step, ... of the `count` outputs from `output` on of a row as direct sums, over the samples
/// and taps that exist: NaN and infinity stay local.
template <class C>
__device__ __attribute__((noinline)) void sum_directly(Operands const& operands, Filters const& filters,
                                                       std::int64_t row, std::int64_t output, std::int64_t count,
                                                       std::int64_t begin, std::int64_t step) {
  const std::int64_t samples = operands.part.samples;
  C const* const taps = static_cast<C const*>(filters.taps) + operands.loops.filter_of(row) * filters.columns;
  visit_type(operands.signal.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (detail::kConverts<T, C>) {
      T const* const from = row_of<T>(operands.signal, operands.loops, row);
      C* const out = static_cast<C*>(operands.out.data) + operands.out.offset(operands.loops, row);
      for (std::int64_t i = begin; i < count; i += step) {
        const std::int64_t k = operands.part.first + output + i, oldest = max(std::int64_t{0}, k - samples + 1);
        std::int64_t j = min(filters.columns, k + 1) - 1;
        T const* x = from + (k - j) * operands.signal.stride;
        detail::LongSum<C> total;
        while (j >= oldest) {
          C sum = 0;
          for (const std::int64_t end = max(oldest, j - detail::kRepairPiece + 1); j >= end;
               --j, x += operands.signal.stride)
            sum = multiply_add(static_cast<C>(*x), taps[j], sum);
          total.add(sum);
        }
        out[(output + i) * operands.out.stride] = total.value();
      }
    }
  });
}

}  // namespace gpuconv::kernels

// What the methods of blocks have in common: the filters' scale, and which outputs have kept their digits.
#pragma once

#include "elements.cuh"

#include <cfloat>

namespace gpuconv::kernels {

template <class C>
inline constexpr C kSmallest = std::is_same_v<C, float> ? C(FLT_MIN) : C(DBL_MIN);  // normal
template <class C>
inline constexpr C kLargest = std::is_same_v<C, float> ? C(FLT_MAX) : C(DBL_MAX);

/// The exponent of the power of two above x, as far as both it and its reciprocal are normal numbers.
__device__ inline int exponent_above(float x) { return min((__float_as_int(x) >> 23 & 0xff) - 126, 127); }
__device__ inline int exponent_above(double x) {
  return min(static_cast<int>(__double_as_longlong(x) >> 52 & 0x7ff) - 1022, 1023);
}

/// The properties of a filter that a block's kernels have to know.
template <class C>
struct alignas(2 * sizeof(C)) FilterFacts {
  C small;       // outputs below may have lost digits, all of them; infinite where a tap is not finite
  int exponent;  // of the power of two that the spectrum lacks
};

template <class C>
__device__ inline FilterFacts<C> const& facts_of(Filters const& filters, std::int64_t f) {
  return static_cast<FilterFacts<C> const*>(filters.facts)[f];
}

template <class C>
__device__ inline bool all_finite(Filters const& filters, std::int64_t f) {
  return facts_of<C>(filters, f).small <= kLargest<C>;
}

/// Spectra are of the filter times 2^-exponent, so that magnitudes near the ends of the exponent's range neither
/// overflow nor vanish in a transform; 0 for what is far from them.
template <class C>
__device__ inline int tap_exponent(Filters const& filters, std::int64_t f) {
  constexpr int moderate = 30;
  const C largest = static_cast<C>(__longlong_as_double(static_cast<long long>(filters.magnitudes[f].largest)));
  const int exponent = exponent_above(largest);
  return largest == 0 || (-moderate <= exponent && exponent <= moderate) ? 0 : exponent;
}

/// Finds them from the filter's magnitudes, for blocks of `size` samples.
///
/// On the way through a transform denormals round in steps of u times the smallest normal number, N of which the error
/// bound u |h| |x| exceeds where an output does exceed N max(1, |h|) times that number, all with the filter and the
/// outputs as the transform has them. What is compared with it are sums of the magnitudes of up to 64 outputs.
template <class C>
__device__ __attribute__((noinline)) void keep_facts(Filters const& filters, std::int64_t f, std::int64_t size) {
  constexpr double sums = 64;
  const Magnitudes m = filters.magnitudes[f];
  const double largest = __longlong_as_double(static_cast<long long>(m.largest));
  const int exponent = tap_exponent<C>(filters, f);
  const double taps = static_cast<double>(filters.parts * filters.lines * filters.columns);
  const double norm = sqrt(taps) * ldexp(largest, -exponent);  // at most
  C small = static_cast<C>(ldexp(sums * kSmallest<C> * static_cast<double>(size) * fmax(1.0, norm), exponent));
  if (largest == 0) small = 0;
  if (m.not_finite != 0) small = C(INFINITY);
  static_cast<FilterFacts<C>*>(filters.facts)[f] = {small, exponent};
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

}  // namespace gpuconv::kernels

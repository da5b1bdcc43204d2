// Samples that are missing, and sums over what is there.
// Only for kernels.cpp: everything here lives in the target's own namespace.
#pragma once

#include "vector.hpp"

#include <cstdint>
#include <type_traits>

namespace gpuconv::detail::GPUCONV_SIMD_TARGET {
namespace {

// The lanes of a comparison.
template <class T>
using Lanes = Vector<std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>>;

// A bit for each lane that is set, of those that a comparison made.
template <class T>
GPUCONV_INLINE unsigned bits_of(Lanes<T> lanes) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return _mm512_movepi32_mask(reinterpret_cast<__m512i>(lanes));
  else return _mm512_movepi64_mask(reinterpret_cast<__m512i>(lanes));
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4) return static_cast<unsigned>(_mm256_movemask_ps(reinterpret_cast<__m256>(lanes)));
  else return static_cast<unsigned>(_mm256_movemask_pd(reinterpret_cast<__m256d>(lanes)));
#elif defined(__SSE2__)
  if constexpr (sizeof(T) == 4) return static_cast<unsigned>(_mm_movemask_ps(reinterpret_cast<__m128>(lanes)));
  else return static_cast<unsigned>(_mm_movemask_pd(reinterpret_cast<__m128d>(lanes)));
#else
  unsigned bits = 0;
  for (int i = 0; i < kLanes<T>; ++i) bits |= (lanes[i] != 0 ? 1U : 0U) << i;
  return bits;
#endif
}

template <class T>
bool any_missing(const T* from, std::int64_t count) {
  constexpr int V = kLanes<T>;
  Lanes<T> missing = {};
  std::int64_t i = 0;
  for (; count - i >= 4 * V; i += 4 * V) {
    const Vector<T> a = load(from + i), b = load(from + i + V), c = load(from + i + 2 * V), d = load(from + i + 3 * V);
    missing |= (a != a) | (b != b) | (c != c) | (d != d);
  }
  bool any = bits_of<T>(missing) != 0;
  for (; i < count; ++i) any |= from[i] != from[i];
  return any;
}

template <class T>
std::int64_t separate_missing(const T* from, T fill, T* samples, T* there, std::int64_t count) {
  constexpr int V = kLanes<T>;
  const Vector<T> filled = broadcast(fill), one = broadcast(T(1));
  std::int64_t missing = 0, i = 0;
  for (; count - i >= V; i += V) {
    const Vector<T> v = load(from + i);
    const Lanes<T> nan = v != v;
    store<T>(samples + i, nan ? filled : v);
    store<T>(there + i, nan ? Vector<T>{} : one);
    missing += __builtin_popcount(bits_of<T>(nan));
  }
  for (; i < count; ++i) {
    const T v = from[i];
    const bool nan = v != v;
    samples[i] = nan ? fill : v;
    there[i] = nan ? T(0) : T(1);
    missing += nan;
  }
  return missing;
}

// Takes the taps off that sample `i` meets: `taps` are `m` in reversed order, for outputs from i - (m - 1) on.
template <class T>
GPUCONV_INLINE void take_off(T* weights, std::int64_t outputs, const T* taps, std::int64_t m, std::int64_t i) {
  constexpr int V = kLanes<T>;
  const std::int64_t first = i - (m - 1), end = i < outputs ? i + 1 : outputs;
  std::int64_t k = first > 0 ? first : 0;
  for (; end - k >= V; k += V) store<T>(weights + k, load(weights + k) - load(taps + (k - first)));
  for (; k < end; ++k) weights[k] -= taps[k - first];
}

template <class T>
void weigh_gaps(const T* there, const T* taps, std::int64_t m, T all, T* weights, std::int64_t outputs) {
  constexpr int V = kLanes<T>;
  const std::int64_t count = outputs + m - 1;
  for (std::int64_t k = 0; k < outputs; ++k) weights[k] = all;
  std::int64_t i = 0;
  for (; count - i >= V; i += V)
    for (unsigned bits = bits_of<T>(load(there + i) == Vector<T>{}); bits != 0; bits &= bits - 1)
      take_off(weights, outputs, taps, m, i + __builtin_ctz(bits));
  for (; i < count; ++i)
    if (there[i] == 0) take_off(weights, outputs, taps, m, i);
}

template <class T>
bool divide_by_weights(const T* sums, const T* weights, T factor, T least, T* out, std::int64_t count, bool stream) {
  constexpr int V = kLanes<T>;
  const Vector<T> factors = broadcast(factor), squares = broadcast(least * least);
  Lanes<T> thin = {};
  bool any = false;
  std::int64_t i = 0;
  const auto one = [&](std::int64_t k) GPUCONV_LAMBDA {
    out[k] = sums[k] / weights[k] * factor;
    any |= weights[k] * weights[k] < least * least;
  };
  const auto vector = [&](std::int64_t k) GPUCONV_LAMBDA {
    const Vector<T> w = load(weights + k);
    thin |= w * w < squares;
    return load(sums + k) / w * factors;
  };
  if (stream) {
    for (; i < count && !aligned_to_vector(out + i); ++i) one(i);
    for (; count - i >= V; i += V) store_streaming<T>(out + i, vector(i));
    finish_streaming();
  }
  for (; count - i >= V; i += V) store<T>(out + i, vector(i));
  for (; i < count; ++i) one(i);
  return any | (bits_of<T>(thin) != 0);
}

}  // namespace
}  // namespace gpuconv::detail::GPUCONV_SIMD_TARGET

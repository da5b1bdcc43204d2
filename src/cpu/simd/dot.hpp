// Dot products: sums of few outputs, with vectors along the taps. Part of kernels.cpp.
#pragma once

#include "vector.hpp"

#include "../../core/long_sum.hpp"
#include "../simd_target.hpp"

#include <type_traits>
#include <utility>

namespace gpuconv::detail::GPUCONV_SIMD_TARGET {
namespace {

// Sums of an output that run side by side: enough to hide the latency of multiply-add where two loads make one.
inline constexpr int kDotSums = 4;
// Outputs that share a load of what is fixed, as many as there are registers for their sums.
inline constexpr int kDotGroup = kBytes == 64 ? 4 : 2;
// Products of a piece: each lane of each sum adds up an eighth of the products that a piece may have.
template <class T>
inline constexpr std::int64_t kDotPiece = kSumPiece / 8 * kDotSums* kLanes<T>;

template <class T, int Lanes>
struct Narrower {
  typedef T type __attribute__((vector_size(Lanes * sizeof(T))));
};
template <class T, int Lanes = kLanes<T>>
GPUCONV_INLINE T sum_of_lanes(typename Narrower<T, Lanes>::type v) {
  if constexpr (Lanes == 2) return v[0] + v[1];
  else return [&]<int... I>(std::integer_sequence<int, I...>) GPUCONV_LAMBDA {
      return sum_of_lanes<T, Lanes / 2>(__builtin_shufflevector(v, v, I...) +
                                        __builtin_shufflevector(v, v, (I + Lanes / 2)...));
    }
  (std::make_integer_sequence<int, Lanes / 2>{});
}

// Products of J outputs, each added up to one vector: output j's are fixed[k] * moving[k + j].
template <class T, int J>
GPUCONV_INLINE void add_products(const T* fixed, const T* moving, std::int64_t count, Vector<T> (&sum)[J]) {
  constexpr int V = kLanes<T>, A = kDotSums;
  Vector<T> part[J][A] = {};
  std::int64_t k = 0;
  const auto add = [&](int a, std::int64_t at) GPUCONV_LAMBDA {
    Vector<T> v = load(fixed + at);
    if constexpr (J > 1) keep(v), __builtin_prefetch(moving + at + 2048 / sizeof(T));
#pragma GCC unroll 4
    for (int j = 0; j < J; ++j) part[j][a] += v * load(moving + at + j);
  };
  for (; count - k >= A * V; k += A * V) {
#pragma GCC unroll 4
    for (int a = 0; a < A; ++a) add(a, k + a * V);
  }
#pragma GCC unroll 4
  for (int a = 0; a < A - 1; ++a)
    if (count - k >= V) add(a, k), k += V;
  if (const int rest = static_cast<int>(count - k); rest > 0) {  // exactly: nothing beyond the window
    const Vector<T> v = load_part(fixed + k, rest);
#pragma GCC unroll 4
    for (int j = 0; j < J; ++j) part[j][A - 1] += v * load_part(moving + k + j, rest);
  }
#pragma GCC unroll 4
  for (int j = 0; j < J; ++j) sum[j] = (part[j][0] + part[j][1]) + (part[j][2] + part[j][3]);
}

// Calls f(first, std::integral_constant<int, J>) for groups of outputs.
template <class F>
GPUCONV_INLINE void for_groups(std::int64_t outputs, F f) {
  std::int64_t o = 0;
  for (; outputs - o >= kDotGroup; o += kDotGroup) f(o, std::integral_constant<int, kDotGroup>{});
  if constexpr (kDotGroup > 2)
    if (outputs - o >= 2) f(o, std::integral_constant<int, 2>{}), o += 2;
  if (o < outputs) f(o, std::integral_constant<int, 1>{});
}

// The dot products of one row that has more products than a piece.
template <class T>
void dot_in_pieces(DotRows<T> const& d, const T* fixed, const T* moving, T* out) {
  LongSum<Vector<T>> total[kDotVectors * kLanes<T>];
  for (std::int64_t o = 0; o < d.outputs; ++o) total[o] = {};
  for (std::int64_t k = 0; k < d.count; k += kDotPiece<T>) {
    const std::int64_t left = d.count - k, count = left < kDotPiece<T> ? left : kDotPiece<T>;
    for_groups(d.outputs, [&]<int J>(std::int64_t o, std::integral_constant<int, J>) GPUCONV_LAMBDA {
      Vector<T> sum[J];
      add_products(fixed + k, moving + k + o, count, sum);
#pragma GCC unroll 4
      for (int j = 0; j < J; ++j) total[o + j].add(sum[j]);
    });
  }
  for (std::int64_t o = 0; o < d.outputs; ++o) out[o * d.out_step] = sum_of_lanes<T>(total[o].value());
}

// The dot products of rows whose sums are one piece.
template <class T, bool One>
GPUCONV_INLINE void dot_in_one(DotRows<T> const d) {
  const T *fixed = d.fixed, *moving = d.moving;
  T* out = d.out;
  const std::int64_t outputs = d.outputs, step = d.out_step, count = d.count;
  for (std::int64_t r = 0; r < d.rows; ++r, fixed += d.fixed_row, moving += d.moving_row, out += d.out_row)
    for_groups(One ? 1 : outputs, [&]<int J>(std::int64_t o, std::integral_constant<int, J>) GPUCONV_LAMBDA {
      Vector<T> sum[J];
      add_products(fixed, moving + o, count, sum);
#pragma GCC unroll 4
      for (int j = 0; j < J; ++j) out[(o + j) * step] = sum_of_lanes<T>(sum[j]);
    });
}

template <class T>
void dot(DotRows<T> const& d) {
  if (d.count <= kDotPiece<T>) return d.outputs == 1 ? dot_in_one<T, true>(d) : dot_in_one<T, false>(d);
  for (std::int64_t r = 0; r < d.rows; ++r)
    dot_in_pieces(d, d.fixed + r * d.fixed_row, d.moving + r * d.moving_row, d.out + r * d.out_row);
}

}  // namespace
}  // namespace gpuconv::detail::GPUCONV_SIMD_TARGET

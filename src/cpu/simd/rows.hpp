// Many short rows in one call: their sums one row after the other, and copies of them.
// Only for kernels.cpp: everything here lives in the target's own namespace.
#pragma once

#include "vector.hpp"

#include "../simd_target.hpp"

#include <cstdint>
#include <type_traits>
#include <utility>

namespace gpuconv::detail::GPUCONV_SIMD_TARGET {
namespace {

// J vectors of the outputs of one row. `Past`: a vector past their windows can be read. `stream`: they are written
// around the cache where they lie on vector boundaries.
template <class T, int J, bool Past, class Add>
GPUCONV_INLINE void row_tile(const T* window, const T* taps, std::int64_t count, T* out, bool stream, Add add) {
  Vector<T> sum[J] = {};
  add(sum, window, taps, count, std::bool_constant<Past>{});
  store_tile<T, J>(sum, out, stream && aligned_to_vector(out));
}

// Up to W vectors at a time, in the same way for all rows. The last one overlaps with the one before it where there is
// one, and reaches past the outputs where there is none.
template <class T, int W, class Add>
GPUCONV_INLINE void row(const T* x, const T* taps, std::int64_t count, T* out, std::int64_t outputs, bool stream,
                        Add add) {
  constexpr int V = kLanes<T>;
  std::int64_t i = 0;
  const auto tile = [&]<int J, bool Past>(std::integral_constant<int, J>, std::bool_constant<Past>) GPUCONV_LAMBDA {
    row_tile<T, J, Past>(x + i, taps, count, out + i, stream, add);
    i += J * V;
  };
  while (outputs - i >= (W + 1) * V) tile(std::integral_constant<int, W>{}, std::true_type{});
  if (outputs - i >= W * V) tile(std::integral_constant<int, W>{}, std::false_type{});
  if constexpr (W > 8) {
    if (outputs - i >= 9 * V) tile(std::integral_constant<int, 8>{}, std::true_type{});
    else if (outputs - i >= 8 * V) tile(std::integral_constant<int, 8>{}, std::false_type{});
  }
  if (outputs - i >= 4 * V) tile(std::integral_constant<int, 4>{}, std::false_type{});
  if (outputs - i >= 2 * V) tile(std::integral_constant<int, 2>{}, std::false_type{});
  if (outputs - i >= V) tile(std::integral_constant<int, 1>{}, std::false_type{});
  if (outputs == i) return;
  if (i > 0) i = outputs - V;
  tile(std::integral_constant<int, 1>{}, std::false_type{});
}

// Vectors of N elements.
template <class T, int N>
struct Short {
  typedef T type __attribute__((vector_size(N * sizeof(T))));
  typedef T unaligned __attribute__((vector_size(N * sizeof(T)), aligned(alignof(T)), may_alias));
};

// Rows of J vectors of N outputs, with up to a vector of taps: few enough for a loop without branches. The last vector
// overlaps with the one before it, or reaches past the outputs.
template <class T, int N, int J>
void few_vectors(RowSums<T> const& rows) {
  using Load = typename Short<T, N>::unaligned;
  const std::int64_t last = J > 1 ? rows.outputs - N : 0;
  const T *x = rows.window, *taps = rows.taps;
  T* out = rows.out;
  for (std::int64_t r = 0; r < rows.rows; ++r) {
    typename Short<T, N>::type sum[J] = {};
    for (std::int64_t k = 0; k < rows.count; ++k) {
      const T* const at = x + k;
#pragma GCC unroll 4
      for (int j = 0; j < J; ++j) sum[j] += *reinterpret_cast<const Load*>(at + (j < J - 1 ? j * N : last)) * taps[k];
    }
#pragma GCC unroll 4
    for (int j = 0; j < J; ++j) *reinterpret_cast<Load*>(out + (j < J - 1 ? j * N : last)) = sum[j];
    x += rows.window_step, taps += rows.taps_step, out += rows.out_step;
  }
}

// Whether these rows are so few vectors wide; computes them if so.
template <class T>
bool narrow_rows(RowSums<T> const& rows) {
  constexpr int V = kLanes<T>, N = 16 / static_cast<int>(sizeof(T));
  if (rows.count > V || rows.outputs > 4 * V) return false;
  if (V > N && rows.outputs <= N) few_vectors<T, N, 1>(rows);
  else if (V > 2 * N && rows.outputs <= 2 * N) few_vectors<T, 2 * N, 1>(rows);
  else if (rows.outputs <= V) few_vectors<T, V, 1>(rows);
  else if (rows.outputs <= 2 * V) few_vectors<T, V, 2>(rows);
  else if (rows.outputs <= 3 * V) few_vectors<T, V, 3>(rows);
  else few_vectors<T, V, 4>(rows);
  return true;
}

// add(sums, window, taps, count, past): the products of `count` taps on an array of vectors of outputs.
template <class T, int W, class Add>
GPUCONV_INLINE void each_row(RowSums<T> const& rows, Add add) {
  const T *x = rows.window, *taps = rows.taps;
  T* out = rows.out;
  for (std::int64_t r = 0; r < rows.rows; ++r) {
    row<T, W>(x, taps, rows.count, out, rows.outputs, rows.stream, add);
    x += rows.window_step, taps += rows.taps_step, out += rows.out_step;
  }
}

template <class T, int N>
void copy_short_rows(RowCopies<T> const& c) {
  const T* from = c.from;
  T* to = c.to;
  for (std::int64_t r = 0; r < c.rows; ++r, from += c.from_step, to += c.to_step)
    __builtin_memcpy(to, from, N * sizeof(T));
}

// The last vector overlaps with the one before it.
template <class T>
void copy_long_rows(RowCopies<T> const& c) {
  constexpr int V = kLanes<T>;
  const std::int64_t last = c.count - V;
  const T* from = c.from;
  T* to = c.to;
  for (std::int64_t r = 0; r < c.rows; ++r, from += c.from_step, to += c.to_step) {
    for (std::int64_t i = 0; i < last; i += V) store(to + i, load(from + i));
    store(to + last, load(from + last));
  }
}

template <class T>
void copy_rows(RowCopies<T> const& copies) {
  RowCopies<T> c = copies;
  if (c.from_step == c.count && c.to_step == c.count) c.count *= c.rows, c.rows = 1;
  if (c.count >= kLanes<T>) return copy_long_rows(c);
  [&]<std::size_t... N>(std::index_sequence<N...>) GPUCONV_LAMBDA {
    (void)((c.count == static_cast<std::int64_t>(N) && (copy_short_rows<T, static_cast<int>(N)>(c), true)) || ...);
  }
  (AllLanes<T>{});
}

}  // namespace
}  // namespace gpuconv::detail::GPUCONV_SIMD_TARGET

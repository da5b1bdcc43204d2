// Rows that lie side by side in memory. Direct sums: vectors run across the rows, a tap is the same for all of them.
// For methods that need a row's samples one behind the other, a transposition. Only for kernels.cpp: everything here
// lives in the target's own namespace.
#pragma once

#include "rows.hpp"
#include "vector.hpp"

#include "../../core/long_sum.hpp"
#include "../simd_target.hpp"

#include <cstdint>
#include <type_traits>

namespace gpuconv::detail::GPUCONV_SIMD_TARGET {
namespace {

// The products of a piece of a sum on J vectors of outputs, in the order in which add_segment takes the taps.
template <class T, int J>
GPUCONV_INLINE void add_taps_across(Vector<T> (&sum)[J], const T* x, std::int64_t step, const T* taps,
                                    std::int64_t count) {
  constexpr int V = kLanes<T>;
  for (std::int64_t group = 0; group < count; group += 4 * V) {
    const std::int64_t end = group + 4 * V < count ? group + 4 * V : count;
    for (std::int64_t r = group; r < group + V && r < end; ++r)
      for (std::int64_t k = r; k < end; k += V) {
        const T* const from = x + k * step;
        Vector<T> tap = broadcast(taps[k]);
        keep(tap);
#pragma GCC unroll 16
        for (int j = 0; j < J; ++j) sum[j] += load(from + V * j) * tap;
      }
  }
}

// The sums of all taps, in pieces where they are more than one. add(sum, window, step, taps, count): those of a piece.
template <class T, int J, class Add>
GPUCONV_INLINE void sum_across(Vector<T> (&sum)[J], const T* x, AcrossSums<T> const& s, Add add) {
  if (!std::is_floating_point_v<T> || s.before % kSumPiece + s.count <= kSumPiece)
    return add(sum, x, s.tap_step, s.taps, s.count);
  LongSum<Vector<T>> total[J] = {};
  for (std::int64_t k = 0, end; k < s.count; k = end) {
    end = k + kSumPiece - (s.before + k) % kSumPiece;
    end = end < s.count ? end : s.count;
    Vector<T> piece[J] = {};
    add(piece, x + k * s.tap_step, s.tap_step, s.taps + k, end - k);
#pragma GCC unroll 16
    for (int j = 0; j < J; ++j) total[j].add(piece[j]);
  }
#pragma GCC unroll 16
  for (int j = 0; j < J; ++j) sum[j] = total[j].value();
}

// J vectors of outputs that are V samples apart: what is loaded serves several taps. Column by column, where samples
// have whole vectors. Returns the outputs of a line that are done.
template <class T, int J, class Add>
GPUCONV_INLINE std::int64_t spread_tiles(AcrossSums<T> const& s, std::int64_t begin, Add add) {
  constexpr int V = kLanes<T>;
  const std::int64_t apart = V * s.tap_step, width = s.tap_step % V == 0 ? s.tap_step : V;
  for (; s.outputs - begin >= J * apart; begin += J * apart)
    for (std::int64_t column = 0; column < width; column += V)
      for (std::int64_t i = begin + column; i < begin + apart; i += width) {
        Vector<T> sum[J] = {};
        sum_across<T, J>(sum, s.window + i, s, add);
#pragma GCC unroll 16
        for (int j = 0; j < J; ++j) store(s.out + i + j * apart, sum[j]);
      }
  return begin;
}

// add: as in sum_across, for vectors that are V samples apart.
template <class T, class Add>
GPUCONV_INLINE void sums_across(AcrossSums<T> const& s, Add add) {
  constexpr int kTile = kBytes == 64 ? 2 * kTileVectors : kTileVectors;
  std::int64_t done = 0;
  if (s.lines == 1 && s.count > 2 * kLanes<T>) {  // with fewer, few samples serve several taps
    done = spread_tiles<T, kTile>(s, done, add);
    if constexpr (kTile > kTileVectors) done = spread_tiles<T, kTileVectors>(s, done, add);
    if (done == s.outputs) return;
  }
  const RowSums<T> lines{.window = s.window + done,
                         .window_step = s.window_step,
                         .taps = s.taps,
                         .taps_step = 0,
                         .count = s.count,
                         .out = s.out + done,
                         .out_step = s.out_step,
                         .outputs = s.outputs - done,
                         .rows = s.lines,
                         .stream = s.stream};
  const auto add_taps = []<int J>(Vector<T>(&sum)[J], const T* x, std::int64_t step, const T* taps, std::int64_t count)
                            GPUCONV_LAMBDA { add_taps_across<T, J>(sum, x, step, taps, count); };
  each_row<T, kTile>(
      lines, [&]<int J, bool Past>(Vector<T>(&sum)[J], const T* x, const T*, std::int64_t, std::bool_constant<Past>)
                 GPUCONV_LAMBDA { sum_across<T, J>(sum, x, s, add_taps); });
  if (s.stream) finish_streaming();
}

// Squares of V by V elements go through registers.
template <class T>
void transpose_lines(TransposedLines<T> const& t) {
  constexpr int V = kLanes<T>;
  const std::int64_t squares = t.lines / V * V, columns = t.count / V * V;
  for (std::int64_t i = 0; i < squares; i += V)
    for (std::int64_t c = 0; c < columns; c += V) {
      Vector<T> square[V];
#pragma GCC unroll 16
      for (int v = 0; v < V; ++v) square[v] = load(t.from + (i + v) * t.from_step + c);
      transpose<T>(square);
#pragma GCC unroll 16
      for (int v = 0; v < V; ++v) store(t.to + (c + v) * t.to_step + i, square[v]);
    }
  const auto rest = [&](std::int64_t begin, std::int64_t end, std::int64_t first, std::int64_t last) GPUCONV_LAMBDA {
    for (std::int64_t i = begin; i < end; ++i)
      for (std::int64_t c = first; c < last; ++c) t.to[c * t.to_step + i] = t.from[i * t.from_step + c];
  };
  rest(0, squares, columns, t.count);
  rest(squares, t.lines, 0, t.count);
}

}  // namespace
}  // namespace gpuconv::detail::GPUCONV_SIMD_TARGET

// What the SIMD code offers to the solvers: plain function pointers, one set for each vector width the library was
// built for. The code behind them is in simd/, compiled once a target with that target's instructions; it shares no
// inline function with the rest of the library, so that none of its instructions leaks into code for older machines.
#pragma once

#include "transform.hpp"

#include <cstdint>

namespace gpuconv::detail {

/// Vectors of outputs that direct convolution computes together: enough sums in flight to hide the latency of
/// multiply-add (4 cycles, two per cycle).
inline constexpr int kTileVectors = 8;

/// A part of a direct sum: sum over k < count of window[i + k] * taps[k] for output i. Taps are in reversed order, and
/// `before` of them come before these: that tells where pieces of the sum end (core/long_sum.hpp).
template <class T>
struct Segment {
  const T* window;
  const T* taps;
  std::int64_t count;
  std::int64_t before = 0;
};

/// Direct sums over `count` segments: out[i] for `tiles` times kTileVectors vectors of outputs. Of floating-point
/// numbers each segment is behind the taps of those before it; or there are two of as many taps with as many before
/// them, the parts of complex numbers, which are added up in pieces together. Reads as many samples of each window plus
/// count - 1; sums in the same order for every output. `stream`: the output is larger than the cache and is written
/// around it. `C`: what the sums are in.
template <class T, class C = T>
using DirectKernel = void (*)(const Segment<T>* segments, std::int64_t count, C* out, std::int64_t tiles, bool stream);

/// Direct sums of short rows, of up to kSumPiece taps each, in one segment. Reads as many samples of each window plus
/// count - 1. Rows of less than a vector of outputs are read and written as if they had one, in the order of the rows:
/// what is written past a row's outputs is the next row's to overwrite.
template <class T>
struct RowSums {
  const T* window;
  std::int64_t window_step;  // elements from row to row; 0: the same for all rows
  const T* taps;             // in reversed order
  std::int64_t taps_step;
  std::int64_t count;  // of taps
  T* out;
  std::int64_t out_step;  // `outputs` at least
  std::int64_t outputs;
  std::int64_t rows;
  bool stream = false;  // write around the cache what lies on vector boundaries
};

/// Direct sums of rows that lie side by side, some of their outputs in a line: out[i] = sum over k < count of
/// window[i + k * tap_step] * taps[k] for i < outputs, in the order of a row's sums by itself. Taps are in reversed
/// order, and `before` of them come before these. Less than a vector of outputs is read and written as if it were one.
template <class T>
struct AcrossSums {
  const T* window;
  std::int64_t window_step;  // elements from line to line
  const T* taps;
  std::int64_t tap_step;  // elements from the samples of one tap to those of the next
  std::int64_t count, before;
  T* out;
  std::int64_t out_step;  // elements from line to line
  std::int64_t outputs, lines;
  bool stream = false;  // of several lines: write around the cache what lies on vector boundaries
};

/// Direct sums of `lines_together` lines of an image's outputs that follow each other, with a filter of `lines` lines
/// of `count` taps, reversed along both axes: out[l * out_step + i] = sum over y < lines and k < count of windows[l +
/// y][i + k] * taps[y * count + k], for `tiles` times kTileVectors vectors of outputs, in the order in which `direct`
/// adds up segments of no more than a vector of taps. Of as many lines as `lines_together` less one at least, kSumPiece
/// products at most. Reads as many samples of each window plus count - 1.
template <class T>
struct ImageLines {
  const T* const* windows;  // lines + lines_together - 1 of them
  const T* taps;
  std::int64_t lines, count;
  T* out;
  std::int64_t out_step;
  std::int64_t tiles;
  bool stream;  // write around the cache what lies on vector boundaries
};

/// Rows of `count` elements that are copied, and nothing beside them. The arrays do not overlap.
template <class T>
struct RowCopies {
  const T* from;
  std::int64_t from_step;  // elements from row to row
  T* to;
  std::int64_t to_step;
  std::int64_t count;
  std::int64_t rows;
};

/// Lines of `count` elements that are transposed: element c of line i becomes element i of line c. The arrays do not
/// overlap.
template <class T>
struct TransposedLines {
  const T* from;
  std::int64_t from_step;  // elements from line to line
  T* to;
  std::int64_t to_step;
  std::int64_t count;
  std::int64_t lines;
};

/// Vectors of outputs that are computed as dot products, at most.
inline constexpr int kDotVectors = 4;

/// Dot products of some rows: out[r * out_row + o * out_step] = sum over k < count of fixed[r * fixed_row + k] *
/// moving[r * moving_row + k + o] for o < outputs, of which there are at most kDotVectors vectors. Reads nothing else.
/// Sums are of at most 2^15 products or so: lanes keep totals (core/long_sum.hpp), but add theirs up plainly in the
/// end.
template <class T>
struct DotRows {
  const T *fixed, *moving;
  T* out;
  std::int64_t count, outputs, out_step;
  std::int64_t rows, fixed_row, moving_row, out_row;
};
template <class T>
using DotKernel = void (*)(DotRows<T> const&);

/// Pieces of one right-angle transform (see transform.hpp). `chunk` ranges split a pass among threads: chunk c is
/// the vector of butterflies starting at index c * lanes, of `transform.level[l].step / lanes` in all.
template <class T>
struct TransformKernels {
  int max_radix_log2;
  bool streams_unaligned;  // `last` does, all chunks at once
  /// Level 0 forward: 2*points real samples of `x` into `work`.
  void (*first)(Transform<T> const&, const T* x, T* work, std::int64_t chunk_begin, std::int64_t chunk_end);
  /// Level `l` forward and inverse, in place on the sub-transform at `work`.
  void (*forward)(Transform<T> const&, int l, T* work, std::int64_t chunk_begin, std::int64_t chunk_end);
  void (*inverse)(Transform<T> const&, int l, T* work, std::int64_t chunk_begin, std::int64_t chunk_end);
  /// Levels `l` and deeper of the `points` at `work` (whole sub-transforms, lanes * lanes points at least): forward,
  /// times spectrum, inverse, in place. `prefetch`: the 2 * points samples wanted next, or null.
  void (*inner)(Transform<T> const&, int l, T* work, std::int64_t points, const T* spectrum, const T* prefetch);
  /// The same, forward only, the result times `scale` into `spectrum` (2 * points elements).
  void (*spectrum)(Transform<T> const&, int l, T* work, std::int64_t points, T* spectrum, T scale);
  /// Level 0 inverse: real outputs with index >= drop (a multiple of lanes) to y[index - drop].
  /// Returns the largest magnitude of sums of up to 64 outputs; infinity where an output is not finite, and perhaps
  /// where one is within a factor of 64 of overflow.
  T(*last)
  (Transform<T> const&, const T* work, T* y, std::int64_t drop, bool stream, std::int64_t chunk_begin,
   std::int64_t chunk_end);
};

/// What convolution around missing samples, which are NaN, needs besides (recipes/gaps.cpp).
template <class T>
struct GapKernels {
  bool (*any_missing)(const T* from, std::int64_t count);
  /// Copies numbers, `fill` in the places of NaN, to `samples`, which may be where they are; there[i] becomes 0 in
  /// those places and 1 elsewhere. How many there are.
  std::int64_t (*separate_missing)(const T* from, T fill, T* samples, T* there, std::int64_t count);
  /// The sum of the `m` taps that meet what is there, of each of `outputs` windows: `all`, less those that meet a gap.
  /// Taps are in reversed order.
  void (*weigh_gaps)(const T* there, const T* taps, std::int64_t m, T all, T* weights, std::int64_t outputs);
  /// out[i] = sums[i] / weights[i] * factor; `out` may be `sums`. Whether the magnitude of a weight is below `least`.
  /// `stream`: around the cache.
  bool (*divide_by_weights)(const T* sums, const T* weights, T factor, T least, T* out, std::int64_t count,
                            bool stream);
};

template <class T>
struct SimdKernels {
  int lanes;  // elements per vector
  DirectKernel<T> direct;
  int lines_together;                         // 1: there is no image_lines
  void (*image_lines)(ImageLines<T> const&);  // float and double only
  void (*rows)(RowSums<T> const&);
  void (*across)(AcrossSums<T> const&);
  void (*copy_rows)(RowCopies<T> const&);
  void (*transpose_lines)(TransposedLines<T> const&);
  DotKernel<T> dot;
  /// Copies around the cache, to any alignment.
  void (*stream_copy)(const T* from, T* to, std::int64_t count);
  /// `count` complex numbers from or to an array of them, of float and double only. `stream`: around the cache.
  void (*split)(const T* from, T* re, T* im, std::int64_t count);
  void (*join)(const T* re, const T* im, T* to, std::int64_t count, bool stream);
  GapKernels<T> gaps;             // float and double only
  TransformKernels<T> transform;  // float and double only
};

/// Numbers of 16 bits of one format to floats, and floats rounded to them. The arrays do not overlap.
struct HalfKernels {
  void (*load)(const std::uint16_t* from, float* to, std::int64_t count);
  void (*store)(const float* from, std::uint16_t* to, std::int64_t count);
};

struct SimdTarget {
  const char* name;
  int bits;
  SimdKernels<float> float32;
  SimdKernels<double> float64;
  SimdKernels<std::uint64_t> uint64;
  // 64-bit sums of narrower integers (simd/integers.hpp). Null where the target has no multiplication for them.
  DirectKernel<std::int16_t, std::uint64_t> int16;
  DirectKernel<std::int32_t, std::uint64_t> int32;
  DirectKernel<std::uint32_t, std::uint64_t> uint32;
  HalfKernels float16, bfloat16;

  /// Direct sums in C of operands in T.
  template <class T, class C>
  constexpr DirectKernel<T, C> direct() const {
    if constexpr (sizeof(T) == sizeof(C)) return kernels<C>().direct;
    else if constexpr (sizeof(T) == 2) return int16;
    else if constexpr (T(-1) < T(0)) return int32;
    else return uint32;
  }

  template <class T>
  constexpr SimdKernels<T> const& kernels() const {
    if constexpr (sizeof(T) == 4) return float32;
    else if constexpr (T(0.5) != T(0)) return float64;
    else return uint64;
  }
};

/// The widest target that was built and that this machine has. GPUCONV_SIMD in the environment names another one
/// ("portable", "avx2", "avx512"); one that the machine lacks is ignored.
SimdTarget const& simd_target() noexcept;

/// Elements from `p` to the next vector boundary; outputs that are streamed start on one.
template <class T>
std::int64_t to_vector_boundary(const T* p) {
  const auto bytes = static_cast<std::uintptr_t>(simd_target().bits / 8);
  return static_cast<std::int64_t>((bytes - reinterpret_cast<std::uintptr_t>(p) % bytes) % bytes / sizeof(T));
}

}  // namespace gpuconv::detail

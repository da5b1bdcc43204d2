// What the SIMD code offers to the solvers: plain function pointers, one set for each vector width the library was
// built for. The code behind them is in simd/, compiled once a target with that target's instructions; it shares no
// inline function with the rest of the library, so that none of its instructions leaks into code for older machines.
#pragma once

#include "transform.hpp"

#include <cstdint>

namespace gpuconv::detail {

/// Vectors of outputs that direct convolution computes together: enough sums in flight to hide the latency of
/// multiply-add (4 cycles, two a cycle).
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

/// Direct sums over `count` segments, one after the other: out[i] for `tiles` times kTileVectors vectors of outputs.
/// Reads as many samples of each window plus count - 1; sums in the same order for every output.
/// `stream`: the output is larger than the cache and is written around it.
template <class T>
using DirectKernel = void (*)(const Segment<T>* segments, std::int64_t count, T* out, std::int64_t tiles, bool stream);

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
  T (*last)
  (Transform<T> const&, const T* work, T* y, std::int64_t drop, bool stream, std::int64_t chunk_begin,
   std::int64_t chunk_end);
};

template <class T>
struct SimdKernels {
  int lanes;  // elements a vector
  DirectKernel<T> direct;
  /// Copies around the cache, to any alignment.
  void (*stream_copy)(const T* from, T* to, std::int64_t count);
  TransformKernels<T> transform;  // float and double only
};

struct SimdTarget {
  const char* name;
  int bits;
  SimdKernels<float> float32;
  SimdKernels<double> float64;
  SimdKernels<std::uint64_t> uint64;

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

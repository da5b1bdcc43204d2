// Twiddle tables of the right-angle transform, and its execution by one or several threads.
#pragma once

#include "aligned.hpp"
#include "simd_target.hpp"

#include <cstdint>
#include <memory>

namespace gpuconv::detail {

/// A transform with its tables: immutable. Those of small sizes are shared by all plans.
template <class T>
class RightAngleTransform {
 public:
  /// The transform of `points` complex points, a power of two or three times one, at least `smallest()`. Small powers
  /// of two are kept for the life of the process. Throws std::bad_alloc.
  static std::shared_ptr<const RightAngleTransform> get(std::int64_t points);

  static std::int64_t smallest();
  /// Up to here a block and its tables stay in one core's cache, and one thread transforms it.
  static std::int64_t largest_in_cache();
  /// Whether a block of this many real samples is such a one.
  static bool block_in_cache(std::int64_t samples) { return samples / 2 <= largest_in_cache(); }

  explicit RightAngleTransform(std::int64_t points);

  std::int64_t points() const { return view_.points; }
  /// Elements of the work array, and of a spectrum.
  std::int64_t work_size() const { return work_offset<T>(view_.points, lanes_) + 2 * lanes_; }
  std::int64_t spectrum_size() const { return 2 * view_.points; }
  std::size_t table_bytes() const { return tables_.bytes(); }

  /// Spectrum of the 2*points samples of `x`, ready for `convolve`.
  void spectrum(const T* x, T* work, T* spectrum, int threads) const;

  /// Convolves the 2*points samples of `x` with the filter of `spectrum`; writes results `drop` and up to y[0] and up.
  /// `next`: the samples wanted after these, or null. Returns the largest magnitude of
  /// sums of up to 64 results: infinity where one is not finite, and perhaps where one is close to overflow.
  T convolve(const T* x, const T* spectrum, T* y, std::int64_t drop, T* work, const T* next, bool stream,
             int threads) const;

 private:
  void add_level(int l, std::int64_t size, int radix);
  template <class F>
  void split_level(int l, T* work, int threads, F f) const;
  template <class F>
  void forward_outer(const T* x, T* work, int threads, F f) const;

  Transform<T> view_{};
  int lanes_;
  int outer_levels_ = 0;  // leading levels whose sub-transforms do not fit into the cache
  AlignedBuffer<T> tables_;
  std::int64_t table_used_ = 0;
};

}  // namespace gpuconv::detail

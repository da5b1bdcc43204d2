// The right-angle transform: real convolution of 2M samples through a complex transform of M points.
//
// A block of 2M real samples is folded into M complex ones, z[j] = x[j] + i x[j+M]: a polynomial taken modulo t^M - i.
// With u = exp(i pi / 2M), u^M = i, weighting by u^j turns products modulo t^M - i into cyclic ones, which a plain
// complex transform of M points diagonalises. Unfolding gives the convolution of the 2M samples with the sign
// flipped where it wraps, which overlap-save discards anyway. So one real block costs one complex transform of half
// its size: no Hermitian post-processing, no second block to share with, no reordering (Crandall and Fagin, "Discrete
// weighted transforms and large-integer arithmetic", 1994, section 4).
//
// The complex transform is in place: decimation in frequency forward, in time back, so that nothing is reordered.
// Levels of radix R split a transform of n points into R of n/R; the last level is a register transpose. Where the
// number of points has a factor 3, the first level takes it.
#pragma once

#include <cstdint>

namespace gpuconv::detail {

inline constexpr int kMaxLevels = 16;
inline constexpr int kMaxRadix = 16;

/// One level: butterflies over `radix` points `step` apart.
template <class T>
struct Level {
  int radix;
  bool factored;      // twiddles are the product of a chunk's and a lane's factor: tables too large otherwise
  std::int64_t size;  // points of the sub-transform it splits
  std::int64_t step;  // size / radix
  std::int64_t offset[kMaxRadix];  // of point j * step, in elements of the work array
  const T* twiddles;               // chunk by chunk, point by point: `lanes` real, `lanes` imaginary parts
  const T* lane_twiddles;          // where factored: those of chunk 0
};

/// What the kernels need of a transform; owned by `TransformTables`.
template <class T>
struct Transform {
  std::int64_t points;  // M, complex
  int levels;
  Level<T> level[kMaxLevels];
};

/// Where complex point p (a multiple of `lanes`) of a transform starts in the work array: `lanes` real parts, then
/// `lanes` imaginary ones, with a vector pair of padding every 4 KiB so that strides of powers of two do not fall on
/// the same cache set.
template <class T>
constexpr std::int64_t work_offset(std::int64_t p, std::int64_t lanes) {
  constexpr std::int64_t kPagePoints = 4096 / static_cast<std::int64_t>(2 * sizeof(T));
  return 2 * p + 2 * lanes * (p / kPagePoints);
}

}  // namespace gpuconv::detail

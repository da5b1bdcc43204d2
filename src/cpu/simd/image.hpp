// Direct sums of some lines of an image's outputs at once: a vector of samples is loaded once for all of them, where
// lines by themselves would load it again for each.
// Only for kernels.cpp: everything here lives in the target's own namespace.
#pragma once

#include "vector.hpp"

#include "../simd_target.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace gpuconv::detail::GPUCONV_SIMD_TARGET {
namespace {

// A tile of L lines, J vectors of each: as many sums as there are registers for, beside a vector of samples, a tap for
// each line and, where multiply-adds are two instructions, a product. By tap and line of samples, J loads, half of
// which or more straddle cache lines, and L taps for L J multiply-adds.
template <class T>
struct ImageTile {
  static constexpr int kLines = kBytes == 64 ? 4 : kBytes == 32 ? 3 : 2, kVectors = 4;
  static_assert(kTileVectors % kVectors == 0);

  ImageLines<T> const& s;
  std::int64_t at;  // outputs from the first of a line
  Vector<T> sum[kLines][kVectors] = {};

  // The products of line `y` of samples, which lines [B, E) of outputs meet.
  template <int B, int E>
  GPUCONV_INLINE void add(std::int64_t y) {
    const T* const x = s.windows[y] + at;
    const T* const taps = s.taps + (y - B) * s.count;  // of line B; of the next one those before them
    for (std::int64_t k = 0; k < s.count; ++k) {
      Vector<T> tap[E - B];
#pragma GCC unroll 4
      for (int l = 0; l < E - B; ++l) {
        tap[l] = broadcast(taps[k - l * s.count]);
        keep(tap[l]);
      }
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) {
        Vector<T> v = load(x + k + kLanes<T> * j);
        keep(v);
#pragma GCC unroll 4
        for (int l = 0; l < E - B; ++l) sum[B + l][j] += v * tap[l];
      }
    }
  }

  GPUCONV_INLINE void run() {
    [&]<std::size_t... Y>(std::index_sequence<Y...>) GPUCONV_LAMBDA {
      (add<0, static_cast<int>(Y) + 1>(static_cast<std::int64_t>(Y)), ...);
      for (std::int64_t y = kLines - 1; y < s.lines; ++y) add<0, kLines>(y);
      (add<static_cast<int>(Y) + 1, kLines>(s.lines + static_cast<std::int64_t>(Y)), ...);
    }
    (std::make_index_sequence<kLines - 1>{});
#pragma GCC unroll 4
    for (int l = 0; l < kLines; ++l) {
      T* const out = s.out + l * s.out_step + at;
      store_tile<T, kVectors>(sum[l], out, s.stream && aligned_to_vector(out));
    }
  }
};

template <class T>
void image_lines(ImageLines<T> const& s) {
  constexpr std::int64_t kOutputs = ImageTile<T>::kVectors * kLanes<T>;
  const std::int64_t outputs = s.tiles * kTileVectors * kLanes<T>;
  for (std::int64_t at = 0; at < outputs; at += kOutputs) ImageTile<T>{s, at}.run();
  if (s.stream) finish_streaming();
}

}  // namespace
}  // namespace gpuconv::detail::GPUCONV_SIMD_TARGET

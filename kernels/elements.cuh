// Rows of any element type, read as the type that a kernel computes in.
#pragma once

#include "device.cuh"
#include "launch.hpp"

#include <type_traits>

namespace gpuconv::kernels {

/// All lanes of a warp.
inline constexpr unsigned kWholeWarp = 0xffffffffu;

using detail::visit_compute;
using detail::visit_floating;

/// Bytes of the widest access a thread can make.
inline constexpr int kPackBytes = 16;

/// As many elements as one access moves.
template <class C>
struct alignas(kPackBytes) Pack {
  static constexpr int size = kPackBytes / static_cast<int>(sizeof(C));
  C element[size];
};

/// A row of `input`, of its own type T.
template <class T>
__device__ inline T const* row_of(Input const& input, Loops const& loops, std::int64_t row) {
  return static_cast<T const*>(input.data) + input.offset(loops, row);
}

/// The loader of all methods for what cannot be read as it lies: calls put(i, x) for i = begin, begin + step, ... below
/// `count` with element first + i of the row, converted, 0 outside of [0, size). The choice of type is made once.
template <class C, class Index, class Put>
__device__ __forceinline__ void load_row(Input const& input, Loops const& loops, std::int64_t row, std::int64_t size,
                                         std::int64_t first, Index begin, Index count, Index step, Put put) {
  visit_type(input.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (detail::kConverts<T, C>) {
      T const* const from = row_of<T>(input, loops, row);
      for (Index i = begin; i < count; i += step) {
        const std::int64_t at = first + i;
        put(i, at >= 0 && at < size ? static_cast<C>(from[at * input.stride]) : C(0));
      }
    }
  });
}

/// The storer of all methods for what cannot be written as it lies: output first + i of the row becomes get(i) for
/// i = begin, begin + step, ... below `count`, where it is one of the row's `size` outputs. Integers wrap to their
/// type.
template <class C, class Index, class Get>
__device__ __forceinline__ void store_row(Output const& output, Loops const& loops, std::int64_t row, std::int64_t size,
                                          std::int64_t first, Index begin, Index count, Index step, Get get) {
  visit_type(output.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (detail::kConverts<T, C> && detail::kConverts<C, T> &&
                  (std::is_same_v<T, C> || !std::is_floating_point_v<C>)) {
      T* const to = static_cast<T*>(output.data) + output.offset(loops, row);
      [[maybe_unused]] constexpr int kTogether = sizeof(Index) == sizeof(std::int64_t) ? 4 : 1;
#pragma unroll kTogether
      for (Index i = begin; i < count; i += step) {
        const std::int64_t at = first + i;
        if (at >= 0 && at < size) to[at * output.stride] = static_cast<T>(get(i));
      }
    }
  });
}

__device__ inline bool is_finite(float x) { return fabsf(x) <= 3.402823466e+38f; }
__device__ inline bool is_finite(double x) { return fabs(x) <= 1.7976931348623157e+308; }
__device__ inline bool is_finite(std::uint64_t) { return true; }

__device__ inline float multiply_add(float a, float b, float sum) { return fmaf(a, b, sum); }
__device__ inline double multiply_add(double a, double b, double sum) { return fma(a, b, sum); }
__device__ inline std::uint64_t multiply_add(std::uint64_t a, std::uint64_t b, std::uint64_t sum) {
  return a * b + sum;
}

}  // namespace gpuconv::kernels

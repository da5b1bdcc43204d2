// Rows of any element type, read as the type that a kernel computes in.
#pragma once

#include "device.cuh"
#include "launch.hpp"

#include <type_traits>

namespace gpuconv::kernels {

/// All lanes of a warp.
inline constexpr unsigned kWholeWarp = 0xffffffffu;

/// Bytes of the widest access a thread can make.
inline constexpr int kPackBytes = 16;

/// As many elements as one access moves.
template <class C>
struct alignas(kPackBytes) Pack {
  static constexpr int size = kPackBytes / static_cast<int>(sizeof(C));
  C element[size];
};

/// Whether rows of `type` can be copied as they are: int64 and uint64 are the same bits modulo 2^64.
template <class C>
__device__ inline bool same_bits(Type type) {
  return std::is_same_v<C, std::uint64_t> ? type == Type::int64 || type == Type::uint64 : type == type_of<C>;
}

/// A row of `input`, of its own type T.
template <class T>
__device__ inline T const* row_of(Input const& input, std::int64_t row) {
  return static_cast<T const*>(input.data) + row * input.stride;
}

/// Calls `f(p)` with a typed pointer to the row, so that the choice of type is made once and not for every element.
/// Integers are never computed from floating-point samples: `f` is not compiled for those.
template <class C, class F>
__device__ inline void with_row(Input const& input, std::int64_t row, F f) {
  visit_type(input.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (!std::is_floating_point_v<T> || std::is_floating_point_v<C>) f(row_of<T>(input, row));
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

/// Calls `f(std::type_identity<C>{})` for the type that a kernel computes in.
template <class F>
cudaError_t visit_compute(Type compute, F f) {
  return compute == Type::float32   ? f(std::type_identity<float>{})
         : compute == Type::float64 ? f(std::type_identity<double>{})
                                    : f(std::type_identity<std::uint64_t>{});
}

}  // namespace gpuconv::kernels

// Rows of any element type, read as the type that a kernel computes in.
#pragma once

#include "device.cuh"
#include "launch.hpp"

#include "core/saturated.hpp"

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

/// A row of `input`, of its own type T, or of one of its parts.
template <class T>
__device__ inline T const* row_of(Input const& input, Loops const& loops, std::int64_t row, int part = 0) {
  return static_cast<T const*>(input.data) + input.offset(loops, row) + part * input.imaginary;
}
template <class T>
__device__ inline T* row_of(Output const& output, Loops const& loops, std::int64_t row, int part = 0) {
  return static_cast<T*>(output.data) + output.offset(loops, row) + part * output.imaginary;
}

/// A cold function: divisions take many registers.
__device__ __attribute__((noinline)) inline std::int64_t index_beyond(Boundary boundary, std::int64_t i,
                                                                      std::int64_t size) {
  return detail::extended_index(boundary, i, size);
}

/// Whether T is a floating type of 16 bits: its numbers are converted by the machine.
template <class T>
inline constexpr bool kIsHalf = detail::is_floating_element<T> && sizeof(T) == 2;

/// A stored number as the type that is computed in.
template <class C, class T>
__device__ __forceinline__ C loaded(T x) {
  if constexpr (kIsHalf<T>) return static_cast<C>(device::low<T>(x.bits));
  else return static_cast<C>(x);
}
/// The other way: integers wrap, floating-point numbers are rounded.
template <class T, class C>
__device__ __forceinline__ T stored(C x) {
  if constexpr (kIsHalf<T> && std::is_same_v<C, float>) {
    T out;
    out.bits = static_cast<std::uint16_t>(device::packed<T>(x, 0));
    return out;
  } else return static_cast<T>(x);
}

/// `load_row` of a row whose type is T.
template <class T, class C, class Index, class Put>
__device__ __forceinline__ void load_row_of(Input const& input, Loops const& loops, std::int64_t row, int part,
                                            std::int64_t size, std::int64_t first, Index begin, Index count, Index step,
                                            Put put) {
  T const* const from = row_of<T>(input, loops, row, part);
  for (Index i = begin; i < count; i += step) {
    std::int64_t at = first + i;
    if ((at < 0 || at >= size) && !input.extension.is_zero()) at = index_beyond(input.extension.boundary, at, size);
    put(i, at >= 0 && at < size ? loaded<C>(from[at * input.stride])
                                : loaded<C>(static_cast<T>(part == 0 ? input.extension.constant : 0)));
  }
}

/// The loader of all methods for what cannot be read as it lies: calls put(i, x) for i = begin, begin + step, ... below
/// `count` with element first + i of the row, converted, that of its extension outside of [0, size); of complex
/// elements (in_parts) with one part of it. The choice of type is made once.
template <class C, class Index, class Put>
__device__ __forceinline__ void load_row(Input const& input, Loops const& loops, std::int64_t row, int part,
                                         std::int64_t size, std::int64_t first, Index begin, Index count, Index step,
                                         Put put) {
  visit_type(input.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (detail::kConverts<T, C>)
      load_row_of<T, C>(input, loops, row, part, size, first, begin, count, step, put);
  });
}

/// The same for line `line` of an image of `lines`, which its extension has beyond them; a line that is not there has
/// no sample.
template <class C, class Put>
__device__ __forceinline__ void load_line(Operands const& operands, std::int64_t lines, std::int64_t row, int part,
                                          std::int64_t line, std::int64_t first, int begin, int count, int step,
                                          Put put) {
  Input const& signal = operands.signal;
  if ((line < 0 || line >= lines) && !signal.extension.is_zero())
    line = index_beyond(signal.extension.boundary, line, lines);
  const bool is_there = line >= 0 && line < lines;
  load_row<C>(is_there ? detail::at_line(signal, line) : signal, operands.loops, row, part,
              is_there ? operands.part.samples : 0, first, begin, count, step, put);
}

/// The storer of all methods for what cannot be written as it lies: output first + i of the row becomes get(i) for
/// i = begin, begin + step, ... below `count`, where it is one of the row's `size` outputs, or one part of it. Integers
/// wrap to their type, doubles are rounded to floats.
template <class C, class Index, class Get>
__device__ __forceinline__ void store_row(Output const& output, Loops const& loops, std::int64_t row, int part,
                                          std::int64_t size, std::int64_t first, Index begin, Index count, Index step,
                                          Get get) {
  visit_type(output.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (detail::kStores<C, T>) {
      T* const to = row_of<T>(output, loops, row, part);
      [[maybe_unused]] constexpr int kTogether = sizeof(Index) == sizeof(std::int64_t) ? 4 : 1;
#pragma unroll kTogether
      for (Index i = begin; i < count; i += step) {
        const std::int64_t at = first + i, kept = output.kept(at);
        if (at >= 0 && at < size && kept >= 0) to[kept * output.stride] = stored<T>(get(i));
      }
    }
  });
}

/// One output, or one of its parts, for what is rare: a cold function.
template <class C>
__device__ __attribute__((noinline)) inline void store_element(Output const& output, Loops const& loops,
                                                               std::int64_t row, int part, std::int64_t at, C value) {
  store_row<C>(output, loops, row, part, at + 1, at, 0, 1, 1, [&](int) { return value; });
}

/// A row of saturated outputs, for store_saturated: by value, for parameters of a kernel that are referred to would be
/// copied to its stack.
struct SaturatedRow {
  void* data;  // output 0
  std::int64_t stride, every, size;
  Type type;
  detail::Saturation how;
};
__device__ __forceinline__ SaturatedRow saturated_row(Output const& output, Loops const& loops, std::int64_t row,
                                                      std::int64_t size) {
  const std::int64_t at = output.offset(loops, row) * static_cast<std::int64_t>(size_of(output.type));
  return {static_cast<char*>(output.data) + at, output.stride, output.every, size, output.type, output.saturation};
}
/// The storer of saturated outputs, as store_row, from from[i]: a cold function.
template <class C>
__device__ __attribute__((noinline)) void store_saturated(SaturatedRow row, std::int64_t first, int begin, int count,
                                                          int step, C const* from) {
  visit_type(row.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (detail::kSaturates<C, T>) {
      const Output kept{.type = row.type, .every = row.every};
#pragma unroll 1
      for (int i = begin; i < count; i += step) {
        const std::int64_t at = first + i, element = kept.kept(at);
        if (at >= 0 && at < row.size && element >= 0)
          static_cast<T*>(row.data)[element * row.stride] = detail::saturated<T>(from[i], row.how);
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

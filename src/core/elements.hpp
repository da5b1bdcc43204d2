// What follows from the table of element types (gpuconv/types.hpp) for whoever computes: the type to compute in, the
// choices by it, and whether memory can be used as it stands. Also for kernels.
#pragma once

#include <gpuconv/types.hpp>

#include <cstdint>
#include <type_traits>

namespace gpuconv::detail {

/// The type that sums are computed in: uint64 for all integer results, modulo 2^64; else float32 or float64, which hold
/// the operands as well as the result: 16-bit floats are summed in float32, integers of 32 bits in float64 where the
/// result is float32 too. Those of 64 bits, which no type here holds, are rounded to float64. Complex numbers are
/// computed part by part. Integer results of floating operands, which are saturated, are what the operands need.
constexpr Type compute_type(Type signal, Type filter, Type result) noexcept {
  if (is_integer(result)) {
    if (is_integer(signal) && is_integer(filter)) return Type::uint64;
    result = is_integer(signal) ? filter : signal;
  }
  for (const Type type : {signal, filter, result})
    if (precision(type) == 8) return Type::float64;
  return Type::float32;
}

/// Calls `f(std::type_identity<C>{})` with the C++ type of `compute`, a floating type that is computed in.
template <class F>
constexpr decltype(auto) visit_floating(Type compute, F&& f) {
  if (compute == Type::float32) return f(std::type_identity<float>{});
  return f(std::type_identity<double>{});
}
/// The same for any type that is computed in.
template <class F>
constexpr decltype(auto) visit_compute(Type compute, F&& f) {
  if (compute == Type::uint64) return f(std::type_identity<std::uint64_t>{});
  return visit_floating(compute, f);
}

/// Whether an array of `type` can be used as one of `C` as it stands: int64 and uint64 are the same bits modulo 2^64.
template <class C>
constexpr bool same_bits(Type type) {
  return type == type_of<C> || (type_of<C> == Type::uint64 && type == Type::int64);
}

/// Whether values of T can be computed with in C: integers are never computed from floating-point ones, complex numbers
/// by their parts.
template <class T, class C>
inline constexpr bool kConverts = !is_complex(type_of<T>) && (std::is_floating_point_v<C> || !is_floating_element<T>);

/// Whether sums in C can be stored as T: integers wrap to any integer, floating-point numbers are rounded to narrower
/// ones.
template <class C, class T>
inline constexpr bool kStores = std::is_floating_point_v<C> ? is_floating_element<T> && sizeof(T) <= sizeof(C)
                                                            : is_integer(type_of<T>);

}  // namespace gpuconv::detail

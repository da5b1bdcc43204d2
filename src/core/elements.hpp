// What follows from the table of element types (gpuconv/types.hpp) for whoever computes: the type to compute in, the
// choices by it, and whether memory can be used as it stands. Also for kernels.
#pragma once

#include <gpuconv/types.hpp>

#include <cstdint>
#include <type_traits>

namespace gpuconv::detail {

/// The type that sums are computed in for a result of `result`: float32, float64, or uint64 for all integers.
constexpr Type compute_type(Type result) noexcept {
#define GPUCONV_SUM(name, element, kind, sum) Type::sum,
  constexpr Type sums[] = {GPUCONV_ELEMENTS(GPUCONV_SUM)};
#undef GPUCONV_SUM
  return sums[static_cast<int>(result)];
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

/// Whether values of T can be computed with in C: integers are never computed from or stored as floating-point ones.
template <class T, class C>
inline constexpr bool kConverts = std::is_floating_point_v<C> || !std::is_floating_point_v<T>;

}  // namespace gpuconv::detail

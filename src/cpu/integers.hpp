// The types that integer operands are kept in while they are multiplied: the narrowest that both fit.
#pragma once

#include "simd_target.hpp"

#include "../core/work.hpp"

#include <limits>
#include <type_traits>
#include <utility>

namespace gpuconv::detail {

/// Whether T has every value of `type`.
template <class T>
constexpr bool holds(Type type) {
  return visit_type(type, []<class E>(std::type_identity<E>) {
    if constexpr (!is_integer(type_of<E>)) return false;
    else
      return std::cmp_less_equal(std::numeric_limits<T>::min(), std::numeric_limits<E>::min()) &&
             std::cmp_greater_equal(std::numeric_limits<T>::max(), std::numeric_limits<E>::max());
  });
}

/// The type of the table that both operands of integer sums are kept in on this machine: int16, int32, uint32 or
/// uint64.
inline Type operand_type(Work const& w) {
  const auto both = [&]<class T>(std::type_identity<T>) { return holds<T>(w.signal_type) && holds<T>(w.filter_type); };
  if (both(std::type_identity<std::int16_t>{})) return Type::int16;
  if (both(std::type_identity<std::int32_t>{}) && simd_target().int32) return Type::int32;
  if (both(std::type_identity<std::uint32_t>{})) return Type::uint32;
  return Type::uint64;
}

/// Calls `f(std::type_identity<T>{})` with it.
template <class F>
auto visit_integers(Work const& w, F&& f) {
  switch (operand_type(w)) {
    case Type::int16:
      return f(std::type_identity<std::int16_t>{});
    case Type::int32:
      return f(std::type_identity<std::int32_t>{});
    case Type::uint32:
      return f(std::type_identity<std::uint32_t>{});
    default:
      return f(std::type_identity<std::uint64_t>{});
  }
}

}  // namespace gpuconv::detail

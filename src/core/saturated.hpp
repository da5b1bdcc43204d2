// Integers as pixels are stored: what is beyond their range is their nearest value, floating-point sums are rounded.
#pragma once

#include "access.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace gpuconv::detail {

/// Whether sums in C can be stored so as T.
template <class C, class T>
inline constexpr bool kSaturates = is_integer(type_of<T>);

/// The nearest value of T; of halves the even one, of NaN 0. The environment rounds to nearest.
template <class T, class C>
constexpr T saturated(C sum, Saturation how) {
  using Limits = std::numeric_limits<T>;
  if constexpr (std::is_floating_point_v<C>) {
    if constexpr (sizeof(T) <= 2) {
      // In range of C's mantissa: adding and subtracting 3/2 of its largest power leaves whole numbers, in vectors too.
      constexpr C kWhole = std::is_same_v<C, float> ? C(0x1.8p23) : C(0x1.8p52);
      constexpr C lowest = static_cast<C>(Limits::min()), highest = static_cast<C>(Limits::max());
      C v = sum == sum ? sum : C(0);
      v = v < lowest ? lowest : v;
      v = v > highest ? highest : v;
      return static_cast<T>(static_cast<std::int32_t>((v + kWhole) - kWhole));
    } else {
      const double v = std::nearbyint(static_cast<double>(sum));
      if (v >= std::ldexp(1.0, Limits::digits)) return Limits::max();
      if (v < static_cast<double>(Limits::min())) return Limits::min();
      return v == v ? static_cast<T>(v) : T(0);
    }
  } else {
    const auto bits = static_cast<std::int64_t>(sum);
    if (how == Saturation::of_signed && bits < 0) {
      if constexpr (std::is_unsigned_v<T>) return 0;
      else return bits < static_cast<std::int64_t>(Limits::min()) ? Limits::min() : static_cast<T>(bits);
    }
    return sum > static_cast<std::uint64_t>(Limits::max()) ? Limits::max() : static_cast<T>(sum);
  }
}

/// `count` sums, each `from_step` and `to_step` elements from the one before it.
template <class C, class T>
void store_saturated(const C* from, std::int64_t from_step, T* to, std::int64_t to_step, std::int64_t count,
                     Saturation how) {
  if (from_step == 1 && to_step == 1)
    for (std::int64_t i = 0; i < count; ++i) to[i] = saturated<T>(from[i], how);
  else
    for (std::int64_t i = 0; i < count; ++i) to[i * to_step] = saturated<T>(from[i * from_step], how);
}

}  // namespace gpuconv::detail

// Filters of rank one, which are the product of a column and a row: images are then convolved in two passes of one
// dimension.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace gpuconv::detail {

template <class C>
using FactorType =
    std::conditional_t<std::is_same_v<C, float>, double, std::conditional_t<std::is_same_v<C, double>, long double, C>>;

constexpr std::uint64_t common_divisor(std::uint64_t a, std::uint64_t b) {
  while (b != 0) {
    const std::uint64_t rest = a % b;
    a = b, b = rest;
  }
  return a;
}

/// Column and row of `h`, taps line by line, whose product it is; false where there are none. Floating-point taps may
/// be off by 4 units of rounding each, as those of products that were rounded are: column[i] * row[j] is h[i][j] within
/// 4 u of it. The row is the line of the largest tap, no element of the column is above 1: no sum along the row is
/// larger than one of the plain sums. Integers are products exactly, modulo 2^64; the taps may be narrower ones.
template <class C, class T>
bool factorise(const T* from, std::int64_t lines, std::int64_t taps, C* column, C* row) {
  const auto h = [&](std::int64_t i) { return static_cast<C>(from[i]); };
  using Wide = FactorType<C>;
  const auto magnitude = [](C v) {
    if constexpr (std::is_integral_v<C>) return static_cast<std::int64_t>(v) < 0 ? 0 - v : v;
    else return std::abs(v);
  };
  std::int64_t pivot = 0;
  for (std::int64_t i = 0; i < lines * taps; ++i) {
    if constexpr (std::is_floating_point_v<C>)
      if (!std::isfinite(h(i))) return false;
    if (magnitude(h(i)) > magnitude(h(pivot))) pivot = i;
  }
  if (h(pivot) == 0) return false;
  const std::int64_t line = pivot / taps, tap = pivot % taps;
  C divisor = 1;
  if constexpr (std::is_integral_v<C>) {
    divisor = 0;
    for (std::int64_t j = 0; j < taps; ++j) divisor = common_divisor(magnitude(h(line * taps + j)), divisor);
  }
  for (std::int64_t j = 0; j < taps; ++j) {
    if constexpr (std::is_integral_v<C>)
      row[j] = static_cast<C>(static_cast<std::int64_t>(h(line * taps + j)) / static_cast<std::int64_t>(divisor));
    else row[j] = h(line * taps + j);
  }
  for (std::int64_t i = 0; i < lines; ++i) {
    Wide factor;
    if constexpr (std::is_integral_v<C>)
      factor = static_cast<C>(static_cast<std::int64_t>(h(i * taps + tap)) / static_cast<std::int64_t>(row[tap]));
    else factor = static_cast<Wide>(h(i * taps + tap)) / static_cast<Wide>(row[tap]);
    column[i] = static_cast<C>(factor);
    for (std::int64_t j = 0; j < taps; ++j) {
      const Wide product = factor * static_cast<Wide>(row[j]), is = static_cast<Wide>(h(i * taps + j));
      if constexpr (std::is_integral_v<C>) {
        if (product != is) return false;
      } else {
        constexpr Wide kUnits = 2 * static_cast<Wide>(std::numeric_limits<C>::epsilon());  // 4 u
        if (std::abs(product - is) > kUnits * std::abs(is)) return false;
      }
    }
  }
  return true;
}

}  // namespace gpuconv::detail

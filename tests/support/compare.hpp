// The comparator: every output is of the expected class (finite, NaN, +-infinity) and within its own bound.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

namespace gpuconv::test {

/// Kinds of values; a set of them is their sum.
enum Class : unsigned { finite = 1, nan = 2, plus_infinity = 4, minus_infinity = 8 };

template <class T>
constexpr unsigned class_of(T v) {
  if constexpr (!std::is_floating_point_v<T>) return finite;
  else if (std::isnan(v)) return nan;
  else if (std::isinf(v)) return v > 0 ? plus_infinity : minus_infinity;
  else return finite;
}

/// The values that an output may have: one of `classes`, and within `bound` of `value` where it is finite.
struct Expected {
  long double value;
  long double bound;
  unsigned classes = finite;
};

/// Every `got[i]` is as `want[i]` says. The failure's text gives the worst outputs.
template <class T>
testing::AssertionResult is_close(std::span<T const> got, std::span<Expected const> want) {
  if (got.size() != want.size())
    return testing::AssertionFailure() << got.size() << " outputs, expected " << want.size();
  std::size_t wrong = 0, worst = 0;
  long double worst_ratio = -1;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const unsigned c = class_of(got[i]);
    const long double error = std::abs(static_cast<long double>(got[i]) - want[i].value);
    const bool right = (c & want[i].classes) && (c != finite || error <= want[i].bound);
    if (right) continue;
    ++wrong;
    const long double ratio = c == finite && want[i].bound > 0 ? error / want[i].bound : 0x1p16000L;
    if (ratio > worst_ratio) worst_ratio = ratio, worst = i;
  }
  if (wrong == 0) return testing::AssertionSuccess();
  return testing::AssertionFailure() << wrong << " of " << got.size() << " outputs are wrong, the worst at " << worst
                                     << ": got " << +got[worst] << ", expected " << want[worst].value << " within "
                                     << want[worst].bound << " (classes " << want[worst].classes << ")";
}

/// Equal, element by element.
template <class T>
testing::AssertionResult is_equal(std::span<T const> got, std::span<T const> want) {
  if (got.size() != want.size())
    return testing::AssertionFailure() << got.size() << " outputs, expected " << want.size();
  for (std::size_t i = 0; i < got.size(); ++i)
    if (got[i] != want[i])
      return testing::AssertionFailure() << "output " << i << " is " << +got[i] << ", expected " << +want[i];
  return testing::AssertionSuccess();
}

}  // namespace gpuconv::test

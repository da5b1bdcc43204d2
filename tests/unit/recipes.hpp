// What the tests of recipes share: numbers of a seed, and how far results may be from a formula in long double.
#pragma once

#include "support/compare.hpp"
#include "support/tolerance.hpp"

#include <gpuconv/recipes.hpp>

#include <algorithm>
#include <cmath>
#include <random>

namespace gpuconv::test {

/// `count` normally distributed numbers about `offset`.
template <class T = double>
std::vector<T> noise(std::int64_t count, unsigned seed, double offset = 0, double size = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(offset, size);
  std::vector<T> out(static_cast<std::size_t>(count));
  for (T& v : out) v = static_cast<T>(normal(random));
  return out;
}

/// Every number of `got` is within `units` unit roundoffs of the largest of `want` (of `size`, if that is larger), or
/// NaN where that is.
template <class T, class U>
testing::AssertionResult is_near(std::vector<T> const& got, std::vector<U> const& want, double units, double size = 0) {
  long double largest = size;
  for (U const v : want)
    if (std::isfinite(v)) largest = std::max(largest, std::abs(static_cast<long double>(v)));
  std::vector<Expected> expected;
  for (U const v : want)
    expected.push_back({static_cast<long double>(v), units * tolerance(type_of<T>).unit * largest, class_of(v)});
  return is_close(std::span<T const>(got), std::span<Expected const>(expected));
}

}  // namespace gpuconv::test

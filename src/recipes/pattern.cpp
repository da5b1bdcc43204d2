#include "pattern.hpp"

#include "../text.hpp"

#include <gpuconv/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace gpuconv::recipes {

using namespace gpuconv::detail;

namespace {

// The power of two that brings the largest finite number to between 1 and 2; 1 where there is none but zeros.
double scale_of(double const* numbers, std::int64_t count) {
  double largest = 0;
  for (std::int64_t i = 0; i < count; ++i)
    if (const double size = std::abs(numbers[i]); size > largest && size <= std::numeric_limits<double>::max())
      largest = size;
  return largest > 0 ? std::ldexp(1.0, std::clamp(-std::ilogb(largest), -1022, 1022)) : 1;
}

}  // namespace

Pattern pattern_of(HostInput const& view) {
  if (view.rows() != 1) throw InvalidArgument(text("the pattern has ", view.rows(), " rows, one is expected"));
  if (!view.data()) throw InvalidArgument("the pattern is a null pointer");
  const std::int64_t count = saturating_multiply(view.lines(), view.columns());
  Pattern p{zeros<double>(count), 0};
  for (std::int64_t line = 0; line < view.lines(); ++line)
    read(line_of(view, 0, line), 0, 0, view.columns(), p.numbers.data() + line * view.columns());
  for (const double v : p.numbers)
    if (!std::isfinite(v)) throw InvalidArgument(text("the pattern holds ", v, ", finite numbers are expected"));
  const auto [least, largest] = std::minmax_element(p.numbers.begin(), p.numbers.end());
  if (*least == *largest)
    throw InvalidArgument("the pattern is flat: all its samples are equal, and nothing correlates with them");
  const double scale = scale_of(p.numbers.data(), count);
  long double sum = 0, squares = 0;
  for (const double v : p.numbers) sum += v * scale;
  const long double mean = sum / static_cast<long double>(count);
  for (const double v : p.numbers) squares += (v * scale - mean) * (v * scale - mean);
  sum = 0;
  for (double& v : p.numbers) sum += v = static_cast<double>((v * scale - mean) / std::sqrt(squares));
  p.sum = static_cast<double>(sum);
  return p;
}

double prepare(double* numbers, std::int64_t count) {
  const double scale = scale_of(numbers, count);
  double sum = 0, squares = 0;
  std::int64_t finite = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    numbers[i] *= scale;
    if (std::isfinite(numbers[i])) sum += numbers[i], ++finite;
  }
  const double mean = finite > 0 ? sum / static_cast<double>(finite) : 0;
  for (std::int64_t i = 0; i < count; ++i) {
    numbers[i] -= mean;
    if (std::isfinite(numbers[i])) squares += numbers[i] * numbers[i];
  }
  return std::sqrt(squares);
}

double score_by_itself(Pattern const& pattern, double const* window) {
  const auto m = std::ssize(pattern.numbers);
  const double scale = scale_of(window, m);
  double sum = 0, squares = 0, product = 0;
  for (std::int64_t j = 0; j < m; ++j) sum += window[j] * scale;
  const double mean = sum / static_cast<double>(m);
  for (std::int64_t j = 0; j < m; ++j) {
    const double distance = window[j] * scale - mean;
    squares += distance * distance;
    product += distance * pattern.numbers[static_cast<std::size_t>(j)];
  }
  return clamped(product / std::sqrt(squares));
}

}  // namespace gpuconv::recipes

// The filters of recipes, in double precision.
#include "../text.hpp"
#include "checks.hpp"
#include "polynomials.hpp"

#include <gpuconv/error.hpp>

#include <algorithm>
#include <cmath>

namespace gpuconv::recipes {

using namespace gpuconv::detail;

namespace {

constexpr int kLargestOrder = 30;

// Coefficients, from the power 0 on, of the polynomial p with (d/dx)^order exp(-x^2 / 2 s^2) = p(x) exp(-x^2 / 2 s^2):
// each derivative takes p to p' - p x / s^2.
std::vector<double> derivative_polynomial(int order, double sigma) {
  std::vector<double> p{1};
  for (int d = 0; d < order; ++d) {
    std::vector<double> next(p.size() + 1);
    for (std::size_t k = 0; k < p.size(); ++k) next[k + 1] -= p[k] / (sigma * sigma);
    for (std::size_t k = 1; k < p.size(); ++k) next[k - 1] += static_cast<double>(k) * p[k];
    p = std::move(next);
  }
  return p;
}

double value(std::vector<double> const& polynomial, double x) {
  double sum = 0;
  for (std::size_t k = polynomial.size(); k-- > 0;) sum = sum * x + polynomial[k];
  return sum;
}

std::int64_t radius_of(double sigma, double truncate) {
  check_positive(sigma, "sigma");
  check_positive(truncate, "truncate");
  const double radius = std::floor(truncate * sigma + 0.5);
  if (!(radius <= 0x1p31))
    throw InvalidArgument(text("a Gaussian of sigma ", sigma, ", truncated at ", truncate, ", has too many taps"));
  return static_cast<std::int64_t>(radius);
}

}  // namespace

std::vector<double> box_taps(std::int64_t window) {
  return guarded([&] {
    check_window(window);
    std::vector<double> taps = zeros<double>(window);
    std::fill(taps.begin(), taps.end(), 1.0 / static_cast<double>(window));
    return taps;
  });
}

std::vector<double> gaussian_taps(double sigma, int order, double truncate) {
  return guarded([&] {
    const std::int64_t radius = radius_of(sigma, truncate);
    if (order < 0 || order > kLargestOrder)
      throw InvalidArgument(text("the order of the derivative is ", order, ", 0 to ", kLargestOrder, " are expected"));
    std::vector<double> taps = zeros<double>(2 * radius + 1);
    const auto at = [&](std::size_t i) { return static_cast<double>(i) - static_cast<double>(radius); };
    double sum = 0;
    for (std::size_t i = 0; i < taps.size(); ++i) sum += taps[i] = std::exp(-0.5 * (at(i) / sigma) * (at(i) / sigma));
    const std::vector<double> polynomial = derivative_polynomial(order, sigma);
    for (std::size_t i = 0; i < taps.size(); ++i) taps[i] = taps[i] / sum * value(polynomial, at(i));
    return taps;
  });
}

std::vector<double> savgol_taps(std::int64_t window, int degree, int derivative, double spacing,
                                std::optional<std::int64_t> position) {
  return guarded([&] {
    const Polynomials polynomials(window, degree, derivative, spacing);
    const std::int64_t at = position.value_or(window / 2);
    if (at < 0 || at >= window)
      throw InvalidArgument(text("the position ", at, " is not within the window of ", window, " samples"));
    std::vector<double> taps = polynomials.weights(at);
    std::reverse(taps.begin(), taps.end());
    return taps;
  });
}

std::vector<double> central_difference_taps(double spacing) {
  return guarded([&] {
    check_spacing(spacing);
    return std::vector<double>{1 / (2 * spacing), 0, -1 / (2 * spacing)};
  });
}

}  // namespace gpuconv::recipes

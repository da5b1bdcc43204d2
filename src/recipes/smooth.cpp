// Smoothing and slopes: taps about a middle, and what becomes of the ends.
#include "../text.hpp"
#include "checks.hpp"
#include "polynomials.hpp"

#include <gpuconv/error.hpp>

#include <algorithm>
#include <cmath>

namespace gpuconv::recipes {

using namespace gpuconv::detail;

namespace {

// The number that a complex or a real one is scaled by.
template <class R>
using Part = typename ElementOf<part_type(type_of<R>)>::type;

// Windows that the ends cut off hold `count` samples of `window`, and their sums were divided by `window`.
template <class R>
void average_what_is_there(HostOutput const& out, std::int64_t window) {
  const std::int64_t n = out.columns(), half = window / 2;
  const auto correct = [&](std::int64_t row, std::int64_t k) {
    const std::int64_t count = std::min(n - 1, k + half) - std::max<std::int64_t>(0, k - half) + 1;
    element<R>(out, row, k) *= static_cast<Part<R>>(static_cast<double>(window) / static_cast<double>(count));
  };
  for (std::int64_t row = 0; row < out.rows(); ++row) {
    const std::int64_t left = std::min(half, n), right = std::max(left, n - half);
    for (std::int64_t k = 0; k < left; ++k) correct(row, k);
    for (std::int64_t k = right; k < n; ++k) correct(row, k);
  }
}

// The slope at the first of `samples`, which lie in the direction of `spacing`. Source: numpy.gradient.
template <class R>
R slope_at_end(R const* samples, int edge_order, double spacing) {
  const auto dx = static_cast<Part<R>>(spacing);
  if (edge_order == 1) return (samples[1] - samples[0]) / dx;
  return Part<R>(-1.5) / dx * samples[0] + Part<R>(2) / dx * samples[1] + Part<R>(-0.5) / dx * samples[2];
}

template <class R>
void divide_and_mend_ends(HostInput const& signal, HostOutput const& out, Gradient const& how) {
  const std::int64_t n = out.columns(), count = how.edge_order + 1;
  const auto width = static_cast<Part<R>>(2 * how.spacing);
  for (std::int64_t row = 0; row < out.rows(); ++row) {
    for (std::int64_t k = 1; k + 1 < n; ++k) element<R>(out, row, k) /= width;
    R first[3], last[3];
    read(signal, row, 0, count, first);
    read(signal, row, n - count, count, last);
    std::reverse(last, last + count);
    element<R>(out, row, 0) = slope_at_end(first, how.edge_order, how.spacing);
    element<R>(out, row, n - 1) = slope_at_end(last, how.edge_order, -how.spacing);
  }
}

// Replaces the outputs near the ends by those of the fits of the first and the last window. In double: a fit of samples
// with a large offset is a small difference.
template <class R>
void fit_ends(HostInput const& signal, HostOutput const& out, std::int64_t window, Polynomials const& polynomials) {
  using Wide = typename ElementOf<is_complex(type_of<R>) ? Type::complex128 : Type::float64>::type;
  const std::int64_t n = out.columns(), half = window / 2;
  std::vector<Wide> samples = zeros<Wide>(window);
  // Outputs `begin` to `end` of the window that starts at `first`.
  const auto fit = [&](std::int64_t row, std::int64_t first, std::int64_t begin, std::int64_t end) {
    read(signal, row, first, window, samples.data());
    const std::vector<Wide> coefficients = polynomials.coefficients(samples.data());
    for (std::int64_t k = begin; k < end; ++k)
      element<R>(out, row, first + k) = static_cast<R>(polynomials.derivative(coefficients, k));
  };
  for (std::int64_t row = 0; row < out.rows(); ++row) {
    fit(row, 0, 0, half);
    fit(row, n - window, half + 1, window);
  }
}

}  // namespace

void moving_average(HostInput signal, HostOutput out, MovingAverage const& how) {
  guarded([&] {
    if (!how.boundary) check_window_fits(how.window, signal);
    convolve_centred(signal, box_taps(how.window), out, {how.boundary.value_or(Boundary::zero), how.constant},
                     how.options);
    if (how.boundary) return;
    visit_result(out.type(), [&]<class R>(std::type_identity<R>) { average_what_is_there<R>(out, how.window); });
  });
}

void gradient(HostInput signal, HostOutput out, Gradient const& how) {
  guarded([&] {
    check_spacing(how.spacing);
    if (how.edge_order != 1 && how.edge_order != 2)
      throw InvalidArgument(text("the edge order is ", how.edge_order, ", 1 or 2 is expected"));
    if (signal.columns() <= how.edge_order)
      throw InvalidArgument(text("a gradient of edge order ", how.edge_order, " needs ", how.edge_order + 1,
                                 " samples, the signal has ", signal.columns()));
    convolve_centred(signal, {1, 0, -1}, out, {}, how.options);
    visit_result(out.type(), [&]<class R>(std::type_identity<R>) { divide_and_mend_ends<R>(signal, out, how); });
  });
}

void gaussian(HostInput signal, HostOutput out, Gaussian const& how) {
  guarded([&] {
    convolve_centred(signal, gaussian_taps(how.sigma, how.order, how.truncate), out, {how.boundary, how.constant},
                     how.options);
  });
}

void savitzky_golay(HostInput signal, HostOutput out, SavitzkyGolay const& how) {
  guarded([&] {
    const Polynomials polynomials(how.window, how.degree, how.derivative, how.spacing);
    std::vector<double> taps = polynomials.weights(how.window / 2);
    std::reverse(taps.begin(), taps.end());
    if (!how.boundary) check_window_fits(how.window, signal);
    convolve_centred(signal, taps, out, {how.boundary.value_or(Boundary::zero), how.constant}, how.options);
    if (how.boundary) return;
    visit_result(out.type(),
                 [&]<class R>(std::type_identity<R>) { fit_ends<R>(signal, out, how.window, polynomials); });
  });
}

}  // namespace gpuconv::recipes

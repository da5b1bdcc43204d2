#include "polynomials.hpp"

#include "../text.hpp"
#include "checks.hpp"

#include <gpuconv/error.hpp>

#include <cmath>
#include <numeric>
#include <utility>

namespace gpuconv::recipes {

using namespace gpuconv::detail;

namespace {

using Samples = std::vector<long double>;

void check(std::int64_t window, int degree, int derivative, double spacing) {
  check_window(window);
  check_spacing(spacing);
  if (degree < 0 || degree >= window)
    throw InvalidArgument(
        text("the degree is ", degree, ", 0 to ", window - 1, " are expected in a window of ", window));
  if (derivative < 0) throw InvalidArgument(text("the derivative is of order ", derivative, ", 0 is the least"));
}

// The next polynomial's derivative of order d at each sample x, of p and the one before it: that of x p - b before.
Samples next(Samples const& x, Samples const& p, Samples const* lower, int d, long double b, Samples const& before) {
  Samples out(x.size());
  for (std::size_t i = 0; i < x.size(); ++i)
    out[i] = x[i] * p[i] + (lower ? static_cast<long double>(d) * (*lower)[i] : 0) - b * before[i];
  return out;
}

}  // namespace

Polynomials::Polynomials(std::int64_t window, int degree, int derivative, double spacing) : samples_(window) {
  check(window, degree, derivative, spacing);
  if (derivative > degree) return;  // all are 0
  // In halves of the window, so that powers neither grow nor vanish.
  const long double half = window > 1 ? static_cast<long double>(window - 1) / 2 : 1;
  Samples x = zeros<long double>(window);
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = (static_cast<long double>(i) - static_cast<long double>(window / 2)) / half;
  const long double unit = std::pow(static_cast<long double>(spacing) * half, -static_cast<long double>(derivative));

  const auto orders = static_cast<std::size_t>(derivative) + 1;
  std::vector<Samples> before(orders, Samples(x.size())), p = before;  // the derivatives of order 0, 1, ...
  p[0].assign(x.size(), 1);
  long double last = 1;
  for (int k = 0; k <= degree; ++k) {
    const long double norm = std::inner_product(p[0].begin(), p[0].end(), p[0].begin(), 0.0L);
    Degree kept{p[0], p[orders - 1]};
    for (long double& v : kept.values) v /= norm;
    for (long double& v : kept.derivatives) v *= unit;
    degrees_.push_back(std::move(kept));
    if (k == degree) break;
    const long double b = k > 0 ? norm / last : 0;
    std::vector<Samples> following(orders);
    for (std::size_t d = 0; d < orders; ++d)
      following[d] = next(x, p[d], d > 0 ? &p[d - 1] : nullptr, static_cast<int>(d), b, before[d]);
    before = std::exchange(p, std::move(following));
    last = norm;
  }
}

std::vector<double> Polynomials::weights(std::int64_t position) const {
  std::vector<double> out = zeros<double>(samples_);
  for (std::size_t i = 0; i < out.size(); ++i) {
    long double sum = 0;
    for (Degree const& d : degrees_) sum += d.values[i] * d.derivatives[static_cast<std::size_t>(position)];
    out[i] = static_cast<double>(sum);
  }
  return out;
}

}  // namespace gpuconv::recipes

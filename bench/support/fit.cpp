#include "fit.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace gpuconv::bench {
namespace {

using Matrix = std::vector<std::vector<double>>;

// Gaussian elimination with row pivoting of the square system whose last column is the right-hand side.
std::vector<double> solve(Matrix a) {
  const std::size_t n = a.size();
  for (std::size_t c = 0; c < n; ++c) {
    for (std::size_t r = c + 1; r < n; ++r)
      if (std::abs(a[r][c]) > std::abs(a[c][c])) std::swap(a[r], a[c]);
    for (std::size_t r = 0; r < n; ++r) {
      if (r == c) continue;
      const double factor = a[r][c] / a[c][c];
      for (std::size_t i = c; i <= n; ++i) a[r][i] -= factor * a[c][i];
    }
  }
  std::vector<double> x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = a[i][n] / a[i][i];
  return x;
}

}  // namespace

Fit fit(std::vector<Observation> const& observations) {
  const std::size_t n = observations.front().terms.size();
  Matrix normal(n, std::vector<double>(n + 1));
  for (Observation const& o : observations)
    for (std::size_t r = 0; r < n; ++r) {
      for (std::size_t c = 0; c < n; ++c) normal[r][c] += o.terms[r] * o.terms[c] / (o.value * o.value);
      normal[r][n] += o.terms[r] / o.value;
    }
  Fit out{solve(std::move(normal)), 0};
  for (Observation const& o : observations) {
    double model = 0;
    for (std::size_t i = 0; i < n; ++i) model += out.coefficients[i] * o.terms[i];
    out.worst = std::max(out.worst, std::abs(model / o.value - 1));
  }
  return out;
}

}  // namespace gpuconv::bench

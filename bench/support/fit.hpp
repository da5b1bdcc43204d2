// Least squares for a few coefficients, relative: every measurement counts by its percentage, however small it is.
#pragma once

#include <vector>

namespace gpuconv::bench {

/// The measured `value` is modelled as the sum of coefficient[i] * terms[i].
struct Observation {
  std::vector<double> terms;
  double value;
};

struct Fit {
  std::vector<double> coefficients;
  double worst;  // largest relative difference between model and measurement
};

/// Needs at least as many observations as terms, all values positive.
Fit fit(std::vector<Observation> const& observations);

}  // namespace gpuconv::bench

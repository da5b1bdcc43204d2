// How far a result is from the reference solver's, on as many outputs as that slow solver can afford.
#pragma once

#include <gpuconv/problem.hpp>
#include <gpuconv/view.hpp>

namespace gpuconv::bench {

struct Errors {
  double max;          // largest difference
  double relative_l2;  // norm of the difference over the norm of the result
};

/// Compares stretches at the start, the middle and the end of the first and last row. The problem has mode full, one
/// filter and a signal at least as long as it; `out` holds its result.
Errors errors(Problem const& problem, HostInput signal, HostInput filter, HostOutput out);

}  // namespace gpuconv::bench

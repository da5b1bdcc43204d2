// One problem, timed: every solver of the table that takes it, beside the speed of a copy.
#pragma once

#include "support/timing.hpp"

#include <gpuconv/problem.hpp>

#include <nlohmann/json.hpp>

namespace gpuconv::bench {

struct Job {
  Problem problem;  // mode full, one filter
  Memory memory = Memory::device;
  Budget budget;
  double most_products = 0;  // of a direct sum; longer ones are left out
};

/// From {"type", "batch", "signal", "taps", "memory", "seconds", "least", "most_products"}. Throws InvalidArgument.
Job job_from(nlohmann::json const& fields);

/// {"chosen", "contestants": [{"contestant", "library", "detail", "seconds", "max_error", "relative_l2"} or, where it
/// did not take part, {"contestant", "skipped"}]}. `timed` off: errors only.
nlohmann::json run(Job const& job, bool timed);

}  // namespace gpuconv::bench

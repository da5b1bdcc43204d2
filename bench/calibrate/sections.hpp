// What calibrate measures, a section a file. Each returns its tables; none prints.
#pragma once

#include "../support/table.hpp"
#include "../support/timing.hpp"

#include <vector>

namespace gpuconv::bench {

struct Settings {
  bool quick;
  int threads;
  Budget budget;
};

/// Nanoseconds a sample and tap of the direct solver on one thread, with the fitted coefficients of its cost.
std::vector<Table> calibrate_direct(Settings const&);

/// Time of one overlap-save block at every transform size, in the cache and beyond it.
std::vector<Table> calibrate_blocks(Settings const&);

/// What a call costs on a tiny problem, what making a plan costs, waking workers, moving bytes.
std::vector<Table> calibrate_overhead(Settings const&);

/// Over a grid of problems: time of the planner's choice over that of the fastest solver.
std::vector<Table> measure_regret(Settings const&);

}  // namespace gpuconv::bench

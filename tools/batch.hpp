// Convolves the rows of one .npy file into another, as many at a time as a bounded amount of memory holds.
#pragma once

#include <gpuconv/gpuconv.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace tool {

/// What to convolve. Paths may be pipes, or "-" for standard input or output.
struct Job {
  std::string signal, filter, output;
  gpuconv::Mode mode = gpuconv::Mode::full;
  gpuconv::Same same = gpuconv::Same::numpy;
  std::optional<gpuconv::Type> result_type;
  gpuconv::Options options;
};

/// What was done, and how fast.
struct Report {
  std::string problem, solver;
  std::int64_t samples = 0;  ///< of the signal, over all rows
  std::int64_t rows_at_once = 0, rows = 0;
  std::size_t plan_bytes = 0;
  double reading = 0, convolving = 0, writing = 0, total = 0;  ///< seconds
};

/// Throws npy::Error; Failure for what concerns signal and filter together.
Report convolve_files(Job const& job);

}  // namespace tool

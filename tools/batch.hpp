// Convolves or correlates the rows of one .npy file into another, as many at a time, or as much of one, as a bounded
// amount of memory holds.
#pragma once

#include "request.hpp"

#include <cstdint>
#include <string>

namespace tool {

/// A problem to compute, and the files of its arrays. Paths may be pipes, or "-" for standard input or output.
struct Job {
  std::string signal, filter, output;
  Request request;
  std::int64_t axis = -1;  ///< of the signal, along which it is convolved; negative: from the end
  bool bank = false;       ///< every filter on every row
  gpuconv::Options options;
};

/// The work that was done, and how fast.
struct Report {
  std::string problem, solver;
  std::int64_t samples = 0;  ///< of the signal, over all rows
  std::int64_t rows_at_once = 0, rows = 0;
  std::int64_t outputs_at_once = 0, outputs = 0;  ///< of a row
  std::size_t plan_bytes = 0;
  gpuconv::Type type = {}, result_type = {};
  gpuconv::Wrapping wrapping = gpuconv::Wrapping::never;       ///< with any of the filters
  double reading = 0, convolving = 0, writing = 0, total = 0;  ///< seconds
};

/// Throws npy::Error; Failure for what concerns signal and filter together.
Report convolve_files(Job const& job);

}  // namespace tool

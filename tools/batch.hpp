// Convolves or correlates the rows of one .npy file into another, as many at a time, or as much of one, as a bounded
// amount of memory holds.
#pragma once

#include "report.hpp"
#include "request.hpp"

#include <cstddef>
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

/// Throws npy::Error; Failure for what concerns signal and filter together.
Report convolve_files(Job const& job);

/// Logical or, of the products that a sum counted: NumPy's bool, in the first `length` bytes of as many 64-bit counts.
void make_logical(std::byte* counts, std::int64_t length);

}  // namespace tool

// The lags of a correlation that a caller asks for by number, as runs with one step each, which are windows of outputs.
#pragma once

#include "numpy.hpp"

#include <cstdint>
#include <vector>

namespace gpuconv::python {

/// Lags that are `step` apart, from `first` on. The lowest of them comes last where they descend.
struct LagRun {
  std::int64_t first;
  std::int64_t count;
  std::int64_t step = 1;  ///< at least 1
  bool descends = false;
  std::int64_t before = 0;  ///< lags of the runs before this one

  std::int64_t lowest() const { return descends ? first - (count - 1) * step : first; }
  std::int64_t highest() const { return descends ? first : first + (count - 1) * step; }
};

struct Lags {
  std::vector<LagRun> runs;
  std::int64_t count = 0;
};

/// Those of a range or of anything that is a 1-D array of integers, in its order, as few runs as greed finds. Throws
/// nb::python_error: TypeError for others, OverflowError beyond 64 bits.
Lags lags_of(PyObject* lags);

/// -most, ..., most. Throws nb::python_error: ValueError for a negative number.
Lags lags_up_to(std::int64_t most);

}  // namespace gpuconv::python

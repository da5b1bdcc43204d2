// What a command is asked to compute, before the sizes are known.
#pragma once

#include <gpuconv/gpuconv.hpp>

#include <cstdint>
#include <optional>

namespace tool {

/// The lags `first`, `first` + `step` and so on to `last` at most.
struct Lags {
  std::int64_t first, last, step = 1;
};

struct Request {
  gpuconv::Problem problem;  ///< its operation, mode, same, boundary, and result type where one is named
  std::optional<Lags> lags;  ///< of a correlation, in place of the mode

  /// The request for rows of these sizes. Throws InvalidArgument for lags that are none.
  gpuconv::Problem of(std::int64_t signal, std::int64_t filter) const {
    gpuconv::Problem out = problem;
    out.signal = signal, out.filter = filter;
    if (lags) out.window = gpuconv::lag_window(lags->first, lags->last, filter, lags->step);
    return out;
  }
};

}  // namespace tool

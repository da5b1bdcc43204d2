// The cost model of the CUDA solvers: named data. None of it has been measured on a GPU yet; the origin of each number
// stands beside it.
#pragma once

#include "runtime.hpp"

#include "../solver.hpp"

#include <algorithm>
#include <string>

namespace gpuconv::detail {

/// Enqueuing a kernel and starting it: what CUDA's documentation and common experience give.
inline constexpr double kLaunchSeconds = 5e-6;
/// Waiting for the device, and the first and last piece of a pipeline.
inline constexpr double kTransferSeconds = 3e-5;
/// Part of the memory's nominal speed that a device-to-device copy reaches: an H200's 4.3 of 4.8 TB/s.
inline constexpr double kCopyFraction = 0.9;
/// Instructions that one multiprocessor issues a second for one thread each: four warps a clock, 1.7 GHz. In double
/// precision it has half the units.
inline double issue_slots(Type compute) { return compute == Type::float64 ? 1.1e11 : 2.2e11; }
/// Bytes a second in each direction between host and device, by way of pinned memory: half of what PCIe 4 x16 gives.
inline constexpr double kTransferRate = 1.2e10;

/// Time of work that takes the device `device_seconds`: for arrays in host memory transfers count, both directions and
/// the work at the same time.
inline double total_seconds(Geometry const& g, Resources const& r, double device_seconds) {
  if (r.memory == Memory::device) return device_seconds;
  const double rows = static_cast<double>(g.batch);
  const double in = rows * static_cast<double>(g.signal) * static_cast<double>(size_of(g.signal_type));
  const double out = rows * static_cast<double>(g.length) * static_cast<double>(size_of(g.result_type));
  return kTransferSeconds + std::max({in / kTransferRate, out / kTransferRate, device_seconds});
}

/// What CUDA solvers print after their parameters.
inline std::string cuda_text(Resources const& r) { return r.memory == Memory::host ? ", with transfers" : ""; }

}  // namespace gpuconv::detail

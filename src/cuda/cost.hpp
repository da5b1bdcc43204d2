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
/// The same for the second-level cache, where neighbours load the same samples and blocks the same tables: 5.5 TB/s, by
/// what others report of the H100.
inline constexpr double kCacheFraction = 1.1;
/// How much of the shorter of work and transfers shows: a guess.
inline constexpr double kNotHidden = 0.1;
/// Instructions of warps that a quarter of a multiprocessor issues a second, an H200's.
inline constexpr double kSlotsPerSecond = 1.98e9;

/// The problem with a batch that fills any device: what rows are cut into is chosen for it, since a row's bits must not
/// depend on the batch.
inline Work of_many_rows(Work work) {
  work.loops.outer.count = std::int64_t{1} << 20;
  work.loops.inner = {};
  return work;
}

/// Instructions of a warp for a product that is added to a sum in registers. A double takes two cycles on an H200, a
/// 64-bit product several instructions.
inline double product_slots(Type compute) { return compute == Type::float32 ? 1 : compute == Type::float64 ? 2 : 5; }

/// The work that a kernel gives the device. Warps issue `slots` instructions each, counted in the machine code for
/// sm_90.
struct Demand {
  double warps, slots;
  double cached_bytes;  // to and from the second-level cache
  double bytes;         // to and from memory
};

inline double kernel_seconds(Demand const& w, CudaDevice const& device) {
  const double issue = std::max(w.warps / (4.0 * device.multiprocessors), 1.0) * w.slots / kSlotsPerSecond;
  const double transfers = w.cached_bytes / (kCacheFraction * device.bytes_per_second);
  return kLaunchSeconds + std::max(std::max(issue, transfers) + kNotHidden * std::min(issue, transfers),
                                   w.bytes / (kCopyFraction * device.bytes_per_second));
}

/// Bytes that stay in the second-level cache from one kernel to the next, which holds more of them for a while.
inline std::int64_t bytes_kept_in_cache(CudaDevice const& device) {
  return std::max(device.l2_cache / 2, std::int64_t{8} << 20);
}

/// Moving signals and outputs to where rows lie one behind the other, and back (across.hpp): each is written to the
/// second-level cache and read there once more. Expected, not measured.
inline double across_seconds(Work const& w, CudaDevice const& device) {
  Work arrays = w;
  arrays.axis.filter = 0;
  const double bytes = array_bytes(arrays);
  constexpr int kLaunches = 3;  // of a chunk
  return kLaunches * std::ceil(bytes / static_cast<double>(bytes_kept_in_cache(device))) * kLaunchSeconds +
         2 * bytes / (kCacheFraction * device.bytes_per_second);
}

/// Bytes a second in each direction between host and device, by way of pinned memory: half of what PCIe 4 x16 gives.
inline constexpr double kTransferRate = 1.2e10;

/// Time of work that takes the device `device_seconds`: for arrays in host memory transfers count, both directions and
/// the work at the same time; where rows lie across device memory, moving them.
inline double total_seconds(Work const& w, Resources const& r, double device_seconds) {
  if (r.memory == Memory::device) return device_seconds + (r.across ? across_seconds(w, current_device()) : 0);
  const double in = static_cast<double>(w.loops.signals()) * static_cast<double>(w.samples()) *
                    static_cast<double>(size_of(w.signal_type));
  const double out =
      static_cast<double>(w.rows()) * static_cast<double>(w.outputs()) * static_cast<double>(size_of(w.result_type));
  return kTransferSeconds + std::max({in / kTransferRate, out / kTransferRate, device_seconds});
}

/// Bytes of signals that an executor prepares at once in the part of the filter.
inline constexpr double kExchangedBytes = 64 << 20;

/// Refuses where there is no device.
inline std::string no_device(Work const&) { return why_no_device(); }

}  // namespace gpuconv::detail

// The cost model of the CPU solvers: named data, with the measurement they come from.
//
// Measured on 2026-11-22 with `bench/calibrate` on one core of an AMD EPYC (Zen 5, AVX-512, 1 MiB L2), g++ 12.2: least
// times, then fitted until `calibrate regret` found little. Problems of 256 KiB and more are measured on cold data.
// Other machines differ by a factor that is much the same for all solvers, which leaves the choice as it is.
#pragma once

#include <gpuconv/info.hpp>

#include <algorithm>
#include <cstdint>

namespace gpuconv::detail {

/// Problems of more bytes are not expected in a core's cache, where others have worked since.
inline constexpr double kCoreCacheBytes = 256 << 10;

/// What an execute costs besides its work: views, dispatch, buffers.
inline constexpr double kCallSeconds = 5e-8;

/// Handing tasks to sleeping workers and waiting for the last one. Work for less than a few of these stays on one
/// thread.
inline constexpr double kWakeSeconds = 2e-5;

/// Threads worth using for work that takes one thread `seconds` in `tasks` pieces, of `threads` at most; 0: of as many
/// as run at once, which is asked for only where more than one is worth it.
inline int useful_threads(double seconds, std::int64_t tasks, int threads) {
  const double worth = std::max(1.0, seconds / (2 * kWakeSeconds));
  if (worth < 2 || tasks < 2) return 1;
  if (threads == 0) threads = hardware_threads();
  return static_cast<int>(std::min({static_cast<double>(threads), static_cast<double>(tasks), worth}));
}

/// Time of that work on that many threads.
inline double parallel_seconds(double seconds, int used) {
  return kCallSeconds + seconds / used + (used > 1 ? kWakeSeconds : 0);
}

}  // namespace gpuconv::detail

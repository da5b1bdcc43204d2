// The cost model of the CPU solvers: named data, with the measurement they come from.
//
// Measured on 2026-11-22 with `bench/calibrate.py` on one core of an AMD EPYC (Zen 5, AVX-512, 1 MiB L2), g++ 12.2:
// least times, then fitted until `calibrate regret` found little. Problems of 256 KiB and more are measured on cold
// data. Other machines differ by a factor that is much the same for all solvers, which leaves the choice as it is, but
// for the vector width: what depends on it was measured on that machine with narrower targets too (2026-11-25), on warm
// data.
#pragma once

#include "simd_target.hpp"

#include "../core/work.hpp"

#include <gpuconv/info.hpp>

#include <algorithm>
#include <cstdint>

namespace gpuconv::detail {

/// Problems of more bytes are not expected in a core's cache, where others have worked since.
inline constexpr double kCoreCacheBytes = 256 << 10;

/// A constant that depends on the vector width: of 128, 256 and 512 bits.
template <class T>
struct ByWidth {
  T narrow, medium, wide;

  /// That of the target which runs here.
  constexpr T const& here() const {
    const int bits = simd_target().bits;
    return bits >= 512 ? wide : bits == 256 ? medium : narrow;
  }
};

/// Seconds per product of a direct sum, by the type that operands are multiplied in, measured.
struct ProductSeconds {
  double float32, float64;
  double int16, int32, uint64;  // uint32 takes as long as int32, where the target has that
};
inline constexpr ByWidth<ProductSeconds> kProductSeconds{
    .narrow = {3.8e-11, 8.7e-11, 4.5e-11, 8.8e-11, 3.4e-10},
    .medium = {1.8e-11, 3.5e-11, 2.2e-11, 3.8e-11, 1.3e-10},
    .wide = {9e-12, 1.8e-11, 1e-11, 2e-11, 2e-11},
};
inline double product_seconds(Type operands) {
  ProductSeconds const& m = kProductSeconds.here();
  switch (operands) {
    case Type::float32:
      return m.float32;
    case Type::float64:
      return m.float64;
    case Type::int16:
      return m.int16;
    case Type::uint64:
      return m.uint64;
    default:
      return m.int32;
  }
}

/// Per element of a signal that is not in the type it is multiplied in, or of a result in another type than its sums.
inline constexpr double kConverted = 3e-10;
/// The same of 16-bit numbers that are computed with in float32, by vectors in a core's cache.
struct ConversionSeconds {
  double load, store;
};
inline constexpr ByWidth<ConversionSeconds> kFloat16{{2.7e-10, 5.7e-10}, {4e-11, 6.5e-11}, {2.2e-11, 3.2e-11}},
    kBfloat16{{9.3e-11, 2.7e-10}, {6e-11, 1e-10}, {3e-11, 4.5e-11}};

/// Of one element that is stored in one type and computed with in another; complex ones are computed by their parts.
inline ConversionSeconds converted_element(Type element, Type used) {
  const Type stored = part_type(element);
  if (stored == used || (used == Type::uint64 && stored == Type::int64)) return {0, 0};
  if (used == Type::float32 && stored == Type::float16) return kFloat16.here();
  if (used == Type::float32 && stored == Type::bfloat16) return kBfloat16.here();
  return {kConverted, kConverted};
}

/// The seconds that conversions take where operands are multiplied in `operands`.
inline double converting_seconds(Work const& w, Type operands) {
  const double samples = static_cast<double>(w.loops.signals()) * static_cast<double>(w.samples()),
               outputs = static_cast<double>(w.rows()) * static_cast<double>(w.outputs());
  return converted_element(w.signal_type, operands).load * samples +
         converted_element(w.result_type, w.compute_type()).store * outputs;
}

/// The seconds of an execute besides its work: views, dispatch, buffers.
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

// How every benchmark of this folder measures time: warm-up, alternating calls, medians with their spread.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace gpuconv::bench {

/// Seconds a call: the median of `samples` with the quartiles and the least.
struct Spread {
  double median, lower, upper, least;
  std::int64_t samples;
};

Spread summarize(std::vector<double> seconds);

/// When to stop: after `seconds` for each call, but not before `least` samples.
struct Budget {
  double seconds = 0.1;
  int least = 5;
};

/// Host clock in seconds, monotonic.
double now();

/// Times the calls in turn, A B A B, so that a disturbance meets all of them. Each is warmed up; calls too short for
/// the clock are repeated within a sample.
std::vector<Spread> measure(std::span<const std::function<void()>> calls, Budget budget);
Spread measure(std::function<void()> const& call, Budget budget);

}  // namespace gpuconv::bench

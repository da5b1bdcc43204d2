#include "timing.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace gpuconv::bench {
namespace {

constexpr double kShortestSample = 5e-5;  // the clock itself takes tens of nanoseconds
constexpr double kWarmUp = 2e-3;

double run(std::function<void()> const& call, std::int64_t repeats) {
  const double begin = now();
  for (std::int64_t i = 0; i < repeats; ++i) call();
  return (now() - begin) / static_cast<double>(repeats);
}

// Runs `call` until it is warm and returns how often a sample repeats it.
std::int64_t warm_up(std::function<void()> const& call) {
  const double begin = now();
  double once = run(call, 1);
  while (now() - begin < kWarmUp) once = std::min(once, run(call, 1));
  return std::max<std::int64_t>(1, std::llround(kShortestSample / std::max(once, 1e-9)));
}

double quantile(std::vector<double> const& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], at - static_cast<double>(below));
}

}  // namespace

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

Spread summarize(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  return {quantile(seconds, 0.5), quantile(seconds, 0.25), quantile(seconds, 0.75), seconds.front(),
          static_cast<std::int64_t>(seconds.size())};
}

std::vector<Spread> measure(std::span<const std::function<void()>> calls, Budget budget) {
  std::vector<std::int64_t> repeats;
  for (auto const& call : calls) repeats.push_back(warm_up(call));
  std::vector<std::vector<double>> times(calls.size());
  const double begin = now();
  for (int round = 0; round < budget.least || now() - begin < budget.seconds * static_cast<double>(calls.size());
       ++round)
    for (std::size_t i = 0; i < calls.size(); ++i) times[i].push_back(run(calls[i], repeats[i]));
  std::vector<Spread> out;
  for (auto& t : times) out.push_back(summarize(std::move(t)));
  return out;
}

Spread measure(std::function<void()> const& call, Budget budget) {
  return measure(std::span(&call, 1), budget).front();
}

}  // namespace gpuconv::bench

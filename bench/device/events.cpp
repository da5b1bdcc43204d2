#include "events.hpp"

#include <gpuconv/error.hpp>

#include <algorithm>
#include <cmath>
#include <string>

namespace gpuconv::bench {
namespace {

constexpr double kShortestSample =
    1e-3;  // events count in half microseconds, and starting the first kernel takes a few
constexpr double kWarmUp = 2e-2;
constexpr int kMostRepeats = 1000;  // a stream holds about as many launches before the host has to wait

}  // namespace

void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  throw CudaError(std::string(what) + ": " + cudaGetErrorString(error), static_cast<int>(error));
}

Stopwatch::Stopwatch() {
  check(cudaEventCreate(&begin_), "cudaEventCreate");
  if (const cudaError_t error = cudaEventCreate(&end_); error != cudaSuccess) {
    cudaEventDestroy(begin_);
    check(error, "cudaEventCreate");
  }
}

Stopwatch::~Stopwatch() {
  cudaEventDestroy(begin_);
  cudaEventDestroy(end_);
}

double Stopwatch::time(cudaStream_t stream, std::function<void()> const& enqueue) {
  check(cudaEventRecord(begin_, stream), "cudaEventRecord");
  enqueue();
  check(cudaEventRecord(end_, stream), "cudaEventRecord");
  check(cudaEventSynchronize(end_), "cudaEventSynchronize");
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, begin_, end_), "cudaEventElapsedTime");
  return static_cast<double>(milliseconds) * 1e-3;
}

std::vector<Spread> measure_on_device(cudaStream_t stream, std::span<const std::function<void()>> calls,
                                      Budget budget) {
  Stopwatch watch;
  const auto sample = [&](std::size_t i, int repeats) {
    return watch.time(stream, [&] {
      for (int r = 0; r < repeats; ++r) calls[i]();
    }) / repeats;
  };
  std::vector<int> repeats;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const double begin = now();
    double once = sample(i, 1);
    while (now() - begin < kWarmUp) once = std::min(once, sample(i, 1));
    repeats.push_back(std::clamp(static_cast<int>(std::ceil(kShortestSample / std::max(once, 1e-7))), 1, kMostRepeats));
  }
  std::vector<std::vector<double>> times(calls.size());
  const double begin = now();
  for (int round = 0; round < budget.least || now() - begin < budget.seconds * static_cast<double>(calls.size());
       ++round)
    for (std::size_t i = 0; i < calls.size(); ++i) times[i].push_back(sample(i, repeats[i]));
  std::vector<Spread> out;
  for (auto& t : times) out.push_back(summarize(std::move(t)));
  return out;
}

}  // namespace gpuconv::bench

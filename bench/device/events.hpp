// Times of work on a GPU, by CUDA's events: what the device itself saw, without the host's part.
#pragma once

#include "support/timing.hpp"

#include <cuda_runtime_api.h>

#include <functional>
#include <span>
#include <vector>

namespace gpuconv::bench {

/// Throws CudaError.
void check(cudaError_t error, const char* what);

/// A pair of events around work in a stream.
class Stopwatch {
 public:
  Stopwatch();
  ~Stopwatch();
  Stopwatch(Stopwatch const&) = delete;
  Stopwatch& operator=(Stopwatch const&) = delete;

  /// Seconds between the events around what `enqueue` enqueues on `stream`; waits for it.
  double time(cudaStream_t stream, std::function<void()> const& enqueue);

 private:
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
};

/// Times calls that enqueue work on `stream`, in turn (A B A B), as `measure` of support/timing.hpp times calls on the
/// host: warm-up, short ones repeated within a sample, medians with their spread.
std::vector<Spread> measure_on_device(cudaStream_t stream, std::span<const std::function<void()>> calls, Budget budget);

}  // namespace gpuconv::bench

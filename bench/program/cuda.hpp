// The clock of a device, and graphs of what is timed on it.
#pragma once

#include "cuda/runtime.hpp"

#include <functional>
#include <memory>

namespace gpuconv::bench {

using detail::check_cuda;

/// A pair of events around work in a stream: what the device itself saw, without the host's part.
class Stopwatch {
 public:
  void begin(cudaStream_t stream) { check_cuda(cudaEventRecord(begin_.get(), stream), "cudaEventRecord"); }
  /// Waits for all that was enqueued since `begin`; the device's seconds for it.
  double end(cudaStream_t stream) {
    check_cuda(cudaEventRecord(end_.get(), stream), "cudaEventRecord");
    check_cuda(cudaEventSynchronize(end_.get()), "cudaEventSynchronize");
    float milliseconds = 0;
    check_cuda(cudaEventElapsedTime(&milliseconds, begin_.get(), end_.get()), "cudaEventElapsedTime");
    return static_cast<double>(milliseconds) * 1e-3;
  }

 private:
  struct Destroy {
    void operator()(cudaEvent_t event) const { cudaEventDestroy(event); }
  };
  using Event = std::unique_ptr<CUevent_st, Destroy>;
  static Event event() {
    cudaEvent_t made = nullptr;
    check_cuda(cudaEventCreate(&made), "cudaEventCreate");
    return Event(made);
  }
  Event begin_ = event(), end_ = event();
};

struct DestroyGraph {
  void operator()(cudaGraphExec_t graph) const { cudaGraphExecDestroy(graph); }
};
using Graph = std::unique_ptr<CUgraphExec_st, DestroyGraph>;

/// What a function enqueued in a stream, to be enqueued again at once: the host's part of a launch, which is longer
/// than a short kernel, is paid once.
inline Graph record(cudaStream_t stream, std::function<void()> const& enqueue) {
  check_cuda(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  cudaGraph_t graph = nullptr;
  try {
    enqueue();
  } catch (...) {
    if (cudaStreamEndCapture(stream, &graph) == cudaSuccess) cudaGraphDestroy(graph);
    throw;
  }
  check_cuda(cudaStreamEndCapture(stream, &graph), "cudaStreamEndCapture");
  cudaGraphExec_t runnable = nullptr;
  const cudaError_t error = cudaGraphInstantiate(&runnable, graph, 0);
  cudaGraphDestroy(graph);
  check_cuda(error, "cudaGraphInstantiate");
  return Graph(runnable);
}

}  // namespace gpuconv::bench

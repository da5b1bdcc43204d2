// Calls about graphs: a stream that is captured keeps what is enqueued in it, and a launch enqueues that again. Of one
// stream, without events: what others have to do first is not part of a capture here.
#include <utility>

#include "device.hpp"

namespace standin {
namespace {

/// Calls the body with the stream, which is captured if that is what the call is for.
template <class Body>
cudaError_t with_captured(const char* name, cudaStream_t handle, bool captured, Body body) {
  return call(name, cudaErrorStreamCaptureInvalidated, [=](Device& device) {
    const StreamPointer stream = device.stream(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    if (stream == device.default_stream()) return cudaErrorStreamCaptureUnsupported;
    if (captured != (stream->captured != nullptr)) return cudaErrorIllegalState;
    return body(*stream);
  });
}

}  // namespace
}  // namespace standin

using namespace standin;

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode) {
  return with_captured("cudaStreamBeginCapture", handle, false, [](CUstream_st& stream) {
    stream.captured = std::make_unique<CUgraph_st>();
    return cudaSuccess;
  });
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  return with_captured("cudaStreamEndCapture", handle, true, [=](CUstream_st& stream) {
    *graph = stream.captured.release();
    return cudaSuccess;
  });
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* runnable, cudaGraph_t graph, unsigned long long) {
  return call("cudaGraphInstantiate", cudaErrorMemoryAllocation, [=](Device&) {
    *runnable = new CUgraphExec_st{*graph};
    return cudaSuccess;
  });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t runnable, cudaStream_t handle) {
  return call("cudaGraphLaunch", cudaErrorLaunchFailure, [=](Device& device) {
    const StreamPointer stream = device.stream(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    for (const Operation& operation : runnable->operations) device.enqueue(stream, operation);
    return cudaSuccess;
  });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return call("cudaGraphDestroy", cudaSuccess, [=](Device&) {
    delete graph;
    return cudaSuccess;
  });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t runnable) {
  return call("cudaGraphExecDestroy", cudaSuccess, [=](Device&) {
    delete runnable;
    return cudaSuccess;
  });
}

// Calls about streams and events.
#include <chrono>
#include <memory>

#include "device.hpp"

namespace standin {
namespace {

double now_in_milliseconds() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

cudaError_t create_stream(const char* name, cudaStream_t* stream, unsigned flags, int priority) {
  return call(name, cudaErrorMemoryAllocation, [=](Device& device) {
    if (flags != cudaStreamDefault && flags != cudaStreamNonBlocking) return cudaErrorInvalidValue;
    *stream = device.create_stream(flags, priority).get();
    return cudaSuccess;
  });
}

/// Calls the body with the stream.
template <class Body>
cudaError_t with_stream(const char* name, cudaError_t likely_error, cudaStream_t handle, Body body) {
  return call(name, likely_error, [=](Device& device) {
    const StreamPointer stream = device.stream(handle);
    if (breaks_capture(device, handle)) return cudaErrorStreamCaptureImplicit;
    return stream ? body(device, stream) : cudaErrorInvalidResourceHandle;
  });
}

cudaError_t create_event(const char* name, cudaEvent_t* event, unsigned flags) {
  return call(name, cudaErrorMemoryAllocation, [=](Device& device) {
    constexpr unsigned known = cudaEventBlockingSync | cudaEventDisableTiming;
    if ((flags & ~known) != 0) return cudaErrorInvalidValue;
    *event = new CUevent_st{.flags = flags};
    device.events.insert(*event);
    return cudaSuccess;
  });
}

/// Calls the body with the event if there is such a one.
template <class Body>
cudaError_t with_event(const char* name, cudaError_t likely_error, cudaEvent_t event, Body body) {
  return call(name, likely_error, [=](Device& device) {
    return device.events.contains(event) ? body(device, *event) : cudaErrorInvalidResourceHandle;
  });
}

cudaError_t record(const char* name, cudaEvent_t event, cudaStream_t handle) {
  return with_event(name, cudaErrorInvalidResourceHandle, event, [=](Device& device, CUevent_st& self) {
    const StreamPointer stream = device.stream(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    auto time = std::make_shared<double>();
    device.enqueue(stream, {.work = {}, .before = [time] { *time = now_in_milliseconds(); }});
    self.recorded = true;
    self.point = device.now(stream);
    self.milliseconds = std::move(time);
    return cudaSuccess;
  });
}

bool is_timed(const CUevent_st& event) { return event.recorded && (event.flags & cudaEventDisableTiming) == 0; }

}  // namespace
}  // namespace standin

using namespace standin;

cudaError_t cudaStreamCreate(cudaStream_t* stream) { return create_stream("cudaStreamCreate", stream, 0, 0); }
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return create_stream("cudaStreamCreateWithFlags", stream, flags, 0);
}
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int priority) {
  return create_stream("cudaStreamCreateWithPriority", stream, flags, priority);
}

// Its work is still executed, later.
cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  return with_stream("cudaStreamDestroy", cudaSuccess, handle, [](Device& device, const StreamPointer& stream) {
    if (stream == device.default_stream()) return cudaErrorInvalidResourceHandle;
    device.destroy_stream(stream.get());
    return cudaSuccess;
  });
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  return with_stream("cudaStreamSynchronize", cudaErrorLaunchFailure, handle,
                     [](Device& device, const StreamPointer& stream) {
                       if (stream->captured) return cudaErrorStreamCaptureUnsupported;
                       device.wait_for_stream(stream);
                       return cudaSuccess;
                     });
}

cudaError_t cudaStreamQuery(cudaStream_t handle) {
  return with_stream("cudaStreamQuery", cudaErrorLaunchFailure, handle,
                     [](Device& device, const StreamPointer& stream) {
                       return device.reached(device.now(stream)) ? cudaSuccess : cudaErrorNotReady;
                     });
}

cudaError_t cudaStreamGetFlags(cudaStream_t handle, unsigned* flags) {
  return with_stream("cudaStreamGetFlags", cudaErrorInvalidResourceHandle, handle,
                     [=](Device&, const StreamPointer& stream) {
                       *flags = stream->flags;
                       return cudaSuccess;
                     });
}

cudaError_t cudaStreamGetPriority(cudaStream_t handle, int* priority) {
  return with_stream("cudaStreamGetPriority", cudaErrorInvalidResourceHandle, handle,
                     [=](Device&, const StreamPointer& stream) {
                       *priority = stream->priority;
                       return cudaSuccess;
                     });
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status) {
  return with_stream("cudaStreamIsCapturing", cudaErrorInvalidResourceHandle, handle,
                     [=](Device&, const StreamPointer& stream) {
                       *status = stream->captured ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
                       return cudaSuccess;
                     });
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned flags) {
  return with_event("cudaStreamWaitEvent", cudaErrorInvalidResourceHandle, event,
                    [=](Device& device, CUevent_st& self) {
                      const StreamPointer stream = device.stream(handle);
                      if (!stream) return cudaErrorInvalidResourceHandle;
                      if (flags != cudaEventWaitDefault) return cudaErrorInvalidValue;
                      if (self.recorded)
                        device.enqueue(stream, {.work = {}, .before = {}, .prerequisites = {self.point}});
                      return cudaSuccess;
                    });
}

// As the device's work: a stream does one thing after the other.
cudaError_t cudaLaunchHostFunc(cudaStream_t handle, cudaHostFn_t function, void* data) {
  return with_stream("cudaLaunchHostFunc", cudaErrorMemoryAllocation, handle,
                     [=](Device& device, const StreamPointer& stream) {
                       if (!function) return cudaErrorInvalidValue;
                       device.enqueue(stream, {.work = [=] { function(data); }, .before = {}});
                       return cudaSuccess;
                     });
}

cudaError_t cudaEventCreate(cudaEvent_t* event) { return create_event("cudaEventCreate", event, cudaEventDefault); }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  return create_event("cudaEventCreateWithFlags", event, flags);
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return with_event("cudaEventDestroy", cudaSuccess, event, [](Device& device, CUevent_st& self) {
    device.events.erase(&self);
    delete &self;
    return cudaSuccess;
  });
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) { return record("cudaEventRecord", event, stream); }
cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned) {
  return record("cudaEventRecordWithFlags", event, stream);
}

// An event that was never recorded is complete.
cudaError_t cudaEventQuery(cudaEvent_t event) {
  return with_event("cudaEventQuery", cudaErrorLaunchFailure, event, [](Device& device, const CUevent_st& self) {
    return !self.recorded || device.reached(self.point) ? cudaSuccess : cudaErrorNotReady;
  });
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return with_event("cudaEventSynchronize", cudaErrorLaunchFailure, event, [](Device& device, const CUevent_st& self) {
    if (self.recorded) device.wait(self.point);
    return cudaSuccess;
  });
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  return with_event("cudaEventElapsedTime", cudaErrorInvalidResourceHandle, start,
                    [=](Device& device, const CUevent_st& self) {
                      if (!device.events.contains(end) || !is_timed(self) || !is_timed(*end))
                        return cudaErrorInvalidResourceHandle;
                      if (!Device::is_complete(self.point) || !Device::is_complete(end->point))
                        return cudaErrorNotReady;
                      *milliseconds = static_cast<float>(*end->milliseconds - *self.milliseconds);
                      return cudaSuccess;
                    });
}

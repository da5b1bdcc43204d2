// Which device is current, and in which order streams work.
#include "../text.hpp"
#include "runtime.hpp"

#include <gpuconv/error.hpp>

namespace gpuconv {

using detail::check_cuda;

OnDevice::OnDevice(int index) : index_(index) {
  check_cuda(cudaGetDevice(&before_), "cudaGetDevice");
  if (before_ != index_) check_cuda(cudaSetDevice(index_), "cudaSetDevice");
}
OnDevice::~OnDevice() {
  if (before_ != index_) static_cast<void>(cudaSetDevice(before_));
}

int device_of(void const* data) {
  static_cast<void>(detail::current_device());
  cudaPointerAttributes attributes;
  check_cuda(cudaPointerGetAttributes(&attributes, data), "cudaPointerGetAttributes");
  if (attributes.type == cudaMemoryTypeUnregistered || attributes.type == cudaMemoryTypeHost)
    throw InvalidArgument(detail::text(data, " is not in device memory"));
  return attributes.device;
}

Event::Event() {
  static_cast<void>(detail::current_device());
  check_cuda(cudaEventCreateWithFlags(&handle_, cudaEventDisableTiming), "cudaEventCreateWithFlags");
}
Event::~Event() {
  if (handle_) static_cast<void>(cudaEventDestroy(handle_));
}
void Event::record(Stream stream) { check_cuda(cudaEventRecord(handle_, stream.handle()), "cudaEventRecord"); }
void Event::precede(Stream stream) const {
  check_cuda(cudaStreamWaitEvent(stream.handle(), handle_, 0), "cudaStreamWaitEvent");
}

bool is_captured(Stream stream) {
  static_cast<void>(detail::current_device());
  if (!stream.handle() || stream.handle() == cudaStreamLegacy) return false;  // CUDA captures any stream but this one
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check_cuda(cudaStreamIsCapturing(stream.handle(), &status), "cudaStreamIsCapturing");
  return status != cudaStreamCaptureStatusNone;
}

void synchronize(Stream stream) {
  static_cast<void>(detail::current_device());
  check_cuda(cudaStreamSynchronize(stream.handle()), "cudaStreamSynchronize");
}

}  // namespace gpuconv

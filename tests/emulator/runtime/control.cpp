#include "../control.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "../simt/scheduler.hpp"
#include "device.hpp"

namespace standin {
namespace {

constexpr std::array<std::string_view, 7> allocating{"cudaMalloc",    "cudaMallocAsync", "cudaFree",    "cudaFreeAsync",
                                                     "cudaHostAlloc", "cudaMallocHost",  "cudaFreeHost"};
// cudaFree and its like wait, too; a synchronous copy counts whatever its direction.
constexpr std::array<std::string_view, 8> synchronizing{"cudaDeviceSynchronize",
                                                        "cudaStreamSynchronize",
                                                        "cudaEventSynchronize",
                                                        "cudaMemcpy",
                                                        "cudaMemcpy2D",
                                                        "cudaMemset",
                                                        "cudaFree",
                                                        "cudaFreeHost"};

// The calls that CUDA names potentially unsafe while a stream is captured.
constexpr std::array<std::string_view, 12> unsafe{
    "cudaMalloc",   "cudaFree",   "cudaHostAlloc",  "cudaMallocHost",  "cudaFreeHost",          "cudaMemcpy",
    "cudaMemcpy2D", "cudaMemset", "cudaEventQuery", "cudaStreamQuery", "cudaStreamSynchronize", "cudaEventSynchronize"};

thread_local cudaStreamCaptureMode capture_mode = cudaStreamCaptureModeGlobal;

std::int64_t count(Device& device, const auto& names) {
  std::int64_t sum = 0;
  for (const auto& [name, calls] : device.calls)
    if (std::find(names.begin(), names.end(), name) != names.end()) sum += calls;
  return sum;
}

/// With the device's lock held.
template <class Body>
auto locked(Body body) {
  Device& device = Device::instance();
  const std::lock_guard lock(device.mutex);
  return body(device);
}

}  // namespace

void reset() {
  locked([](Device& device) {
    device.calls_until_failure = 0;
    device.calls.clear();
    device.machine = Machine::present;
    device.memory_bytes = Device::default_memory_bytes;
    device.multiprocessors = Device::default_multiprocessors;
    device.pageable_access = device.capture_elsewhere = false;
    device.memory_pools = true;
    device.broken_captures = device.lazy_launches = 0;
  });
}

void fail_call(std::int64_t n) { fail_call(n, {}); }

void fail_call(std::int64_t n, std::string_view name, int error) {
  locked([&](Device& device) {
    device.calls_until_failure = n;
    device.failing_name = name;
    device.failing_error = error;
  });
}

bool failure_pending() {
  return locked([](Device& device) { return device.calls_until_failure > 0; });
}

void set_machine(Machine machine) {
  locked([=](Device& device) { device.machine = machine; });
}
void set_device_memory(std::size_t bytes) {
  locked([=](Device& device) { device.memory_bytes = bytes; });
}
void set_multiprocessors(int count) {
  locked([=](Device& device) { device.multiprocessors = count; });
}
void set_pageable_access(bool reachable) {
  locked([=](Device& device) { device.pageable_access = reachable; });
}
void set_memory_pools(bool supported) {
  locked([=](Device& device) { device.memory_pools = supported; });
}
void move_to_other_device(const void* p) {
  locked([=](Device& device) { device.move_elsewhere(p); });
}
void set_capture_elsewhere(bool capturing) {
  locked([=](Device& device) { device.capture_elsewhere = capturing; });
}
void unload_kernels() {
  locked([](Device& device) { device.loaded.clear(); });
}
void set_seed(std::uint64_t seed) {
  locked([=](Device&) { simt::set_seed(seed); });
}

std::int64_t calls() {
  return locked([](Device& device) {
    std::int64_t sum = 0;
    for (const auto& [name, calls] : device.calls) sum += calls;
    return sum;
  });
}
std::int64_t calls(std::string_view name) {
  return locked([=](Device& device) {
    const auto it = device.calls.find(name);
    return it == device.calls.end() ? 0 : it->second;
  });
}
std::int64_t allocation_calls() {
  return locked([](Device& device) { return count(device, allocating); });
}
std::int64_t synchronizing_calls() {
  return locked([](Device& device) { return count(device, synchronizing); });
}

std::int64_t broken_captures() {
  return locked([](Device& device) { return device.broken_captures; });
}
std::int64_t lazy_launches() {
  return locked([](Device& device) { return device.lazy_launches; });
}

std::int64_t live_allocations() {
  return locked([](Device& device) { return static_cast<std::int64_t>(device.allocations_.size()); });
}
std::size_t live_device_bytes() {
  return locked([](Device& device) { return device.used_bytes; });
}
std::int64_t live_handles() {
  return locked([](Device& device) {
    return static_cast<std::int64_t>(device.handles_.size() + device.events.size()) + device.plans;
  });
}
std::int64_t pending_operations() {
  return locked([](Device& device) {
    std::int64_t sum = 0;
    for (const StreamPointer& stream : device.streams_) sum += stream->enqueued - stream->completed;
    return sum;
  });
}

bool breaks_capture(Device& device, std::string_view name) {
  if (!device.capture_elsewhere) return false;
  const bool is_unsafe = capture_mode != cudaStreamCaptureModeRelaxed && std::ranges::count(unsafe, name) > 0;
  if (!is_unsafe && name != "cudaDeviceSynchronize") return false;
  ++device.broken_captures;
  return true;
}
bool breaks_capture(Device& device, cudaStream_t stream) {
  if (!device.capture_elsewhere || device.stream(stream) != device.default_stream()) return false;
  ++device.broken_captures;
  return true;
}

int refusal(Device& device, const char* name, int likely_error, int without_driver, int without_device) {
  ++device.calls[name];
  if (device.machine == Machine::no_driver) return without_driver;
  if (device.machine == Machine::no_device) return without_device;
  if (likely_error == 0 || device.calls_until_failure <= 0) return 0;
  if (!device.failing_name.empty() && device.failing_name != name) return 0;
  if (--device.calls_until_failure > 0) return 0;
  return device.failing_error != 0 ? device.failing_error : likely_error;
}

}  // namespace standin

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  return standin::call("cudaThreadExchangeStreamCaptureMode", cudaSuccess, [=](standin::Device&) {
    std::swap(*mode, standin::capture_mode);
    return cudaSuccess;
  });
}

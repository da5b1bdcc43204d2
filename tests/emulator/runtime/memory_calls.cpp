// Calls that allocate, free, copy and fill. What a copy waits for depends on the kinds of memory, as CUDA's "API
// synchronization behavior" has it.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "device.hpp"

namespace standin {
namespace {

enum class Kind { pageable, pinned, device };

Kind kind_of(const Device& device, const void* p) {
  const Allocation* const allocation = device.find(p, 0);
  if (!allocation) return Kind::pageable;
  return allocation->on_device ? Kind::device : Kind::pinned;
}

/// Rows of bytes, `pitch` apart.
struct Rows {
  char* data;
  std::size_t pitch, width, height;

  std::size_t span() const { return width == 0 || height == 0 ? 0 : (height - 1) * pitch + width; }
};

void copy_rows(const Rows& to, const Rows& from) {
  for (std::size_t row = 0; row < to.height; ++row)
    std::memcpy(to.data + row * to.pitch, from.data + row * from.pitch, to.width);
}

bool is_direction(cudaMemcpyKind direction, Kind to, Kind from) {
  const bool to_device = to == Kind::device, from_device = from == Kind::device;
  switch (direction) {
    case cudaMemcpyHostToHost:
      return !to_device && !from_device;
    case cudaMemcpyHostToDevice:
      return to_device && !from_device;
    case cudaMemcpyDeviceToHost:
      return !to_device && from_device;
    case cudaMemcpyDeviceToDevice:
      return to_device && from_device;
    case cudaMemcpyDefault:
      return true;
    default:
      return false;
  }
}

/// Whether the rows lie in one allocation; pageable memory is not known.
bool fits(const Device& device, const Rows& rows, Kind kind) {
  return kind == Kind::pageable || device.find(rows.data, rows.span()) != nullptr;
}

cudaError_t copy(Device& device, Rows to, Rows from, cudaMemcpyKind direction, cudaStream_t handle, bool asynchronous) {
  const StreamPointer stream = device.stream(handle);
  if (!stream) return cudaErrorInvalidResourceHandle;
  if (breaks_capture(device, handle)) return cudaErrorStreamCaptureImplicit;
  if (to.height > 1 && (to.pitch < to.width || from.pitch < from.width)) return cudaErrorInvalidPitchValue;
  if (to.span() == 0) return cudaSuccess;
  if (!to.data || !from.data) return cudaErrorInvalidValue;
  const Kind to_kind = kind_of(device, to.data), from_kind = kind_of(device, from.data);
  if (!is_direction(direction, to_kind, from_kind)) return cudaErrorInvalidValue;
  if (!fits(device, to, to_kind) || !fits(device, from, from_kind)) return cudaErrorInvalidValue;

  std::shared_ptr<std::vector<char>> staged;  // pageable memory is read before the call returns
  if (from_kind == Kind::pageable) {
    if (!asynchronous) device.wait(device.now(stream));
    staged = std::make_shared<std::vector<char>>(to.width * to.height);
    const Rows stage{staged->data(), to.width, to.width, to.height};
    copy_rows(stage, from);
    from = stage;
  }
  device.enqueue(stream, {.work = [=, keep = staged] { copy_rows(to, from); }, .before = {}});
  const bool within_device = to_kind == Kind::device && from_kind == Kind::device;
  const bool waits = to_kind == Kind::pageable || (!asynchronous && !staged && !within_device);
  if (waits) device.wait(device.now(stream));
  return cudaSuccess;
}

char* bytes(const void* p) { return static_cast<char*>(const_cast<void*>(p)); }

cudaError_t copy_1d(const char* name, void* to, const void* from, std::size_t count, cudaMemcpyKind direction,
                    cudaStream_t stream, bool asynchronous) {
  return call(name, cudaErrorInvalidValue, [=](Device& device) {
    return copy(device, {bytes(to), count, count, 1}, {bytes(from), count, count, 1}, direction, stream, asynchronous);
  });
}

cudaError_t copy_2d(const char* name, Rows to, Rows from, cudaMemcpyKind direction, cudaStream_t stream,
                    bool asynchronous) {
  return call(name, cudaErrorInvalidValue,
              [=](Device& device) { return copy(device, to, from, direction, stream, asynchronous); });
}

cudaError_t fill(const char* name, void* p, int value, std::size_t count, cudaStream_t handle) {
  return call(name, cudaErrorInvalidValue, [=](Device& device) {
    const StreamPointer stream = device.stream(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    if (breaks_capture(device, handle)) return cudaErrorStreamCaptureImplicit;
    if (count == 0) return cudaSuccess;
    if (!device.find(p, count)) return cudaErrorInvalidValue;
    device.enqueue(stream, {.work = [=] { std::memset(p, value, count); }, .before = {}});
    return cudaSuccess;
  });
}

cudaError_t allocate(const char* name, void** p, std::size_t size, bool on_device) {
  *p = nullptr;
  return call(name, cudaErrorMemoryAllocation, [=](Device& device) {
    if (size == 0) return cudaSuccess;
    *p = device.allocate(size, on_device);
    return *p ? cudaSuccess : cudaErrorMemoryAllocation;
  });
}

cudaError_t free(const char* name, void* p, bool on_device) {
  return call(name, cudaSuccess, [=](Device& device) {
    if (!p) return cudaSuccess;
    device.wait_for_all();
    const Allocation* const allocation = device.find_start(p);
    if (!allocation || allocation->on_device != on_device) return cudaErrorInvalidValue;
    device.free(p);
    return cudaSuccess;
  });
}

}  // namespace
}  // namespace standin

using standin::Device;

cudaError_t cudaMalloc(void** p, std::size_t size) { return standin::allocate("cudaMalloc", p, size, true); }
cudaError_t cudaHostAlloc(void** p, std::size_t size, unsigned) {
  return standin::allocate("cudaHostAlloc", p, size, false);
}
cudaError_t cudaMallocHost(void** p, std::size_t size) { return standin::allocate("cudaMallocHost", p, size, false); }
cudaError_t cudaFree(void* p) { return standin::free("cudaFree", p, true); }
cudaError_t cudaFreeHost(void* p) { return standin::free("cudaFreeHost", p, false); }

// Strict where CUDA says nothing: no bytes are an error.
cudaError_t cudaMallocAsync(void** p, std::size_t size, cudaStream_t handle) {
  *p = nullptr;
  return standin::call("cudaMallocAsync", cudaErrorMemoryAllocation, [=](Device& device) {
    const standin::StreamPointer stream = device.stream(handle);
    if (!device.memory_pools) return cudaErrorNotSupported;
    if (!stream) return cudaErrorInvalidResourceHandle;
    if (standin::breaks_capture(device, handle)) return cudaErrorStreamCaptureImplicit;
    if (size == 0) return cudaErrorInvalidValue;
    *p = device.allocate(size, stream);
    return *p ? cudaSuccess : cudaErrorMemoryAllocation;
  });
}
cudaError_t cudaFreeAsync(void* p, cudaStream_t handle) {
  return standin::call("cudaFreeAsync", cudaSuccess, [=](Device& device) {
    const standin::StreamPointer stream = device.stream(handle);
    if (!device.memory_pools) return cudaErrorNotSupported;
    if (!stream) return cudaErrorInvalidResourceHandle;
    if (standin::breaks_capture(device, handle)) return cudaErrorStreamCaptureImplicit;
    if (!p) return cudaSuccess;
    const standin::Allocation* const allocation = device.find_start(p);
    if (!allocation || !allocation->on_device) return cudaErrorInvalidValue;
    return device.free(p, stream) ? cudaSuccess : cudaErrorInvalidValue;
  });
}

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t count, cudaMemcpyKind direction) {
  return standin::copy_1d("cudaMemcpy", to, from, count, direction, nullptr, false);
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t count, cudaMemcpyKind direction,
                            cudaStream_t stream) {
  return standin::copy_1d("cudaMemcpyAsync", to, from, count, direction, stream, true);
}
cudaError_t cudaMemcpy2D(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch, std::size_t width,
                         std::size_t height, cudaMemcpyKind direction) {
  return standin::copy_2d("cudaMemcpy2D", {standin::bytes(to), to_pitch, width, height},
                          {standin::bytes(from), from_pitch, width, height}, direction, nullptr, false);
}
cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                              std::size_t width, std::size_t height, cudaMemcpyKind direction, cudaStream_t stream) {
  return standin::copy_2d("cudaMemcpy2DAsync", {standin::bytes(to), to_pitch, width, height},
                          {standin::bytes(from), from_pitch, width, height}, direction, stream, true);
}
cudaError_t cudaMemset(void* p, int value, std::size_t count) {
  return standin::fill("cudaMemset", p, value, count, nullptr);
}
cudaError_t cudaMemsetAsync(void* p, int value, std::size_t count, cudaStream_t stream) {
  return standin::fill("cudaMemsetAsync", p, value, count, stream);
}

cudaError_t cudaMemGetInfo(std::size_t* available, std::size_t* total) {
  return standin::call("cudaMemGetInfo", cudaErrorInvalidValue, [=](Device& device) {
    *available = device.memory_bytes - std::min(device.used_bytes, device.memory_bytes);
    *total = device.memory_bytes;
    return cudaSuccess;
  });
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* p) {
  return standin::call("cudaPointerGetAttributes", cudaErrorInvalidValue, [=](Device& device) {
    *attributes = {};
    attributes->device = -2;
    attributes->hostPointer = const_cast<void*>(p);
    const standin::Allocation* const allocation = device.find(p, 1);  // its end belongs to no allocation
    if (!allocation) return cudaSuccess;
    attributes->type = allocation->on_device ? cudaMemoryTypeDevice : cudaMemoryTypeHost;
    attributes->device = allocation->elsewhere ? 1 : 0;
    attributes->devicePointer = allocation->elsewhere ? nullptr : const_cast<void*>(p);
    if (allocation->on_device) attributes->hostPointer = nullptr;
    return cudaSuccess;
  });
}

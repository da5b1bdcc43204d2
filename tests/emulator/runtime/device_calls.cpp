// Calls about the device, kernels' attributes and launches.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "../simt/kernel.hpp"
#include "../simt/scheduler.hpp"
#include "device.hpp"

namespace standin {
namespace {

// An H200 but for the number of multiprocessors and the size of the memory.
constexpr int compute_major = 9, compute_minor = 0;
constexpr int shared_per_block = 48 << 10, shared_per_block_opt_in = 227 << 10, shared_per_multiprocessor = 228 << 10;
constexpr int shared_reserved = 1 << 10;  // of each block, by the system
constexpr int threads_per_block = 1024, threads_per_multiprocessor = 2048, blocks_per_multiprocessor = 32;
constexpr int registers = 65536, l2_bytes = 60 << 20, memory_bus_bits = 6144;
constexpr int clock_khz = 1980000, memory_clock_khz = 3201000;
constexpr unsigned max_grid_x = 0x7fffffff, max_grid_yz = 65535, max_block_z = 64;

std::optional<int> attribute(const Device& device, cudaDeviceAttr which) {
  switch (which) {
    case cudaDevAttrMultiProcessorCount:
      return device.multiprocessors;
    case cudaDevAttrComputeCapabilityMajor:
      return compute_major;
    case cudaDevAttrComputeCapabilityMinor:
      return compute_minor;
    case cudaDevAttrMaxSharedMemoryPerBlock:
      return shared_per_block;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      return shared_per_block_opt_in;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      return shared_per_multiprocessor;
    case cudaDevAttrReservedSharedMemoryPerBlock:
      return shared_reserved;
    case cudaDevAttrMaxThreadsPerBlock:
      return threads_per_block;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      return threads_per_multiprocessor;
    case cudaDevAttrMaxBlocksPerMultiprocessor:
      return blocks_per_multiprocessor;
    case cudaDevAttrMaxRegistersPerBlock:
    case cudaDevAttrMaxRegistersPerMultiprocessor:
      return registers;
    case cudaDevAttrMaxGridDimX:
      return static_cast<int>(max_grid_x);
    case cudaDevAttrMaxGridDimY:
    case cudaDevAttrMaxGridDimZ:
      return static_cast<int>(max_grid_yz);
    case cudaDevAttrMaxBlockDimX:
    case cudaDevAttrMaxBlockDimY:
      return threads_per_block;
    case cudaDevAttrMaxBlockDimZ:
      return static_cast<int>(max_block_z);
    case cudaDevAttrWarpSize:
      return static_cast<int>(simt::warp_size);
    case cudaDevAttrL2CacheSize:
      return l2_bytes;
    case cudaDevAttrClockRate:
      return clock_khz;
    case cudaDevAttrMemoryClockRate:
      return memory_clock_khz;
    case cudaDevAttrGlobalMemoryBusWidth:
      return memory_bus_bits;
    case cudaDevAttrAsyncEngineCount:
      return 3;
    case cudaDevAttrMemoryPoolsSupported:
      return device.memory_pools ? 1 : 0;
    case cudaDevAttrPageableMemoryAccess:
      return device.pageable_access ? 1 : 0;
    case cudaDevAttrUnifiedAddressing:
    case cudaDevAttrConcurrentKernels:
      return 1;
    case cudaDevAttrIntegrated:
    case cudaDevAttrManagedMemory:
    case cudaDevAttrConcurrentManagedAccess:
      return 0;
    default:
      return std::nullopt;
  }
}

int dynamic_shared_limit(const Device& device, const void* kernel) {
  const auto it = device.dynamic_shared.find(kernel);
  return it == device.dynamic_shared.end() ? shared_per_block : static_cast<int>(it->second);
}

bool is_launchable(dim3 grid, dim3 block) {
  const std::uint64_t threads = std::uint64_t{block.x} * block.y * block.z;
  return threads >= 1 && threads <= threads_per_block && block.z <= max_block_z && grid.x >= 1 &&
         grid.x <= max_grid_x && grid.y >= 1 && grid.y <= max_grid_yz && grid.z >= 1 && grid.z <= max_grid_yz;
}

}  // namespace
}  // namespace standin

using namespace standin;

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  const std::lock_guard lock(Device::instance().mutex);
  *version = Device::instance().machine == Machine::no_driver ? 0 : CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 0;
  return call("cudaGetDeviceCount", cudaErrorInitializationError, [=](Device&) {
    *count = 1;
    return cudaSuccess;
  });
}
cudaError_t cudaGetDevice(int* device) {
  return call("cudaGetDevice", cudaErrorInitializationError, [=](Device&) {
    *device = 0;
    return cudaSuccess;
  });
}
cudaError_t cudaSetDevice(int device) {
  return call("cudaSetDevice", cudaErrorInitializationError,
              [=](Device&) { return device == 0 ? cudaSuccess : cudaErrorInvalidDevice; });
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr which, int device) {
  return call("cudaDeviceGetAttribute", cudaErrorInvalidValue, [=](Device& self) {
    if (device != 0) return cudaErrorInvalidDevice;
    const std::optional<int> known = attribute(self, which);
    if (!known) return cudaErrorInvalidValue;
    *value = *known;
    return cudaSuccess;
  });
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  return call("cudaGetDeviceProperties", cudaErrorInvalidValue, [=](Device& self) {
    if (device != 0) return cudaErrorInvalidDevice;
    const auto value = [&self](cudaDeviceAttr which) { return attribute(self, which).value(); };
    cudaDeviceProp p{};
    std::snprintf(p.name, sizeof p.name, "emulated GPU");
    p.totalGlobalMem = self.memory_bytes;
    p.sharedMemPerBlock = shared_per_block;
    p.sharedMemPerBlockOptin = shared_per_block_opt_in;
    p.sharedMemPerMultiprocessor = shared_per_multiprocessor;
    p.reservedSharedMemPerBlock = shared_reserved;
    p.regsPerBlock = p.regsPerMultiprocessor = registers;
    p.warpSize = value(cudaDevAttrWarpSize);
    p.maxThreadsPerBlock = threads_per_block;
    p.maxThreadsPerMultiProcessor = threads_per_multiprocessor;
    p.maxBlocksPerMultiProcessor = blocks_per_multiprocessor;
    const std::array block{cudaDevAttrMaxBlockDimX, cudaDevAttrMaxBlockDimY, cudaDevAttrMaxBlockDimZ};
    const std::array grid{cudaDevAttrMaxGridDimX, cudaDevAttrMaxGridDimY, cudaDevAttrMaxGridDimZ};
    std::transform(block.begin(), block.end(), p.maxThreadsDim, value);
    std::transform(grid.begin(), grid.end(), p.maxGridSize, value);
    p.major = compute_major;
    p.minor = compute_minor;
    p.multiProcessorCount = self.multiprocessors;
    p.l2CacheSize = l2_bytes;
    p.memoryBusWidth = memory_bus_bits;
    p.asyncEngineCount = value(cudaDevAttrAsyncEngineCount);
    p.unifiedAddressing = p.concurrentKernels = 1;
    p.memoryPoolsSupported = value(cudaDevAttrMemoryPoolsSupported);
    p.pageableMemoryAccess = value(cudaDevAttrPageableMemoryAccess);
    *properties = p;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  return call("cudaDeviceGetStreamPriorityRange", cudaErrorInitializationError, [=](Device&) {
    if (least) *least = 0;
    if (greatest) *greatest = -5;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceSynchronize() {
  return call("cudaDeviceSynchronize", cudaErrorLaunchFailure, [](Device& device) {
    device.wait_for_all();
    return cudaSuccess;
  });
}

cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute which, int value) {
  return call("cudaFuncSetAttribute", cudaErrorInvalidDeviceFunction, [=](Device& device) {
    if (which == cudaFuncAttributePreferredSharedMemoryCarveout) return cudaSuccess;
    if (which != cudaFuncAttributeMaxDynamicSharedMemorySize || value < 0 || value > shared_per_block_opt_in)
      return cudaErrorInvalidValue;
    device.dynamic_shared[kernel] = static_cast<std::size_t>(value);
    return cudaSuccess;
  });
}

// The numbers that a compiler would have decided on are made up: no kernel of the emulator has registers.
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* kernel) {
  return call("cudaFuncGetAttributes", cudaErrorInvalidDeviceFunction, [=](Device& device) {
    device.loaded.insert(kernel);
    *attributes = {};
    attributes->maxThreadsPerBlock = threads_per_block;
    attributes->numRegs = registers / threads_per_multiprocessor;
    attributes->ptxVersion = attributes->binaryVersion = 10 * compute_major + compute_minor;
    attributes->maxDynamicSharedSizeBytes = dynamic_shared_limit(device, kernel);
    return cudaSuccess;
  });
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, const void*, int block_size,
                                                                   std::size_t dynamic_bytes, unsigned) {
  return call("cudaOccupancyMaxActiveBlocksPerMultiprocessor", cudaErrorInvalidDeviceFunction, [=](Device&) {
    if (block_size < 1 || block_size > threads_per_block) return cudaErrorInvalidValue;
    const std::size_t by_shared = shared_per_multiprocessor / (dynamic_bytes + shared_reserved);
    *blocks =
        std::min({blocks_per_multiprocessor, threads_per_multiprocessor / block_size, static_cast<int>(by_shared)});
    return cudaSuccess;
  });
}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* kernel, int block_size,
                                                          std::size_t dynamic_bytes) {
  return cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, kernel, block_size, dynamic_bytes, 0);
}

cudaError_t simt::enqueue(Launch launch, cudaStream_t stream) {
  return call("cudaLaunchKernelExC", cudaErrorLaunchOutOfResources, [&](Device& device) {
    const StreamPointer target = device.stream(stream);
    if (!target) return cudaErrorInvalidResourceHandle;
    if (breaks_capture(device, stream)) return cudaErrorStreamCaptureImplicit;
    if (device.loaded.insert(launch.kernel).second) ++device.lazy_launches;
    if (!is_launchable(launch.grid, launch.block)) return cudaErrorInvalidConfiguration;
    if (launch.shared_bytes > static_cast<std::size_t>(dynamic_shared_limit(device, launch.kernel)))
      return cudaErrorInvalidValue;
    device.enqueue(target, {.work = [launch = std::move(launch)] { run(launch); }, .before = {}});
    return cudaSuccess;
  });
}

void simt::check_argument(const volatile void* pointer) {
  const void* const p = const_cast<const void*>(pointer);
  Device& device = Device::instance();
  const std::lock_guard lock(device.mutex);
  if (p == nullptr || device.machine != Machine::present || device.pageable_access || device.is_device_memory(p, 0))
    return;
  std::fprintf(stderr, "standin: %p, which is not device memory, is passed to a kernel\n", p);
  std::abort();
}

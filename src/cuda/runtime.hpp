// The CUDA runtime as the library uses it: errors as exceptions, what is known of devices, owners of handles.
#pragma once

#include <gpuconv/device.hpp>

#include <cuda_runtime_api.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace gpuconv::detail {

/// Throws CudaError, or OutOfMemory, unless `error` is cudaSuccess. `what` names the call. CUDA's record of the calling
/// thread's last error is cleared: the exception tells.
void check_cuda(cudaError_t error, const char* what);

/// The properties of a device that choices depend on.
struct CudaDevice {
  int index = 0;
  std::string name;
  int major = 0, minor = 0;
  int multiprocessors = 0;
  std::int64_t memory = 0, l2_cache = 0;  // bytes
  std::int64_t shared_memory = 0;         // bytes that a block of threads can have
  double bytes_per_second = 0;            // of its memory, as its clock and width promise
};

/// The calling thread's current device. Throws Unsupported where there is none that this build can use. Devices are
/// asked once.
CudaDevice const& current_device();
/// Why there is none; empty where there is one.
std::string why_no_device();

/// While one exists, the calling thread may allocate, free and wait though another thread captures a stream.
class BesideCaptures {
 public:
  BesideCaptures() noexcept { exchange(); }
  BesideCaptures(BesideCaptures const&) = delete;
  BesideCaptures& operator=(BesideCaptures const&) = delete;
  ~BesideCaptures() { exchange(); }

 private:
  void exchange() noexcept { static_cast<void>(cudaThreadExchangeStreamCaptureMode(&mode_)); }
  cudaStreamCaptureMode mode_ = cudaStreamCaptureModeRelaxed;
};

/// Device memory of a plan, for use in any stream: usable when the constructor returns; the destructor first waits for
/// the device. Both are done beside captures, unless the memory comes from an application's allocator.
class PlanMemory {
 public:
  PlanMemory() = default;
  /// Throws OutOfMemory, also where the device never had as much, CudaError.
  PlanMemory(double bytes, CudaDevice const& device, DeviceAllocator* allocator);
  PlanMemory(PlanMemory&& other) noexcept { *this = std::move(other); }
  PlanMemory& operator=(PlanMemory&& other) noexcept {
    std::swap(data_, other.data_), std::swap(bytes_, other.bytes_);
    std::swap(allocator_, other.allocator_), std::swap(device_, other.device_);
    return *this;
  }
  ~PlanMemory();

  char* data() noexcept { return static_cast<char*>(data_); }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
  DeviceAllocator* allocator_ = nullptr;
  int device_ = 0;
};

/// Host memory that transfers need no staging for.
class PinnedMemory {
 public:
  PinnedMemory() = default;
  explicit PinnedMemory(std::size_t bytes);

  char* data() const noexcept { return static_cast<char*>(data_.get()); }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  struct Free {
    void operator()(void* data) const noexcept {
      const BesideCaptures beside;
      static_cast<void>(cudaFreeHost(data));
    }
  };
  std::unique_ptr<void, Free> data_;
  std::size_t bytes_ = 0;
};

/// A stream of the library's own, which does not wait for the default stream.
class OwnStream {
 public:
  OwnStream();
  cudaStream_t get() const noexcept { return stream_.get(); }

 private:
  struct Destroy {
    void operator()(cudaStream_t stream) const noexcept { static_cast<void>(cudaStreamDestroy(stream)); }
  };
  std::unique_ptr<CUstream_st, Destroy> stream_;
};

/// `bytes` rounded up so that what follows is aligned as allocations are. A double: sums of sizes that cannot overflow.
inline double aligned_bytes(double bytes) { return 256 * std::ceil(bytes / 256); }

}  // namespace gpuconv::detail

#include "runtime.hpp"

#include "cufft.hpp"

#include "../../kernels/launch.hpp"
#include "../core/published.hpp"
#include "../problem.hpp"
#include "../solver.hpp"
#include "../text.hpp"

#include <gpuconv/error.hpp>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <new>

namespace gpuconv {
namespace detail {
namespace {

// Kernels are compiled for this compute capability and later ones.
constexpr int kOldestMajor = 7, kOldestMinor = 5;

std::string cuda_text(cudaError_t error) { return text(cudaGetErrorName(error), " (", cudaGetErrorString(error), ")"); }

int attribute(cudaDeviceAttr which, int device) {
  int value = 0;
  check_cuda(cudaDeviceGetAttribute(&value, which, device), "cudaDeviceGetAttribute");
  return value;
}

CudaDevice ask(int index) {
  cudaDeviceProp properties;
  check_cuda(cudaGetDeviceProperties(&properties, index), "cudaGetDeviceProperties");
  CudaDevice d;
  d.index = index;
  d.name = properties.name;
  d.major = properties.major;
  d.minor = properties.minor;
  d.multiprocessors = properties.multiProcessorCount;
  d.memory = static_cast<std::int64_t>(properties.totalGlobalMem);
  d.l2_cache = properties.l2CacheSize;
  d.shared_memory = static_cast<std::int64_t>(properties.sharedMemPerBlockOptin);
  // Two transfers a clock; some devices do not tell.
  const double clock = 1e3 * attribute(cudaDevAttrMemoryClockRate, index);
  d.bytes_per_second = 2 * clock * attribute(cudaDevAttrGlobalMemoryBusWidth, index) / 8;
  if (!(d.bytes_per_second > 0)) d.bytes_per_second = 5e11;
  return d;
}

// Whether CUDA was first asked by a process of which this one is a fork. There it only gives errors, or waits for a
// lock that another thread held at the time of the fork.
bool forked_since_asking() {
  static constinit FoundOnce<pid_t> asking;
  return asking.get([] { return getpid(); }) != getpid();
}

// The reason why the current device cannot be used, or its number.
std::string find_device(int& index) {
  if (forked_since_asking()) return "CUDA does not survive a fork, and was in use before this one";
  int count = 0;
  cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaSuccess && count > 0) error = cudaGetDevice(&index);
  if (error == cudaSuccess && count > 0) return {};
  static_cast<void>(cudaGetLastError());  // asking was no failure of the application's
  if (error == cudaErrorInsufficientDriver)
    return text("there is no NVIDIA driver, or one too old for CUDA ", CUDART_VERSION / 1000, '.',
                CUDART_VERSION % 1000 / 10);
  if (error == cudaErrorNoDevice || error == cudaSuccess) return "there is no CUDA device";
  return cuda_text(error);
}

std::string refuse_device(CudaDevice const& d) {
  if (std::pair(d.major, d.minor) < std::pair(kOldestMajor, kOldestMinor))
    return text(d.name, " has compute capability ", d.major, '.', d.minor, ", at least ", kOldestMajor, '.',
                kOldestMinor, " is expected");
  if (const cudaError_t error = kernels::check_code(); error != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    return text("this build cannot run on ", d.name, " of compute capability ", d.major, '.', d.minor, ": ",
                cuda_text(error));
  }
  return {};
}

[[noreturn]] void refuse(const char* who, std::size_t bytes) {
  throw OutOfMemory(text(who, ": ", bytes, " bytes are needed"), static_cast<std::int64_t>(bytes));
}

// Throws what the answer of an allocating call stands for.
void check_allocated(cudaError_t error, std::size_t bytes, const char* what) {
  if (error == cudaErrorMemoryAllocation) {
    static_cast<void>(cudaGetLastError());
    refuse("the GPU is out of memory", bytes);
  }
  check_cuda(error, what);
}

// Memory in no stream's order.
void* allocate_at_once(std::size_t bytes) {
  void* memory = nullptr;
  check_allocated(cudaMalloc(&memory, bytes), bytes, "cudaMalloc");
  return memory;
}

struct Finding {
  CudaDevice device;
  std::string refusal;
  Finding const* next = nullptr;  // in the list of those that are kept
};

// A device that was found is kept for good, in a list that only grows; that none was found is not kept, since asking
// again then costs little. Without a lock, as core/published.hpp says.
Finding const& finding_of(int index) {
  static constinit std::atomic<Finding const*> findings{nullptr};
  const auto find = [&](Finding const* finding) {
    while (finding && finding->device.index != index) finding = finding->next;
    return finding;
  };
  if (Finding const* const kept = find(findings.load(std::memory_order_acquire))) return *kept;
  auto made = std::make_unique<Finding>();
  made->device = ask(index);
  made->refusal = refuse_device(made->device);
  do {
    made->next = findings.load(std::memory_order_acquire);
    if (Finding const* const other = find(made->next)) return *other;  // another thread was faster
  } while (!findings.compare_exchange_weak(made->next, made.get(), std::memory_order_acq_rel));
  return *made.release();
}

}  // namespace

void check_cuda(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());
  if (error == cudaErrorMemoryAllocation) throw OutOfMemory(text(what, ": the GPU is out of memory"), 0);
  throw CudaError(text(what, ": ", cuda_text(error)), static_cast<int>(error));
}

CudaDevice const& current_device() {
  int index = 0;
  std::string why = find_device(index);
  if (why.empty()) {
    Finding const& finding = finding_of(index);
    if (finding.refusal.empty()) return finding.device;
    why = finding.refusal;
  }
  throw Unsupported("device cuda: " + why);
}

std::string why_no_device() {
  int index = 0;
  std::string why = find_device(index);
  return why.empty() ? finding_of(index).refusal : why;
}

DeviceInfo cuda_device_info() {
  try {
    if (std::string why = why_no_device(); !why.empty()) return {Device::cuda, false, std::move(why)};
    CudaDevice const& d = current_device();
    const std::string no_cufft = why_no_cufft();
    return {Device::cuda, true,
            text(d.name, ", compute capability ", d.major, '.', d.minor, ", ", d.multiprocessors, " multiprocessors, ",
                 bytes_text(static_cast<double>(d.memory)), " of memory", no_cufft.empty() ? "" : "; ", no_cufft)};
  } catch (CudaError const& error) {
    return {Device::cuda, false, error.what()};
  }
}

PlanMemory::PlanMemory(double bytes, CudaDevice const& device, DeviceAllocator* allocator)
    : allocator_(allocator), device_(device.index) {
  if (bytes > static_cast<double>(device.memory)) {
    const auto needed = static_cast<std::int64_t>(std::min(bytes, 9e18));
    throw OutOfMemory(text(needed, " bytes are needed; ", device.name, " has ", device.memory), needed);
  }
  const auto count = static_cast<std::size_t>(bytes);
  if (count == 0) return;
  if (!allocator) {
    check_device_bytes(count);
    data_ = allocate_at_once(count);
  } else {
    data_ = allocate_device(count, Stream{}, allocator);
    if (const cudaError_t error = cudaStreamSynchronize(nullptr); error != cudaSuccess) {
      deallocate_device(data_, count, Stream{}, allocator);
      check_cuda(error, "cudaStreamSynchronize");
    }
  }
  bytes_ = count;
}

PlanMemory::~PlanMemory() {
  if (!data_) return;
  if (!allocator_) {  // cudaFree waits for all that the device has to do, and frees nothing where that fails
    const BesideCaptures beside;
    static_cast<void>(cudaFree(data_));
    return;
  }
  int before = device_;  // without a throwing guard: this must release what it can
  static_cast<void>(cudaGetDevice(&before));
  if (before != device_) static_cast<void>(cudaSetDevice(device_));
  // Memory that may still be in use is not given back: better lost than written to by two.
  if (cudaDeviceSynchronize() == cudaSuccess) deallocate_device(data_, bytes_, Stream{}, allocator_);
  if (before != device_) static_cast<void>(cudaSetDevice(before));
}

PinnedMemory::PinnedMemory(std::size_t bytes) : bytes_(bytes) {
  void* data = nullptr;
  if (bytes > 0) check_cuda(cudaHostAlloc(&data, bytes, cudaHostAllocDefault), "cudaHostAlloc");
  data_.reset(data);
}

OwnStream::OwnStream() {
  cudaStream_t stream = nullptr;
  check_cuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  stream_.reset(stream);
}

void* allocate_device(std::size_t bytes, Stream stream, DeviceAllocator* allocator) {
  check_device_bytes(bytes);
  if (bytes == 0) return nullptr;
  static_cast<void>(current_device());
  if (allocator) try {
      return allocator->allocate(bytes, stream);
    } catch (std::bad_alloc const&) {
      refuse("the application's allocator of device memory refuses", bytes);
    }
  void* memory = nullptr;
  const cudaError_t error = cudaMallocAsync(&memory, bytes, stream.handle());
  if (error == cudaErrorNotSupported) {  // some virtual GPUs have no pools of memory
    static_cast<void>(cudaGetLastError());
    return allocate_at_once(bytes);
  }
  check_allocated(error, bytes, "cudaMallocAsync");
  return memory;
}

void deallocate_device(void* memory, std::size_t bytes, Stream stream, DeviceAllocator* allocator) noexcept {
  if (!memory) return;
  if (allocator) return allocator->deallocate(memory, bytes, stream);
  if (cudaFreeAsync(memory, stream.handle()) != cudaErrorNotSupported) return;
  static_cast<void>(cudaGetLastError());
  static_cast<void>(cudaFree(memory));  // waits for the stream as for all others
}

}  // namespace detail
}  // namespace gpuconv

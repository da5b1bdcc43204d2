// A method on the GPU, apart from where the caller's arrays lie: plans on device memory run it on them, plans on host
// memory on one piece of theirs after the other.
#pragma once

#include "runtime.hpp"

#include "../../kernels/launch.hpp"
#include "../solver.hpp"

#include <functional>
#include <memory>

namespace gpuconv::detail {

/// Which of a row's outputs a run computes, from which samples: those that its view of the signal has.
struct Piece {
  std::int64_t first_row;      // of the batch: that of the view's row 0
  std::int64_t rows;           // of the view
  std::int64_t first, length;  // outputs, within the full convolution of the view's samples
};

/// Enqueues; neither allocates nor waits, but in its constructor. Runs that share scratch memory must follow each
/// other.
class CudaMethod {
 public:
  CudaMethod() = default;
  CudaMethod(CudaMethod const&) = delete;
  CudaMethod& operator=(CudaMethod const&) = delete;
  virtual ~CudaMethod() = default;

  /// Device memory that each call needs, aligned to 256 bytes.
  virtual std::size_t scratch_bytes() const = 0;
  /// Device memory of its own: the prepared filter.
  virtual std::size_t own_bytes() const = 0;

  virtual void set_filter(kernels::Input filter, void* scratch, cudaStream_t stream) = 0;
  virtual void run(kernels::Input signal, kernels::Output out, Piece const& piece, void* scratch,
                   cudaStream_t stream) = 0;
};

using MakeMethod = std::function<std::unique_ptr<CudaMethod>(Geometry const&, CudaDevice const&, DeviceAllocator*)>;

/// A plan's executor for arrays in the memory that `r` names.
std::unique_ptr<Executor> make_cuda_executor(Geometry const& g, Resources const& r, MakeMethod const& make);

std::unique_ptr<Executor> make_device_executor(Geometry const& g, Resources const& r, MakeMethod const& make);
std::unique_ptr<Executor> make_host_executor(Geometry const& g, Resources const& r, MakeMethod const& make);

inline kernels::Input input_of(AnyRowsView<void const> const& v) {
  return {v.data(), v.type(), v.stride(), v.columns()};
}
inline kernels::Output output_of(AnyRowsView<void> const& v) { return {v.data(), v.type(), v.stride()}; }

/// Filters from host memory: a copy of them on the device, in the order of `stream`. Returns when `filter` was read.
class UploadedFilter {
 public:
  UploadedFilter(HostInput filter, Stream stream, DeviceAllocator* allocator);
  kernels::Input input() const;

 private:
  DeviceBuffer<std::uint8_t> bytes_;
  Type type_;
  std::int64_t columns_;
};

}  // namespace gpuconv::detail

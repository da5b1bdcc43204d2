// The filters of an executor in device memory: taps in the type that is computed in, part by part where they are
// complex, magnitudes, spectra.
#pragma once

#include "runtime.hpp"

#include "../../kernels/launch.hpp"
#include "../executor.hpp"

namespace gpuconv::detail {

/// Blocks of a grid whose kernel loops over what is left, as those around cuFFT do: twice what is resident.
inline int looping_grid(CudaDevice const& device) { return 16 * device.multiprocessors; }

class DeviceFilters {
 public:
  /// Taps alone. Throws OutOfMemory, CudaError.
  DeviceFilters(Work const& work, CudaDevice const& device, DeviceAllocator* allocator);
  /// The same with magnitudes, facts and spectra. `spectrum`: complex numbers of a filter's spectrum. `more`: bytes
  /// that the method wants beside.
  DeviceFilters(Work const& work, std::int64_t spectrum, double more, CudaDevice const& device,
                DeviceAllocator* allocator);

  kernels::Filters const& view() const { return view_; }
  Input access() const {
    const std::int64_t part = view_.lines * view_.columns;
    return {.data = view_.taps,
            .type = compute_,
            .outer = view_.parts * part,
            .imaginary = view_.parts == 2 ? part : 0,
            .line = view_.columns};
  }
  /// The first `count` filters in the part of signals, for what transforms them: nothing is written.
  kernels::Operands as_signals(std::int64_t count) const {
    const Loops each{.outer = {.count = count, .signal_moves = true, .filter_moves = true}, .inner = {}};
    return {access(), {}, each, {.row = 0, .rows = count, .samples = view_.columns, .first = 0, .outputs = 1}};
  }
  void* more() { return memory_.data() + more_at_; }
  std::size_t bytes() const { return memory_.bytes(); }

  /// Enqueues the conversion of `count` filters' taps and the search for the largest; spectra and facts are left to the
  /// method.
  void set(Input const& filter, std::int64_t count, Means const& means);

 private:
  int grid_;
  Type compute_;
  PlanMemory memory_;
  kernels::Filters view_{};
  std::size_t more_at_ = 0;
};

/// Filters from host memory: a copy of them on the device, in the order of `stream`. Returns when `filter` was read.
class UploadedFilter {
 public:
  UploadedFilter(HostInput filter, Stream stream, DeviceAllocator* allocator);
  Input access() const { return {.data = bytes_.data(), .type = type_, .outer = lines_ * columns_, .line = columns_}; }

 private:
  DeviceBuffer<std::uint8_t> bytes_;
  Type type_;
  std::int64_t lines_, columns_;
};

}  // namespace gpuconv::detail

// The filters of a plan that convolves by blocks, in device memory: taps, spectra, largest magnitudes.
#pragma once

#include "runtime.hpp"

#include "../../kernels/launch.hpp"
#include "../problem.hpp"

namespace gpuconv::detail {

/// Blocks of a grid whose kernel loops over what is left, as those around cuFFT do: twice what is resident.
inline int looping_grid(CudaDevice const& device) { return 16 * device.multiprocessors; }

class DeviceFilters {
 public:
  /// `spectrum`: complex numbers of a filter's spectrum. `more`: bytes that the method wants beside.
  DeviceFilters(Geometry const& g, std::int64_t spectrum, double more, CudaDevice const& device,
                DeviceAllocator* allocator);

  kernels::Filters const& view() const { return view_; }
  void* more() { return memory_.data() + more_at_; }
  std::size_t bytes() const { return memory_.bytes(); }

  /// Enqueues the conversion of the taps and the search for the largest; the spectra are left to the method.
  void convert(kernels::Input filter, Type compute, cudaStream_t stream);

 private:
  int grid_;
  PlanMemory memory_;
  kernels::Filters view_{};
  std::size_t more_at_ = 0;
};

}  // namespace gpuconv::detail

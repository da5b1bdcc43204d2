#include "filters.hpp"

namespace gpuconv::detail {

DeviceFilters::DeviceFilters(Geometry const& g, std::int64_t spectrum, double more, CudaDevice const& device,
                             DeviceAllocator* allocator)
    : grid_(looping_grid(device)) {
  const auto filters = static_cast<double>(g.filters), element = static_cast<double>(size_of(g.result_type));
  const double taps = aligned_bytes(filters * static_cast<double>(g.filter) * element);
  const double spectra = aligned_bytes(filters * static_cast<double>(spectrum) * 2 * element);
  const double largest = aligned_bytes(filters * sizeof(unsigned long long));
  memory_ = PlanMemory(taps + spectra + largest + more, device, allocator);
  const auto at = [&](double bytes) { return memory_.data() + static_cast<std::size_t>(bytes); };
  more_at_ = static_cast<std::size_t>(taps + spectra + largest);
  view_ = {.taps = memory_.data(),
           .spectra = at(taps),
           .largest = reinterpret_cast<unsigned long long*>(at(taps + spectra)),
           .count = g.filters,
           .columns = g.filter,
           .per_row = g.filters == 1 ? 0 : 1,
           .first_row = 0};
}

void DeviceFilters::convert(kernels::Input filter, Type compute, cudaStream_t stream) {
  const std::size_t bytes = static_cast<std::size_t>(view_.count) * sizeof(unsigned long long);
  check_cuda(cudaMemsetAsync(view_.largest, 0, bytes, stream), "cudaMemsetAsync");
  check_cuda(kernels::convert_filters(filter, view_, compute, grid_, stream), "the kernel convert_filters");
}

}  // namespace gpuconv::detail

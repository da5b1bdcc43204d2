#include "filters.hpp"

#include "copy.hpp"

namespace gpuconv::detail {
namespace {

double taps_bytes(Work const& w) {
  return aligned_bytes(static_cast<double>(w.filters()) * static_cast<double>(w.axis.filter) *
                       static_cast<double>(size_of(w.compute_type())));
}

}  // namespace

DeviceFilters::DeviceFilters(Work const& w, CudaDevice const& device, DeviceAllocator* allocator)
    : grid_(looping_grid(device)), compute_(w.compute_type()), memory_(taps_bytes(w), device, allocator) {
  view_ = {
      .taps = memory_.data(), .spectra = nullptr, .largest = nullptr, .count = w.filters(), .columns = w.axis.filter};
}

DeviceFilters::DeviceFilters(Work const& w, std::int64_t spectrum, double more, CudaDevice const& device,
                             DeviceAllocator* allocator)
    : grid_(looping_grid(device)), compute_(w.compute_type()) {
  const auto filters = static_cast<double>(w.filters());
  const double taps = taps_bytes(w);
  const double spectra =
      aligned_bytes(filters * static_cast<double>(spectrum) * 2 * static_cast<double>(size_of(compute_)));
  const double largest = aligned_bytes(filters * sizeof(unsigned long long));
  memory_ = PlanMemory(taps + spectra + largest + more, device, allocator);
  const auto at = [&](double bytes) { return memory_.data() + static_cast<std::size_t>(bytes); };
  more_at_ = static_cast<std::size_t>(taps + spectra + largest);
  view_ = {.taps = memory_.data(),
           .spectra = at(taps),
           .largest = reinterpret_cast<unsigned long long*>(at(taps + spectra)),
           .count = w.filters(),
           .columns = w.axis.filter};
}

void DeviceFilters::set(Input const& filter, std::int64_t count, Means const& means) {
  cudaStream_t stream = means.stream.handle();
  if (view_.largest)
    check_cuda(cudaMemsetAsync(view_.largest, 0, static_cast<std::size_t>(count) * sizeof(unsigned long long), stream),
               "cudaMemsetAsync");
  check_cuda(kernels::convert_filters(filter, count, view_, compute_, grid_, stream), "the kernel convert_filters");
}

UploadedFilter::UploadedFilter(HostInput filter, Stream stream, DeviceAllocator* allocator)
    : type_(filter.type()), columns_(filter.columns()) {
  const auto element = static_cast<std::int64_t>(size_of(type_));
  const std::int64_t width = columns_ * element;
  bytes_ = DeviceBuffer<std::uint8_t>(filter.rows() * width, stream, allocator);
  copy_rows({bytes_.data(), width}, {filter.data(), filter.stride() * element}, filter.rows(), width,
            cudaMemcpyHostToDevice, stream.handle());
  check_cuda(cudaStreamSynchronize(stream.handle()), "cudaStreamSynchronize");
}

}  // namespace gpuconv::detail

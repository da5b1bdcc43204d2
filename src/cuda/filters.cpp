#include "filters.hpp"

#include "copy.hpp"
#include "host_copy.hpp"

#include <vector>

namespace gpuconv::detail {
namespace {

double taps_bytes(Work const& w) {
  return aligned_bytes(static_cast<double>(w.filters()) * static_cast<double>(w.taps()) * parts_of(w.filter_type) *
                       static_cast<double>(size_of(w.compute_type())));
}

}  // namespace

DeviceFilters::DeviceFilters(Work const& w, CudaDevice const& device, DeviceAllocator* allocator)
    : grid_(looping_grid(device)), compute_(w.compute_type()), memory_(taps_bytes(w), device, allocator) {
  check_cuda(kernels::load_convert_filters(compute_), "cudaFuncGetAttributes");
  view_ = {.taps = memory_.data(),
           .spectra = nullptr,
           .magnitudes = nullptr,
           .facts = nullptr,
           .count = w.filters(),
           .columns = w.axis.filter,
           .parts = parts_of(w.filter_type),
           .lines = w.lines.filter};
}

DeviceFilters::DeviceFilters(Work const& w, std::int64_t spectrum, double more, CudaDevice const& device,
                             DeviceAllocator* allocator)
    : grid_(looping_grid(device)), compute_(w.compute_type()) {
  check_cuda(kernels::load_convert_filters(compute_), "cudaFuncGetAttributes");
  const auto filters = static_cast<double>(w.filters());
  const double taps = taps_bytes(w);
  const double spectra =
      aligned_bytes(filters * static_cast<double>(spectrum) * 2 * static_cast<double>(size_of(compute_)));
  const double magnitudes = aligned_bytes(filters * sizeof(kernels::Magnitudes));
  const double facts = aligned_bytes(filters * 2 * static_cast<double>(size_of(compute_)));
  memory_ = PlanMemory(taps + spectra + magnitudes + facts + more, device, allocator);
  const auto at = [&](double bytes) { return memory_.data() + static_cast<std::size_t>(bytes); };
  more_at_ = static_cast<std::size_t>(taps + spectra + magnitudes + facts);
  view_ = {.taps = memory_.data(),
           .spectra = at(taps),
           .magnitudes = reinterpret_cast<kernels::Magnitudes*>(at(taps + spectra)),
           .facts = at(taps + spectra + magnitudes),
           .count = w.filters(),
           .columns = w.axis.filter,
           .parts = parts_of(w.filter_type),
           .lines = w.lines.filter};
}

void DeviceFilters::set(Input const& filter, std::int64_t count, Means const& means) {
  cudaStream_t stream = means.stream.handle();
  if (view_.magnitudes)
    check_cuda(
        cudaMemsetAsync(view_.magnitudes, 0, static_cast<std::size_t>(count) * sizeof(kernels::Magnitudes), stream),
        "cudaMemsetAsync");
  check_cuda(kernels::convert_filters(filter, count, view_, compute_, grid_, stream), "the kernel convert_filters");
}

UploadedFilter::UploadedFilter(HostInput filter, Stream stream, DeviceAllocator* allocator)
    : type_(filter.type()), lines_(filter.lines()), columns_(filter.columns()) {
  const auto element = static_cast<std::int64_t>(size_of(type_));
  const std::int64_t width = lines_ * columns_ * element;
  bytes_ = DeviceBuffer<std::uint8_t>(filter.rows() * width, stream, allocator);
  ByteRows<void const> from{filter.data(), filter.stride() * element};
  std::vector<char> together;
  if (filter.element_stride() != 1 || lines_ > 1) {
    together.resize(static_cast<std::size_t>(filter.rows() * width));
    copy_on_host({together.data(), width, columns_ * element, element},
                 {from.data, from.stride, filter.line_stride() * element, filter.element_stride() * element},
                 {filter.rows(), lines_, columns_}, element, 1);
    from = {together.data(), width};
  }
  copy_rows({bytes_.data(), width}, from, filter.rows(), width, cudaMemcpyHostToDevice, stream.handle());
  check_cuda(cudaStreamSynchronize(stream.handle()), "cudaStreamSynchronize");
}

}  // namespace gpuconv::detail

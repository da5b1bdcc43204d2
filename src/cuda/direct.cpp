// Direct convolution on the GPU: tiles in shared memory, windows in registers (kernels/direct.cuh).
#include "copy.hpp"
#include "cost.hpp"
#include "method.hpp"

#include <algorithm>

namespace gpuconv::detail {
namespace {

// ---- which problems it takes -------------------------------------------------------------------------------------
std::string refusal(Geometry const&) { return why_no_device(); }

// ---- what it costs -----------------------------------------------------------------------------------------------
// Expected, not measured: multiply-adds a second of one multiprocessor, from the issue slots of the compiled kernel.
constexpr double kMultiplyAddsFloat = 1.6e11, kMultiplyAddsDouble = 7e10, kMultiplyAddsInteger = 2.5e10;

double multiply_adds(Type compute) {
  return compute == Type::float32   ? kMultiplyAddsFloat
         : compute == Type::float64 ? kMultiplyAddsDouble
                                    : kMultiplyAddsInteger;
}

kernels::DirectShape shape_of(Geometry const& g, CudaDevice const& device) {
  const std::size_t element = size_of(g.compute_type());
  const int many = kernels::direct_outputs(element), few = kernels::direct_few_outputs(element);
  // Long rows, and enough of them to fill the device, have many outputs a thread.
  const std::int64_t large = std::int64_t{kernels::kDirectThreads} * many;
  const std::int64_t tiles = saturating_multiply(g.batch, g.length / large);
  if (tiles >= 2 * device.multiprocessors) return {kernels::kDirectThreads, many};
  const std::int64_t threads = (g.length + few - 1) / few;
  return {static_cast<int>(std::clamp<std::int64_t>((threads + 31) / 32 * 32, 32, kernels::kDirectThreads)), few};
}

double device_seconds(Geometry const& g, CudaDevice const& device) {
  const double outputs = static_cast<double>(g.batch) * static_cast<double>(g.length);
  const double taps = static_cast<double>(std::min(g.signal, g.filter));
  const double rate = multiply_adds(g.compute_type()) * device.multiprocessors;
  return kLaunchSeconds + std::max(outputs * taps / rate, g.bytes / (kCopyFraction * device.bytes_per_second));
}

double seconds(Geometry const& g, Resources const& r) {
  return total_seconds(g, r, device_seconds(g, current_device()));
}

// ---- how it is made and runs -------------------------------------------------------------------------------------
class Direct final : public CudaMethod {
 public:
  Direct(Geometry const& g, CudaDevice const& device, DeviceAllocator* allocator)
      : g_(g),
        shape_(shape_of(g, device)),
        blocks_(std::int64_t{device.multiprocessors} * kBlocksAMultiprocessor),
        filters_(static_cast<double>(g.filters) * static_cast<double>(g.filter) *
                     static_cast<double>(size_of(g.filter_type)),
                 device, allocator) {}

  std::size_t scratch_bytes() const override { return 0; }
  std::size_t own_bytes() const override { return filters_.bytes(); }

  // The kernel converts taps as it converts samples: the filter is kept as it came.
  void set_filter(kernels::Input filter, void*, cudaStream_t stream) override {
    const auto element = static_cast<std::int64_t>(size_of(g_.filter_type));
    const std::int64_t width = g_.filter * element;
    copy_rows({filters_.data(), width}, {filter.data, filter.stride * element}, g_.filters, width,
              cudaMemcpyDeviceToDevice, stream);
  }

  void run(kernels::Input signal, kernels::Output out, Piece const& piece, void*, cudaStream_t stream) override {
    const std::int64_t stride = g_.filters == 1 ? 0 : g_.filter;
    const auto offset = static_cast<std::size_t>(piece.first_row * stride) * size_of(g_.filter_type);
    const kernels::Input filter{filters_.data() + offset, g_.filter_type, stride, g_.filter};
    // Convolution commutes: the shorter operand takes the part of the taps.
    const bool swapped = g_.filter > g_.signal;
    const kernels::Direct problem{.data = swapped ? filter : signal,
                                  .taps = swapped ? signal : filter,
                                  .out = out,
                                  .rows = piece.rows,
                                  .first = piece.first,
                                  .length = piece.length};
    check_cuda(kernels::direct(problem, g_.compute_type(), shape_, blocks_, stream), "the direct kernel");
  }

 private:
  static constexpr std::int64_t kBlocksAMultiprocessor = 64;  // of the grid; the kernel loops over what is left

  Geometry g_;
  kernels::DirectShape shape_;
  std::int64_t blocks_;
  PlanMemory filters_;
};

std::unique_ptr<Executor> make(Geometry const& g, Resources const& r) {
  return make_cuda_executor(g, r, [](Geometry const& part, CudaDevice const& device, DeviceAllocator* allocator) {
    return std::make_unique<Direct>(part, device, allocator);
  });
}

// ---- how it prints itself ----------------------------------------------------------------------------------------
std::string parameters(Geometry const& g, Resources const& r) {
  const kernels::DirectShape shape = shape_of(g, current_device());
  return "tiles of " + std::to_string(shape.threads * shape.outputs) + cuda_text(r);
}

}  // namespace

const Solver cuda_direct{Device::cuda, Method::direct, true, refusal, seconds, make, parameters};

}  // namespace gpuconv::detail

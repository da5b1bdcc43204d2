// Direct convolution on the GPU: tiles in shared memory, windows in registers (kernels/direct.cuh).
#include "copy.hpp"
#include "cost.hpp"
#include "method.hpp"

#include <algorithm>
#include <cmath>

namespace gpuconv::detail {
namespace {

// ---- which problems it takes -------------------------------------------------------------------------------------
std::string refusal(Geometry const&) { return why_no_device(); }

// ---- what it costs -----------------------------------------------------------------------------------------------
// What the compiled kernel issues, in instructions of a warp. A double takes two cycles on an H200, a 64-bit product
// several instructions.
constexpr double kSlotsATile = 160, kSlotsASmallTile = 280;  // of a warp; of one of its groups
constexpr double kSlotsAnAccess = 3, kSlotsATap = 1.3;
constexpr double kSlotsAFloat = 1, kSlotsADouble = 2, kSlotsAnInteger = 5;  // a product, added
constexpr std::size_t kSharedBytes = 32 << 10;  // a block at most: several on a multiprocessor

double seconds_with(Geometry const& g, kernels::DirectShape const& shape, CudaDevice const& device) {
  const Type compute = g.compute_type();
  const double product = compute == Type::float32   ? kSlotsAFloat
                         : compute == Type::float64 ? kSlotsADouble
                                                    : kSlotsAnInteger;
  const double taps = static_cast<double>(std::min(g.signal, g.filter)), width = shape.lanes * shape.outputs;
  const double pack = 16.0 / static_cast<double>(size_of(compute));
  const bool whole_warps = shape.lanes == 32;
  const double tile = (whole_warps ? kSlotsATile : kSlotsASmallTile) +
                      kSlotsAnAccess * (shape.outputs + taps / shape.lanes) / pack +
                      taps * (shape.outputs * product + kSlotsATap);
  const double tiles = static_cast<double>(g.batch) * std::ceil(static_cast<double>(g.length) / width);
  const double again = tiles * taps * static_cast<double>(size_of(g.signal_type));  // where tiles overlap
  return kernel_seconds(
      {.warps = std::ceil(tiles / shape.groups), .slots = tile, .cached_bytes = g.bytes + again, .bytes = g.bytes},
      device);
}

/// The fastest: many outputs a lane take the fewest instructions, few make more warps, groups fill warps with short
/// rows.
kernels::DirectShape shape_of(Geometry const& g, CudaDevice const& device) {
  const std::size_t element = size_of(g.compute_type());
  const std::int64_t taps = std::min(g.signal, g.filter);
  kernels::DirectShape best{};
  double least = 0;
  for (int const outputs : {kernels::direct_outputs(element), kernels::direct_few_outputs(element)})
    for (int lanes = 32; lanes >= 1; --lanes) {
      kernels::DirectShape shape{outputs, lanes, 32 / lanes};
      while (shape.groups > 1 && kernels::direct_shared_bytes(shape, taps, element) > kSharedBytes) --shape.groups;
      const double time = seconds_with(g, shape, device);
      if (best.lanes == 0 || time < least) best = shape, least = time;
    }
  return best;
}

double seconds(Geometry const& g, Resources const& r) {
  CudaDevice const& device = current_device();
  return total_seconds(g, r, seconds_with(g, shape_of(g, device), device));
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
  // Of the grid; the kernel loops over what is left. Several times what fits: the first to end are replaced.
  static constexpr std::int64_t kBlocksAMultiprocessor = 24;

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
  return "tiles of " + std::to_string(shape.lanes * shape.outputs) + cuda_text(r);
}

}  // namespace

const Solver cuda_direct{Device::cuda, Method::direct, true, refusal, seconds, make, parameters};

}  // namespace gpuconv::detail

// Direct convolution on the GPU: tiles in shared memory, windows in registers (kernels/direct.cuh).
#include "cost.hpp"
#include "dot.hpp"
#include "filters.hpp"
#include "images.hpp"
#include "pieces.hpp"

#include "../exchange.hpp"

#include <algorithm>
#include <cmath>

namespace gpuconv::detail {
namespace {

// ---- the executor ------------------------------------------------------------------------------------------------
class DirectOnDevice final : public Executor {
 public:
  DirectOnDevice(Work const& w, Tile const& tile, CudaDevice const& device, DeviceAllocator* allocator)
      : work_(w),
        tile_(tile),
        blocks_(std::int64_t{device.multiprocessors} * kBlocksPerMultiprocessor),
        filters_(w, device, allocator) {}

  std::size_t own_bytes() const override { return filters_.bytes(); }
  std::size_t scratch_bytes() const override { return 0; }

  void set_filter(Input const& filter, std::int64_t count, Means const& means) override {
    filters_.set(filter, count, means);
  }

  void run(Input const& signal, Output const& out, Part const& part, Means const& means) override {
    const kernels::Direct problem{.operands = {in_parts(signal), in_parts(out), work_.loops, part},
                                  .taps = filters_.view().taps,
                                  .taps_count = work_.axis.filter,
                                  .signal_parts = parts_of(work_.signal_type),
                                  .filter_parts = parts_of(work_.filter_type)};
    check_cuda(kernels::direct(problem, work_.compute_type(), tile_, blocks_, means.stream.handle()),
               "the direct kernel");
  }

 private:
  // Blocks of the grid at most; the kernel loops over what is left. Several times as many as fit: the first to end are
  // replaced.
  static constexpr std::int64_t kBlocksPerMultiprocessor = 24;

  Work work_;
  Tile tile_;
  std::int64_t blocks_;
  DeviceFilters filters_;
};

std::unique_ptr<Executor> make(Work const& w, Resources const& r, Parameters const& p) {
  CudaDevice const& device = current_device();
  if (!p.exchanged) return std::make_unique<DirectOnDevice>(w, p.tile, device, r.allocator);
  const double row_bytes =
      static_cast<double>(w.axis.signal) * parts_of(w.signal_type) * static_cast<double>(size_of(w.compute_type()));
  const Work rows = exchanged_rows(w, row_bytes, kExchangedBytes);
  return std::make_unique<ExchangedExecutor<DeviceFilters>>(
      w, rows, DeviceFilters(w, device, r.allocator),
      std::make_unique<DirectOnDevice>(rows, p.tile, device, r.allocator));
}

// ---- what it costs -----------------------------------------------------------------------------------------------
// What the compiled kernel issues, in instructions of a warp.
constexpr double kSlotsPerTile = 160, kSlotsPerSmallTile = 280;  // of a warp; of one of its groups
constexpr double kSlotsPerAccess = 3, kSlotsPerTap = 1.3;
constexpr std::size_t kSharedBytes = 32 << 10;  // per block at most: several on a multiprocessor

double seconds_with(Work const& w, Tile const& t, CudaDevice const& device) {
  const Type compute = w.compute_type();
  const auto taps = static_cast<double>(w.axis.filter), outputs = static_cast<double>(w.axis.outputs);
  const double pack = 16.0 / static_cast<double>(size_of(compute)), bytes = array_bytes(w);
  // Each part of an output is a tile of its own, and reads one part of the samples for each of its terms.
  const double parts = parts_of(w.result_type), terms = term_count(w);
  const double tile = (t.lanes == 32 ? kSlotsPerTile : kSlotsPerSmallTile) +
                      terms * (kSlotsPerAccess * (t.outputs + taps / t.lanes) / pack +
                               taps * (t.outputs * product_slots(compute) + kSlotsPerTap));
  const double tiles = parts * static_cast<double>(w.rows()) * std::ceil(outputs / t.width());
  const double again =
      terms * tiles * taps * static_cast<double>(size_of(part_type(w.signal_type)));  // where tiles overlap
  return kernel_seconds(
      {.warps = std::ceil(tiles / t.groups), .slots = tile, .cached_bytes = bytes + again, .bytes = bytes}, device);
}

/// The fastest: many outputs per lane take the fewest instructions, few make more warps, groups fill warps with short
/// rows.
Tile tile_of(Work const& w, CudaDevice const& device) {
  const std::size_t element = size_of(w.compute_type());
  const int terms = term_count(w);
  Tile best;
  double least = 0;
  for (int const outputs : {kernels::direct_outputs(element), kernels::direct_few_outputs(element)})
    for (int lanes = 32; lanes >= 1; --lanes) {
      Tile tile{outputs, lanes, 32 / lanes};
      while (tile.groups > 1 &&
             kernels::direct_shared_bytes(tile, w.axis.filter, terms, w.compute_type()) > kSharedBytes)
        --tile.groups;
      const double time = seconds_with(w, tile, device);
      if (best.lanes == 0 || time < least) best = tile, least = time;
    }
  return best;
}

Answer consider(Work const& asked, Resources const& r) {
  if (!why_no_device().empty()) return {.refusal = no_device};
  if (asked.has_lines() || asked.saturated)  // which the kernels of rows do not store
    return asked.axis.step == 1 ? consider_device_images(asked, r) : without_steps(consider_device_images, asked, r);
  if (is_device_dot(asked)) return consider_device_dot(asked, r);
  if (asked.axis.step != 1) return without_steps(consider, asked, r);
  CudaDevice const& device = current_device();
  const auto shorter_taps = [&](Work const& w) { return asked.swapped() ? exchanged(w) : w; };
  const Tile tile = tile_of(shorter_taps(work_at_once(asked, r)), device);
  return {.seconds = total_seconds(asked, r, seconds_with(shorter_taps(asked), tile, device)),
          .parameters = {.tile = tile, .exchanged = asked.swapped()},
          .make = make};
}

}  // namespace

const Solver cuda_direct{.device = Device::cuda,
                         .method = Method::direct,
                         .automatic = true,
                         .answer = consider,
                         .takes_steps = true,
                         .takes_lines = true};

}  // namespace gpuconv::detail

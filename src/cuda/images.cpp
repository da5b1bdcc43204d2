// Direct convolution of images on the GPU: tiles in shared memory, packs of several lines in registers
// (kernels/image.cuh), or in two passes (two_passes.hpp).
#include "images.hpp"

#include "cost.hpp"
#include "filters.hpp"
#include "two_passes.hpp"

#include <algorithm>
#include <cmath>

namespace gpuconv::detail {
namespace {

// ---- the executor ------------------------------------------------------------------------------------------------
class ImagesOnDevice final : public Executor {
 public:
  ImagesOnDevice(Work const& w, CudaDevice const& device, DeviceAllocator* allocator)
      : work_(w), device_(device), filters_(w, device, allocator) {
    check_cuda(kernels::load_image(w.compute_type()), "cudaFuncGetAttributes");
  }

  std::size_t own_bytes() const override { return filters_.bytes(); }
  std::size_t scratch_bytes() const override { return 0; }

  void set_filter(Input const& filter, std::int64_t count, Means const& means) override {
    filters_.set(filter, count, means);
  }

  void run(Input const& signal, Output const& out, Part const& part, Means const& means) override {
    enqueue_sums(sums_of_images(work_, {in_parts(signal), in_parts(out), work_.loops, part}, filters_.view().taps),
                 work_, device_, means.stream);
  }

 private:
  Work work_;
  CudaDevice const& device_;
  DeviceFilters filters_;
};

std::unique_ptr<Executor> make(Work const& w, Resources const& r, Parameters const& p) {
  CudaDevice const& device = current_device();
  if (p.passes) return make_two_passes(w, passes_budget(device), device, r.allocator);
  return std::make_unique<ImagesOnDevice>(w, device, r.allocator);
}

// ---- what it costs -----------------------------------------------------------------------------------------------
// What a warp issues for a tile, for a line of an access of taps, and for a sample that it loads: as
// kernels/prediction counts it in the code for sm_90, of floats with filters of 3 x 3 to 15 x 15 taps.
constexpr double kSlotsPerTile = 920, kSlotsPerAccess = 85, kSlotsPerSample = 9;

Demand demand_of(Work const& w) {
  const Type compute = w.compute_type();
  const auto size = static_cast<double>(size_of(compute));
  const double pack = 16 / size, width = 32 * pack, warps = kernels::kImageThreads / 32.0;
  const auto lines = static_cast<double>(w.lines.filter), taps = static_cast<double>(w.axis.filter);
  const kernels::ImagePieces piece = kernels::ImagePieces::of(w.lines.filter, w.axis.filter);
  const double pieces = std::ceil(lines / piece.lines) * std::ceil(taps / piece.columns);
  // Each part of an output is a tile of its own, and loads one part of the samples for each of its terms.
  const double parts = parts_of(w.result_type), terms = term_count(w);
  const double tiles = parts * static_cast<double>(w.rows()) * std::ceil(static_cast<double>(w.axis.outputs) / width) *
                       std::ceil(static_cast<double>(w.lines.span()) / kernels::kImageTileLines);
  const double samples = (kernels::kImageTileLines + piece.lines - 1) * (width + piece.columns);  // of a piece
  const double accesses = (kernels::kImageLines + piece.lines - 1) * std::ceil(piece.columns / pack);
  const double slots =
      kSlotsPerTile + terms * (pieces * (kSlotsPerSample * samples / 32 / warps + kSlotsPerAccess * accesses) +
                               lines * taps * kernels::kImageLines * pack * product_slots(compute));
  const double bytes = array_bytes(w),
               loaded = terms * tiles * pieces * samples * static_cast<double>(size_of(part_type(w.signal_type)));
  return {.warps = warps * tiles, .slots = slots, .cached_bytes = bytes + loaded, .bytes = bytes};
}

double plain_seconds(Work const& w, CudaDevice const& device) { return kernel_seconds(demand_of(w), device); }

double two_passes_seconds(Work const& w, CudaDevice const& device) {
  const PassesStrip strip = passes_strip(w, passes_budget(device));
  const auto pieces = [](std::int64_t all, std::int64_t each) {
    return std::ceil(static_cast<double>(all) / static_cast<double>(each));
  };
  const double down = pieces(w.lines.outputs, strip.lines);
  const double strips = pieces(w.rows(), strip.images) * down * pieces(w.axis.outputs, strip.outputs);
  const Work across = across_lines(w);
  const Work along = along_lines(w);
  const double held = down * static_cast<double>(w.lines.met_by(strip.lines));  // strips have some lines in common
  const double again = std::max(held / static_cast<double>(along.lines.outputs), 1.0);
  // What is between the passes stays in the cache.
  const double between = static_cast<double>(w.rows()) * static_cast<double>(across.samples()) *
                         static_cast<double>(size_of(w.compute_type()));
  Demand first = demand_of(along), second = demand_of(across);
  first.warps *= again, first.cached_bytes *= again;
  first.bytes -= between, second.bytes -= between;
  // One more launch is for filters that are no products.
  return kernel_seconds(first, device) + kernel_seconds(second, device) + (2 * strips - 1) * kLaunchSeconds;
}

// Of a work whose filters are said to be products. By the image and the filter alone, not by the batch, so that bits do
// not depend on that.
bool in_two_passes(Work const& w, CudaDevice const& device) {
  const bool real = !is_complex(w.signal_type) && !is_complex(w.filter_type);
  if (!w.separable || !real || w.axis.filter == 1 || w.lines.filter == 1) return false;
  const Work many = of_many_rows(w);
  return two_passes_seconds(many, device) < plain_seconds(many, device);
}

}  // namespace

kernels::Image sums_of_images(Work const& w, kernels::Operands const& operands, void const* taps) {
  return {.operands = operands,
          .taps = taps,
          .filter_lines = w.lines.filter,
          .taps_count = w.axis.filter,
          .signal_parts = parts_of(w.signal_type),
          .filter_parts = parts_of(w.filter_type),
          .signal_lines = w.lines.signal,
          .first_line = w.lines.first,
          .output_lines = w.lines.span(),
          .line_step = w.lines.step};
}

void enqueue_sums(kernels::Image const& image, Work const& w, CudaDevice const& device, Stream stream) {
  constexpr std::int64_t per_multiprocessor = 24;  // blocks of the grid at most, as of direct sums of rows
  check_cuda(kernels::image(image, w.compute_type(), device.multiprocessors * per_multiprocessor, stream.handle()),
             "the image kernel");
}

Answer consider_device_images(Work const& w, Resources const& r) {
  CudaDevice const& device = current_device();
  if (in_two_passes(w, device))
    return {
        .seconds = total_seconds(w, r, two_passes_seconds(w, device)), .parameters = {.passes = true}, .make = make};
  const int pack = 16 / static_cast<int>(size_of(w.compute_type()));
  return {.seconds = total_seconds(w, r, plain_seconds(w, device)),
          .parameters = {.tile = {.outputs = pack, .lanes = 32, .groups = 1}, .tile_lines = kernels::kImageTileLines},
          .make = make};
}

}  // namespace gpuconv::detail

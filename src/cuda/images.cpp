// Direct convolution of images on the GPU: tiles in shared memory, packs of several lines in registers
// (kernels/image.cuh).
#include "images.hpp"

#include "cost.hpp"
#include "filters.hpp"

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
    enqueue_sums(sums_of_images(work_, {in_parts(signal), in_parts(out), work_.loops, part}, filters_.view()), work_,
                 device_, means.stream);
  }

 private:
  Work work_;
  CudaDevice const& device_;
  DeviceFilters filters_;
};

std::unique_ptr<Executor> make(Work const& w, Resources const& r, Parameters const&) {
  return std::make_unique<ImagesOnDevice>(w, current_device(), r.allocator);
}

// ---- what it costs -----------------------------------------------------------------------------------------------
// What a warp issues for a tile, for a line of an access of taps, and for a sample that it loads: as
// kernels/prediction counts it in the code for sm_90, of floats with filters of 3 x 3 to 15 x 15 taps.
constexpr double kSlotsPerTile = 920, kSlotsPerAccess = 85, kSlotsPerSample = 9;

double seconds_of(Work const& w, CudaDevice const& device) {
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
  return kernel_seconds({.warps = warps * tiles, .slots = slots, .cached_bytes = bytes + loaded, .bytes = bytes},
                        device);
}

}  // namespace

kernels::Image sums_of_images(Work const& w, kernels::Operands const& operands, kernels::Filters const& filters) {
  return {.operands = operands,
          .taps = filters.taps,
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
  const int pack = 16 / static_cast<int>(size_of(w.compute_type()));
  return {.seconds = total_seconds(w, r, seconds_of(w, current_device())),
          .parameters = {.tile = {.outputs = pack, .lanes = 32, .groups = 1}, .tile_lines = kernels::kImageTileLines},
          .make = make};
}

}  // namespace gpuconv::detail

// Convolution of images on the GPU by blocks of two dimensions (core/image_cut.hpp), each of which cuFFT transforms as
// a row of one dimension.
#include "cufft_blocks.hpp"
#include "cufft_slots.hpp"
#include "filters.hpp"
#include "images.hpp"
#include "pieces.hpp"

#include "../core/image_cut.hpp"

namespace gpuconv::detail {
namespace {

// ---- the executor ------------------------------------------------------------------------------------------------
/// Blocks with samples that are not finite, and all of an image whose filter has such taps, are summed directly when
/// the others are done, together with outputs beside them that share a tile.
template <class C>
class ImageBlocksOnDevice final : public Executor {
 public:
  ImageBlocksOnDevice(Work const& w, Parameters const& p, CudaDevice const& device, DeviceAllocator* allocator)
      : work_(w),
        cut_(ImageCut::of(p.cut, p.pitch, w)),
        complex_(is_complex(w.result_type)),
        pitch_(complex_ ? 2 * cut_.size : cut_.size + 2),
        device_(device),
        slots_(w, cut_.size, pitch_, blocks_at_once(w, p), device),
        filters_(w, complex_ ? cut_.size : cut_.size / 2 + 1, 0, device, allocator),
        scratch_bytes_(slots_.bytes() +
                       slots_.room(static_cast<double>(blocks_at_once(w, p)) * sizeof(kernels::SlotFacts))) {
    check_cuda(kernels::load_image_blocks(type_of<C>), "cudaFuncGetAttributes");
    check_cuda(kernels::load_image(type_of<C>), "cudaFuncGetAttributes");
  }

  std::size_t own_bytes() const override { return filters_.bytes(); }
  std::size_t scratch_bytes() const override { return scratch_bytes_; }

  // Filters are images of their own, of one block each.
  void set_filter(Input const& filter, std::int64_t count, Means const& means) override {
    filters_.set(filter, count, means);
    kernels::ImageBlockWork b = blocks_of(filters_.as_signals(count), means);
    b.sets_filter = true;
    b.cut = {.size = cut_.size, .skip = 0, .step = 1};
    b.row_blocks = b.across = 1;
    b.block_lines = b.signal_lines = work_.lines.filter;
    b.skipped_lines = b.first_line = 0;
    slots_.keep_spectra(b, means);
  }

  void run(Input const& signal, Output const& out, Part const& part, Means const& means) override {
    const kernels::Operands operands{in_parts(signal), in_parts(out), work_.loops, part};
    kernels::ImageBlockWork b = blocks_of(operands, means);
    kernels::SlotFacts* const facts = b.facts;
    const auto bytes = static_cast<std::size_t>(part.rows * b.row_blocks) * sizeof(kernels::SlotFacts);
    check_cuda(cudaMemsetAsync(facts, 0, bytes, means.stream.handle()), "cudaMemsetAsync");
    slots_.for_chunks(b, [&] {
      b.facts = facts + b.chunk.begin;
      slots_.convolve(b, means);
    });
    kernels::Image sums = sums_of_images(work_, operands, filters_.view().taps);
    sums.marked = {.facts = facts,
                   .magnitudes = filters_.view().magnitudes,
                   .columns = cut_.columns(),
                   .lines = cut_.rows(work_),
                   .across = b.across,
                   .down = cut_.down(work_)};
    enqueue_sums(sums, work_, device_, means.stream);
  }

 private:
  static std::int64_t blocks_at_once(Work const& w, Parameters const& p) {
    return saturating_multiply(rows_at_once(w, p), ImageCut::of(p.cut, p.pitch, w).blocks(w));
  }

  kernels::ImageBlockWork blocks_of(kernels::Operands const& operands, Means const& means) const {
    kernels::ImageBlockWork b{};
    b.operands = operands;
    b.filters = filters_.view();
    b.cut = {.size = cut_.size, .skip = cut_.skipped, .step = cut_.columns()};
    b.pitch = pitch_;
    b.row_blocks = cut_.blocks(work_);
    b.slots = means.scratch;
    b.facts = reinterpret_cast<kernels::SlotFacts*>(static_cast<char*>(means.scratch) + slots_.bytes());
    b.complex = complex_;
    b.compute = type_of<C>;
    b.grid = looping_grid(device_);
    b.line_pitch = cut_.pitch;
    b.block_lines = cut_.lines;
    b.skipped_lines = work_.lines.filter - 1;
    b.across = cut_.across(work_);
    b.signal_lines = work_.lines.signal;
    b.first_line = work_.lines.first;
    b.output_lines = work_.lines.span();
    b.line_step = work_.lines.step;
    return b;
  }

  Work work_;
  ImageCut cut_;
  bool complex_;
  std::int64_t pitch_;  // numbers from slot to slot
  CudaDevice const& device_;
  CufftSlots<C> slots_;
  DeviceFilters filters_;
  std::size_t scratch_bytes_;  // slots, facts of all blocks of a run
};

std::unique_ptr<Executor> make(Work const& w, Resources const& r, Parameters const& p) {
  return visit_floating(w.compute_type(), [&]<class C>(std::type_identity<C>) -> std::unique_ptr<Executor> {
    return std::make_unique<ImageBlocksOnDevice<C>>(w, p, current_device(), r.allocator);
  });
}

// ---- how outputs are cut, and what it costs ----------------------------------------------------------------------
constexpr std::int64_t kSmallest = 1 << 10, kLargest = std::int64_t{1} << 26;  // samples of a block

double traffic(Work const& w, ImageCut const& cut) {
  return static_cast<double>(cut.blocks(w)) * block_traffic(w, cut.size);
}

std::string beyond_memory(Work const&) { return "outputs of more than 2^30 lines or columns, or as far apart"; }
Refusal refuse_blocks(Work const& w) {
  constexpr std::int64_t kLargestSide = std::int64_t{1} << 30;  // keeps numbers of blocks from overflowing
  return std::max(w.axis.outputs, w.lines.span()) > kLargestSide ? beyond_memory : refuse_cufft(w);
}
std::string larger_than_blocks(Work const&) { return "the filter does not fit into a block of two dimensions"; }

Answer offer(Work const& w, Resources const& r, ImageCut const& cut, Parameters::Blocks blocks) {
  if (cut.size == 0) return {.refusal = larger_than_blocks};
  const double seconds = blocks_seconds(w, saturating_multiply(w.rows(), cut.blocks(w)), cut.size, current_device());
  return {.seconds = total_seconds(w, r, seconds),
          .parameters = {.blocks = blocks, .cut = cut.flat(w), .rows = work_at_once(w, r).rows(), .pitch = cut.pitch},
          .make = make};
}

}  // namespace

Answer consider_device_image_blocks(Work const& w, Resources const& r) {
  if (const Refusal refusal = refuse_blocks(w)) return {.refusal = refusal};
  const auto cost = [&](ImageCut const& cut) { return traffic(w, cut); };
  return offer(w, r, best_image_cut(w, doubling(kSmallest, kLargest), 1, cost), Parameters::Blocks::by_cufft);
}

Answer consider_device_whole_images(Work const& w, Resources const& r) {
  if (const Refusal refusal = refuse_blocks(w)) return {.refusal = refusal};
  ImageCut cut{.pitch = w.axis.outputs + w.axis.filter - 1,
               .lines = w.lines.span() + w.lines.filter - 1,
               .skipped = w.axis.filter - 1};
  const std::int64_t samples = saturating_multiply(cut.pitch, cut.lines);
  if (samples <= kLargest) cut.size = good_size(samples);
  return offer(w, r, cut, Parameters::Blocks::whole_rows_by_cufft);
}

}  // namespace gpuconv::detail

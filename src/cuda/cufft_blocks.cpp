#include "cufft_blocks.hpp"

#include "cufft_slots.hpp"
#include "filters.hpp"

#include <algorithm>

namespace gpuconv::detail {
namespace {

constexpr std::int64_t kLargestFilter = std::int64_t{1} << 39;  // far beyond memory; keeps sizes from overflowing

// Outputs that a block of a whole row leaves out: those before the part's first one, so that the block starts where the
// row does; or as overlap-save does, where the row is extended or outputs are beyond the full convolution.
std::int64_t skip_of_row(Extension const& extension, Part const& part, std::int64_t taps) {
  const bool within = part.first >= 0 && part.first + part.outputs <= part.samples + taps - 1;
  return extension.is_zero() && within ? part.first : taps - 1;
}

template <class C>
class CufftBlocks final : public Executor {
 public:
  CufftBlocks(Work const& w, Parameters const& p, CudaDevice const& device, DeviceAllocator* allocator)
      : work_(w),
        cut_(p.cut),
        whole_rows_(p.blocks == Parameters::Blocks::whole_rows_by_cufft),
        complex_(is_complex(w.result_type)),
        pitch_(pitch_of(p.cut.size, w)),
        levels_(kernels::repair_levels(p.cut.size, w.axis.filter, parts_of(w.signal_type), parts_of(w.filter_type))),
        slots_(w, p.cut.size, pitch_, saturating_multiply(rows_at_once(w, p), p.cut.blocks(w.axis.outputs)), device),
        grid_(looping_grid(device)),
        filters_(w, complex_ ? p.cut.size : p.cut.size / 2 + 1, 0, device, allocator) {
    check_cuda(kernels::load_blocks(type_of<C>), "cudaFuncGetAttributes");
    const auto slots = static_cast<double>(slots_.count());
    levels_at_ = slots_.bytes() + slots_.room(slots * sizeof(kernels::SlotFacts));
    scratch_bytes_ = levels_at_ + slots_.room(slots * static_cast<double>(levels_) * sizeof(std::uint64_t));
  }

  std::size_t own_bytes() const override { return filters_.bytes(); }
  std::size_t scratch_bytes() const override { return scratch_bytes_; }

  // Filters are blocks of their own: one each, at its start.
  void set_filter(Input const& filter, std::int64_t count, Means const& means) override {
    filters_.set(filter, count, means);
    kernels::BlockWork b = blocks_of(filters_.as_signals(count), {.size = cut_.size, .skip = 0, .step = 1}, means);
    b.sets_filter = true;
    slots_.keep_spectra(b, means);
  }

  void run(Input const& signal, Output const& out, Part const& part, Means const& means) override {
    cudaStream_t stream = means.stream.handle();
    Cut cut = cut_;
    if (whole_rows_) cut.skip = skip_of_row(signal.extension, part, work_.axis.filter);
    kernels::BlockWork b = blocks_of({in_parts(signal), in_parts(out), work_.loops, part}, cut, means);
    slots_.for_chunks(b, [&] {
      const std::size_t facts = static_cast<std::size_t>(b.chunk.count) * sizeof(kernels::SlotFacts);
      check_cuda(cudaMemsetAsync(b.facts, 0, facts, stream), "cudaMemsetAsync");
      slots_.convolve(b, means);
      check_cuda(kernels::repair_blocks(b, stream), "the kernels find_signs and repair_blocks");
    });
  }

 private:
  kernels::BlockWork blocks_of(kernels::Operands const& operands, Cut const& cut, Means const& means) const {
    return {.operands = operands,
            .filters = filters_.view(),
            .cut = cut,
            .pitch = pitch_,
            .row_blocks = cut.blocks(operands.part.outputs),
            .chunk = {},
            .slots = means.scratch,
            .facts = reinterpret_cast<kernels::SlotFacts*>(static_cast<char*>(means.scratch) + slots_.bytes()),
            .levels = static_cast<char*>(means.scratch) + levels_at_,
            .sets_filter = false,
            .complex = complex_,
            .compute = type_of<C>,
            .grid = grid_};
  }
  // What a transform in place needs, and what a repair does; the slots are whole complex numbers apart.
  static std::int64_t pitch_of(std::int64_t size, Work const& w) {
    constexpr auto element = static_cast<std::int64_t>(sizeof(C)), word = std::int64_t{8};
    const std::int64_t words =
        kernels::repair_words(size, w.axis.filter, parts_of(w.signal_type), parts_of(w.filter_type));
    return std::max(is_complex(w.result_type) ? 2 * size : size + 2, (words * word / element + 1) / 2 * 2);
  }

  Work work_;
  Cut cut_;
  bool whole_rows_, complex_;
  std::int64_t pitch_, levels_;
  CufftSlots<C> slots_;
  int grid_;
  DeviceFilters filters_;
  std::size_t levels_at_ = 0;  // in the scratch memory, after the slots and their facts
  std::size_t scratch_bytes_ = 0;
};

}  // namespace

Cut cufft_cut(Work const& w, std::int64_t smallest, std::int64_t largest) {
  return best_cut(doubling(smallest, largest), w.axis.filter, w.axis.outputs, 1, [&](Cut const& cut) {
    return static_cast<double>(cut.blocks(w.axis.outputs)) * block_traffic(w, cut.size);
  });
}

// Circular output k of N points is full[k] + full[k + N]: right for every k of the slice if neither what is beyond the
// end nor the slice itself wraps into it. Overlap-save needs no more than the samples of the outputs' windows.
Cut whole_row_cut(Work const& w) {
  Axis const& a = w.axis;
  const std::int64_t skip = skip_of_row(w.extension, whole(w), a.filter), windows = a.outputs + a.filter - 1;
  const std::int64_t needed =
      skip == a.first ? std::max({a.first + a.outputs, a.full() - a.first, a.signal, a.filter}) : windows;
  return {.size = good_size(needed), .skip = skip, .step = a.outputs};
}

double cufft_seconds(Work const& w, Cut const& cut, CudaDevice const& device) {
  return blocks_seconds(w, saturating_multiply(w.rows(), cut.blocks(w.axis.outputs)), cut.size, device);
}

namespace {

std::string integers_are_exact(Work const&) { return "integers are exact, which a floating-point transform is not"; }
std::string saturated_by_direct(Work const&) { return "saturated results are those of direct sums"; }
std::string too_long(Work const&) { return "the filter or the signal is longer than 2^39 elements"; }
}  // namespace

std::string no_cufft(Work const&) { return why_no_cufft(); }

Refusal refuse_transform(Work const& w) {
  if (w.saturated) return saturated_by_direct;
  if (is_integer(w.result_type)) return integers_are_exact;
  if (std::max(w.axis.filter, w.axis.signal) > kLargestFilter) return too_long;
  return why_no_device().empty() ? nullptr : no_device;
}

Refusal refuse_cufft(Work const& w) {
  if (const Refusal refusal = refuse_transform(w)) return refusal;
  return why_no_cufft().empty() ? nullptr : no_cufft;
}

std::int64_t good_size(std::int64_t n) {
  std::int64_t best = INT64_MAX;
  for (std::int64_t a = 2; a < best; a *= 7)
    for (std::int64_t b = a; b < best; b *= 5)
      for (std::int64_t c = b; c < best; c *= 3) {
        std::int64_t size = c;
        while (size < n) size *= 2;
        best = std::min(best, size);
        if (c >= n) break;
      }
  return best;
}

std::unique_ptr<Executor> make_cufft_blocks(Work const& w, Parameters const& p, CudaDevice const& device,
                                            DeviceAllocator* allocator) {
  return visit_floating(w.compute_type(), [&]<class C>(std::type_identity<C>) -> std::unique_ptr<Executor> {
    return std::make_unique<CufftBlocks<C>>(w, p, device, allocator);
  });
}

}  // namespace gpuconv::detail

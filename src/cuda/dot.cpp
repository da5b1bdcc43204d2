// Dot products on the GPU: pieces of sums in scratch memory, which a second kernel adds (kernels/dot.cuh).
#include "dot.hpp"

#include "cost.hpp"
#include "filters.hpp"

#include "../problem.hpp"

#include <algorithm>
#include <cmath>

namespace gpuconv::detail {
namespace {

constexpr std::int64_t kTapsPerOutput = 128;                    // at least
constexpr std::int64_t kMostOutputs = 256;                      // of a row
constexpr std::int64_t kMostTerms = std::int64_t{1} << 33;      // keeps what a row has to do within 32 bits
constexpr std::int64_t kMostItems = std::int64_t{1} << 31;      // the same
constexpr std::int64_t kTapsOfAWarp = 64, kFarStep = 32;        // with steps between outputs, either of them at least
constexpr std::int64_t kScratchBytes = std::int64_t{64} << 20;  // more rows take more launches

// Of a part of an output: those of all its terms.
std::int64_t output_pieces(Work const& w) { return kernels::dot_pieces(w.products()) * term_count(w); }

// Bytes of scratch memory for the pieces of a row's sums; 0 where the sums are not in pieces.
std::int64_t partial_bytes(Work const& w) {
  const std::int64_t pieces = output_pieces(w), numbers = w.axis.outputs * parts_of(w.result_type);
  return pieces == 1 ? 0 : saturating_multiply(numbers * static_cast<std::int64_t>(size_of(w.compute_type())), pieces);
}

// ---- the executor ------------------------------------------------------------------------------------------------
class DotOnDevice final : public Executor {
 public:
  /// `rows`: per launch at most, where it is not 0.
  DotOnDevice(Work const& w, std::int64_t rows, CudaDevice const& device, DeviceAllocator* allocator)
      : work_(w),
        blocks_(std::int64_t{device.multiprocessors} * kBlocksPerMultiprocessor),
        row_bytes_(partial_bytes(w)),
        rows_(std::min(rows ? rows : w.rows(), rows_at_once(w.rows(), row_bytes_))),
        filters_(w, device, allocator) {
    check_cuda(kernels::load_dot(w.compute_type()), "cudaFuncGetAttributes");
  }

  std::size_t own_bytes() const override { return filters_.bytes(); }
  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(row_bytes_ * rows_); }

  void set_filter(Input const& filter, std::int64_t count, Means const& means) override {
    filters_.set(filter, count, means);
  }

  void run(Input const& signal, Output const& out, Part const& part, Means const& means) override {
    const std::int64_t end = part.row + part.rows;
    for (Part some = part; some.row < end; some.row += some.rows) {
      some.rows = std::min(rows_, end - some.row);
      const kernels::Dot problem{.operands = {in_parts(signal), in_parts(out), work_.loops, some},
                                 .taps = filters_.view().taps,
                                 .taps_count = work_.axis.filter,
                                 .signal_parts = parts_of(work_.signal_type),
                                 .filter_parts = parts_of(work_.filter_type),
                                 .step = work_.axis.step,
                                 .swapped = work_.swapped(),
                                 .partial = means.scratch};
      check_cuda(kernels::dot(problem, work_.compute_type(), blocks_, means.stream.handle()), "the dot kernel");
    }
  }

 private:
  // Blocks of the grid at most; the kernels loop over what is left.
  static constexpr std::int64_t kBlocksPerMultiprocessor = 32;

  static std::int64_t rows_at_once(std::int64_t rows, std::int64_t row_bytes) {
    return row_bytes == 0 ? rows : std::clamp<std::int64_t>(kScratchBytes / row_bytes, 1, rows);
  }

  Work work_;
  std::int64_t blocks_, row_bytes_, rows_;
  DeviceFilters filters_;
};

std::unique_ptr<Executor> make(Work const& w, Resources const& r, Parameters const& p) {
  return std::make_unique<DotOnDevice>(w, p.rows, current_device(), r.allocator);
}

// ---- what it costs -----------------------------------------------------------------------------------------------
// Instructions of a warp in the compiled kernels: for an item and its sums over the lanes, for what 32 taps take
// besides their products, for an output's sum of pieces and for 32 of those.
constexpr double kSlotsPerItem = 160, kSlotsPerTaps = 3, kSlotsPerOutput = 120, kSlotsPerPieces = 14;
constexpr double kSlotsPerFloat = 2, kSlotsPerDouble = 3, kSlotsPerInteger = 6;  // a product: loaded, added
constexpr double kSlotsPerStrided = 8;  // expected: of complex numbers, whose parts are read one by one

double seconds_on(CudaDevice const& device, Work const& w) {
  const Type compute = w.compute_type();
  const double product = is_complex(w.result_type)  ? kSlotsPerStrided
                         : compute == Type::float32 ? kSlotsPerFloat
                         : compute == Type::float64 ? kSlotsPerDouble
                                                    : kSlotsPerInteger;
  const auto element = static_cast<double>(size_of(compute));
  const auto rows = static_cast<double>(w.rows()), outputs = static_cast<double>(w.axis.outputs);
  const auto pieces = static_cast<double>(output_pieces(w));
  const double parts = parts_of(w.result_type);
  const double taps = static_cast<double>(w.products()) / static_cast<double>(kernels::dot_pieces(w.products()));
  const double group = std::min(outputs, static_cast<double>(kernels::kDotOutputs));
  const double items = parts * rows * std::ceil(outputs / kernels::kDotOutputs) * pieces;
  const double first = kernel_seconds({.warps = items,
                                       .slots = kSlotsPerItem + taps / 32 * (kSlotsPerTaps + group * product),
                                       .cached_bytes = 2 * items * taps * element,
                                       .bytes = array_bytes(w)},
                                      device);
  if (pieces == 1) return first;
  return first + kernel_seconds({.warps = parts * rows * outputs,
                                 .slots = kSlotsPerOutput + pieces / 32 * kSlotsPerPieces,
                                 .cached_bytes = parts * rows * outputs * pieces * element,
                                 .bytes = 0},
                                device);
}

}  // namespace

bool is_device_dot(Work const& w) {
  const std::int64_t terms = w.products(), outputs = w.axis.outputs;
  if (!w.extension.is_zero() || terms > kMostTerms) return false;
  if (w.axis.step == 1) return outputs <= std::min(kMostOutputs, terms / kTapsPerOutput);
  return (terms >= kTapsOfAWarp || w.axis.step >= kFarStep) && partial_bytes(w) <= kScratchBytes &&
         saturating_multiply(outputs * parts_of(w.result_type), output_pieces(w)) < kMostItems;
}

Answer consider_device_dot(Work const& w, Resources const& r) {
  return {.seconds = total_seconds(w, r, seconds_on(current_device(), w)), .parameters = {.dots = true}, .make = make};
}

}  // namespace gpuconv::detail

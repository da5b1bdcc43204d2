#include "cufft_blocks.hpp"

#include "cost.hpp"
#include "cufft.hpp"
#include "filters.hpp"

#include "../problem.hpp"

#include <algorithm>
#include <cmath>

namespace gpuconv::detail {
namespace {

constexpr std::int64_t kLargestFilter = std::int64_t{1} << 39;  // far beyond memory; keeps sizes from overflowing

// Slots of a chunk: as many as stay in the second-level cache between the passes, which it holds for a while.
constexpr double kCachePart = 0.5;
constexpr std::int64_t kLeastChunk = std::int64_t{8} << 20;

std::int64_t slots_of(std::int64_t blocks, double slot_bytes, CudaDevice const& device) {
  const double bytes = std::max(kCachePart * static_cast<double>(device.l2_cache), static_cast<double>(kLeastChunk));
  const auto most = static_cast<std::int64_t>(std::clamp(bytes / slot_bytes, 1.0, static_cast<double>(blocks)));
  const std::int64_t chunks = (blocks + most - 1) / most;
  return (blocks + chunks - 1) / chunks;  // all chunks much the same
}

// Expected, not measured: passes over memory of a transform, by the points that fit into shared memory at once.
double transform_passes(std::int64_t size) { return size <= 1 << 14 ? 1 : size <= 1 << 24 ? 2 : 3; }

// Bytes that go to memory and back for one row.
double row_traffic(Work const& w, Cut const& cut) {
  // Each block is written and read by gathering, multiplying, storing and each pass of both transforms.
  const double touched = 6 + 4 * transform_passes(cut.size);
  return touched * static_cast<double>(cut.blocks(w.axis.outputs)) * static_cast<double>(cut.size) *
         static_cast<double>(size_of(w.result_type));
}

template <class C>
class CufftBlocks final : public Executor {
 public:
  CufftBlocks(Work const& w, Parameters const& p, CudaDevice const& device, DeviceAllocator* allocator)
      : work_(w),
        cut_(p.cut),
        whole_rows_(p.blocks == Parameters::Blocks::whole_rows_by_cufft),
        pitch_(p.cut.size + 2),
        slots_(slots_of(
            saturating_multiply(p.rows > 0 ? std::min(p.rows, w.rows()) : w.rows(), p.cut.blocks(w.axis.outputs)),
            static_cast<double>(p.cut.size) * sizeof(C), device)),
        grid_(looping_grid(device)),
        filters_(w, p.cut.size / 2 + 1, 0, device, allocator) {
    constexpr bool is_double = std::is_same_v<C, double>;
    forward_ = std::make_unique<CufftPlan>(p.cut.size, pitch_, slots_, is_double, CufftPlan::Direction::forward);
    inverse_ = std::make_unique<CufftPlan>(p.cut.size, pitch_, slots_, is_double, CufftPlan::Direction::inverse);
    const double work = static_cast<double>(std::max(forward_->work_bytes(), inverse_->work_bytes()));
    cufft_at_ =
        static_cast<std::size_t>(aligned_bytes(static_cast<double>(slots_) * static_cast<double>(pitch_) * sizeof(C)));
    marks_at_ = cufft_at_ + static_cast<std::size_t>(aligned_bytes(work));
  }

  std::size_t own_bytes() const override { return filters_.bytes(); }
  std::size_t scratch_bytes() const override {
    return marks_at_ + static_cast<std::size_t>(aligned_bytes(static_cast<double>(slots_) * sizeof(unsigned)));
  }

  // Filters are blocks of their own: one each, at its start.
  void set_filter(Input const& filter, std::int64_t count, Means const& means) override {
    filters_.set(filter, count, means);
    const Loops each{.outer = {.count = count, .signal_moves = true, .filter_moves = true}, .inner = {}};
    const Part part{.row = 0, .rows = count, .samples = work_.axis.filter, .first = 0, .outputs = 1};
    kernels::BlockWork b =
        blocks_of({filters_.access(), {}, each, part}, {.size = cut_.size, .skip = 0, .step = 1}, means);
    b.sets_filter = true;
    for_chunks(b, [&] {
      check_cuda(kernels::gather_blocks(b, means.stream.handle()), "the kernel gather_blocks");
      forward_->execute(b.slots, cufft_memory(means), means.stream.handle());
      check_cuda(kernels::keep_spectra(b, means.stream.handle()), "the kernel keep_spectra");
    });
  }

  void run(Input const& signal, Output const& out, Part const& part, Means const& means) override {
    cudaStream_t stream = means.stream.handle();
    Cut cut = cut_;
    if (whole_rows_) cut.skip = part.first;  // a block starts where its row does
    kernels::BlockWork b = blocks_of({signal, out, work_.loops, part}, cut, means);
    for_chunks(b, [&] {
      check_cuda(kernels::gather_blocks(b, stream), "the kernel gather_blocks");
      forward_->execute(b.slots, cufft_memory(means), stream);
      check_cuda(kernels::multiply_spectra(b, stream), "the kernel multiply_spectra");
      inverse_->execute(b.slots, cufft_memory(means), stream);
      check_cuda(kernels::store_blocks(b, stream), "the kernel store_blocks");
      check_cuda(kernels::repair_blocks(b, stream), "the kernel repair_blocks");
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
            .marks = reinterpret_cast<unsigned*>(static_cast<char*>(means.scratch) + marks_at_),
            .sets_filter = false,
            .compute = type_of<C>,
            .grid = grid_};
  }
  template <class F>
  void for_chunks(kernels::BlockWork& b, F f) const {
    const std::int64_t total = b.operands.part.rows * b.row_blocks;
    for (std::int64_t begin = 0; begin < total; begin += slots_) {
      b.chunk = {.begin = begin, .count = std::min(slots_, total - begin), .slots = slots_};
      f();
    }
  }
  void* cufft_memory(Means const& means) const { return static_cast<char*>(means.scratch) + cufft_at_; }

  Work work_;
  Cut cut_;
  bool whole_rows_;
  std::int64_t pitch_, slots_;
  int grid_;
  DeviceFilters filters_;
  std::unique_ptr<CufftPlan> forward_, inverse_;
  std::size_t cufft_at_ = 0, marks_at_ = 0;  // in the scratch memory, after the slots
};

}  // namespace

Cut cufft_cut(Work const& w, std::int64_t smallest, std::int64_t largest) {
  return best_cut(doubling(smallest, largest), w.axis.filter, w.axis.outputs, 1,
                  [&](Cut const& cut) { return row_traffic(w, cut); });
}

// Circular output k of N points is full[k] + full[k + N]: right for every k of the slice if neither what is beyond the
// end nor the slice itself wraps into it.
Cut whole_row_cut(Axis const& a) {
  const std::int64_t needed = std::max({a.first + a.outputs, a.full() - a.first, a.signal, a.filter});
  return {.size = good_size(needed), .skip = a.first, .step = a.outputs};
}

double cufft_seconds(Work const& w, Cut const& cut, CudaDevice const& device) {
  const std::int64_t blocks = saturating_multiply(w.rows(), cut.blocks(w.axis.outputs));
  const double block_bytes = static_cast<double>(cut.size) * static_cast<double>(size_of(w.result_type));
  const double chunks =
      std::ceil(static_cast<double>(blocks) / static_cast<double>(slots_of(blocks, block_bytes, device)));
  constexpr int kLaunches = 6;
  return chunks * kLaunches * kLaunchSeconds +
         static_cast<double>(w.rows()) * row_traffic(w, cut) / (kCopyFraction * device.bytes_per_second);
}

namespace {

std::string integers_are_exact(Work const&) { return "integers are exact, which a floating-point transform is not"; }
std::string too_long(Work const&) { return "the filter or the signal is longer than 2^39 elements"; }
}  // namespace

std::string no_cufft(Work const&) { return why_no_cufft(); }

Refusal refuse_transform(Work const& w) {
  if (!is_floating(w.result_type)) return integers_are_exact;
  if (std::max(w.axis.filter, w.axis.signal) > kLargestFilter) return too_long;
  if (w.axis.step != 1) return steps_between_outputs;
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
  return visit_floating(w.result_type, [&]<class C>(std::type_identity<C>) -> std::unique_ptr<Executor> {
    return std::make_unique<CufftBlocks<C>>(w, p, device, allocator);
  });
}

}  // namespace gpuconv::detail

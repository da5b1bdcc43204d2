#include "block_method.hpp"

#include "cost.hpp"
#include "filters.hpp"

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
double row_traffic(Geometry const& g, CudaBlocks const& b) {
  // Each block is written and read by gathering, multiplying, storing and each pass of both transforms.
  const double touched = 6 + 4 * transform_passes(b.size);
  return touched * static_cast<double>(b.row_blocks) * static_cast<double>(b.size) *
         static_cast<double>(size_of(g.result_type));
}

template <class C>
class BlockMethod final : public CudaMethod {
 public:
  BlockMethod(Geometry const& g, CudaBlocks const& b, CudaDevice const& device, DeviceAllocator* allocator)
      : g_(g),
        blocks_(b),
        pitch_(b.size + 2),
        slots_(slots_for(g, b, device)),
        grid_(looping_grid(device)),
        filters_(g, b.size / 2 + 1, 0, device, allocator) {
    constexpr bool is_double = std::is_same_v<C, double>;
    forward_ = std::make_unique<CufftPlan>(b.size, pitch_, slots_, is_double, CufftPlan::Direction::forward);
    inverse_ = std::make_unique<CufftPlan>(b.size, pitch_, slots_, is_double, CufftPlan::Direction::inverse);
    const double work = static_cast<double>(std::max(forward_->work_bytes(), inverse_->work_bytes()));
    cufft_at_ = static_cast<std::size_t>(slot_bytes());
    marks_at_ = cufft_at_ + static_cast<std::size_t>(aligned_bytes(work));
  }

  std::size_t own_bytes() const override { return filters_.bytes(); }
  std::size_t scratch_bytes() const override {
    return marks_at_ + static_cast<std::size_t>(aligned_bytes(static_cast<double>(slots_) * sizeof(unsigned)));
  }

  void set_filter(kernels::Input filter, void* scratch, cudaStream_t stream) override {
    filters_.convert(filter, type_of<C>, stream);
    for (std::int64_t begin = 0; begin < g_.filters; begin += slots_) {
      const kernels::BlockWork work =
          work_of(scratch, {}, {.begin = begin, .count = std::min(slots_, g_.filters - begin), .slots = slots_});
      check_cuda(kernels::pad_filters(work, stream), "the kernel pad_filters");
      forward_->execute(work.slots, cufft_memory(scratch), stream);
      check_cuda(kernels::keep_spectra(work, stream), "the kernel keep_spectra");
    }
  }

  void run(kernels::Input signal, kernels::Output out, Piece const& piece, void* scratch,
           cudaStream_t stream) override {
    const std::int64_t total = piece.rows * row_blocks(piece);
    for (std::int64_t begin = 0; begin < total; begin += slots_) {
      const kernels::BlockWork work =
          work_of(scratch, piece, {.begin = begin, .count = std::min(slots_, total - begin), .slots = slots_});
      check_cuda(kernels::gather_blocks(work, signal, stream), "the kernel gather_blocks");
      forward_->execute(work.slots, cufft_memory(scratch), stream);
      check_cuda(kernels::multiply_spectra(work, stream), "the kernel multiply_spectra");
      inverse_->execute(work.slots, cufft_memory(scratch), stream);
      check_cuda(kernels::store_blocks(work, out, stream), "the kernel store_blocks");
      check_cuda(kernels::repair_blocks(work, signal, piece.first, out, stream), "the kernel repair_blocks");
    }
  }

 private:
  static std::int64_t slots_for(Geometry const& g, CudaBlocks const& b, CudaDevice const& device) {
    return slots_of(saturating_multiply(g.batch, b.row_blocks), static_cast<double>(b.size) * sizeof(C), device);
  }
  std::int64_t row_blocks(Piece const& piece) const { return (piece.length + blocks_.step - 1) / blocks_.step; }
  double slot_bytes() const {
    return aligned_bytes(static_cast<double>(slots_) * static_cast<double>(pitch_) * sizeof(C));
  }
  void* cufft_memory(void* scratch) const { return static_cast<char*>(scratch) + cufft_at_; }

  kernels::BlockWork work_of(void* scratch, Piece const& piece, kernels::Chunk const& chunk) const {
    const std::int64_t skip = blocks_.whole_rows ? piece.first : g_.filter - 1;
    kernels::BlockWork work{.filters = filters_.view(),
                            .blocks = {.size = blocks_.size,
                                       .pitch = pitch_,
                                       .start = piece.first - skip,
                                       .step = blocks_.step,
                                       .skip = skip,
                                       .row_blocks = row_blocks(piece),
                                       .length = piece.length},
                            .chunk = chunk,
                            .slots = scratch,
                            .marks = reinterpret_cast<unsigned*>(static_cast<char*>(scratch) + marks_at_),
                            .compute = type_of<C>,
                            .grid = grid_};
    work.filters.first_row = piece.first_row;
    return work;
  }

  Geometry g_;
  CudaBlocks blocks_;
  std::int64_t pitch_, slots_;
  int grid_;
  DeviceFilters filters_;
  std::unique_ptr<CufftPlan> forward_, inverse_;
  std::size_t cufft_at_ = 0, marks_at_ = 0;  // in the scratch memory, after the slots
};

}  // namespace

CudaBlocks overlapping_blocks(Geometry const& g, std::int64_t smallest, std::int64_t largest) {
  CudaBlocks best;
  double least = 0;
  for (std::int64_t size = smallest; size <= largest; size *= 2) {
    CudaBlocks b{.size = size, .step = size - (g.filter - 1)};
    b.row_blocks = (g.length + b.step - 1) / b.step;
    if (const double traffic = row_traffic(g, b); best.size == 0 || traffic < least) best = b, least = traffic;
    if (b.row_blocks == 1) break;
  }
  return best;
}

// Circular output k of N points is full[k] + full[k + N]: right for every k of the slice if neither what is beyond the
// end nor the slice itself wraps into it.
CudaBlocks whole_row_blocks(Geometry const& g) {
  const std::int64_t needed = std::max({g.first + g.length, g.full() - g.first, g.signal, g.filter});
  return {.size = good_size(needed), .step = g.length, .row_blocks = 1, .whole_rows = true};
}

double block_seconds(Geometry const& g, CudaBlocks const& b, CudaDevice const& device) {
  const std::int64_t blocks = saturating_multiply(g.batch, b.row_blocks);
  const double block_bytes = static_cast<double>(b.size) * static_cast<double>(size_of(g.result_type));
  const double chunks =
      std::ceil(static_cast<double>(blocks) / static_cast<double>(slots_of(blocks, block_bytes, device)));
  constexpr int kLaunches = 6;
  return chunks * kLaunches * kLaunchSeconds +
         static_cast<double>(g.batch) * row_traffic(g, b) / (kCopyFraction * device.bytes_per_second);
}

std::string refuse_transform(Geometry const& g) {
  if (!is_floating(g.result_type)) return "integers are exact, which a floating-point transform is not";
  if (std::max(g.filter, g.signal) > kLargestFilter) return "the filter or the signal is longer than 2^39 elements";
  return why_no_device();
}

std::string refuse_cufft(Geometry const& g) {
  if (std::string why = refuse_transform(g); !why.empty()) return why;
  return why_no_cufft();
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

std::unique_ptr<CudaMethod> make_block_method(Geometry const& g, CudaBlocks const& blocks, CudaDevice const& device,
                                              DeviceAllocator* allocator) {
  if (g.result_type == Type::float32) return std::make_unique<BlockMethod<float>>(g, blocks, device, allocator);
  return std::make_unique<BlockMethod<double>>(g, blocks, device, allocator);
}

}  // namespace gpuconv::detail

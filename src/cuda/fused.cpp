#include "fused.hpp"

#include "cost.hpp"
#include "filters.hpp"

#include "../core/published.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numbers>
#include <type_traits>
#include <utility>
#include <vector>

namespace gpuconv::detail {
namespace {

using kernels::FusedShape;

// Outputs of a block start where a warp's accesses do, if the row does.
constexpr std::int64_t kAligned = 32;

// Doubles take two cycles on a Hopper multiprocessor; seven in ten instructions are theirs.
constexpr double kSlotsADouble = 1.7;
// Bytes of tables and spectrum that stay in the first-level cache beside the shared memory of a Hopper multiprocessor:
// larger ones come from the second level for every block.
constexpr double kFirstLevelCache = 104 << 10;

// ---- tables ------------------------------------------------------------------------------------------------------
// Laid out as kernels/fused_shapes.hpp says. Angles are in turns.
template <class C>
class Tables {
 public:
  explicit Tables(FusedShape const& s) : table_(2 * static_cast<std::size_t>(s.table())) {
    for (int pass = 1; pass < s.passes; ++pass)
      for (int node = 0; node < s.nodes(pass); ++node)
        add_tree(s, s.split_table(pass), s.split_trees(pass), node, s.radix[pass],
                 (0.25L + reversed(node, s.nodes(pass))) / s.nodes(pass));
    for (int pass = 0; pass < s.last(); ++pass)
      for (int point = 0; point < s.stride(pass); ++point)
        add_tree(s, s.merge_table(pass), s.merge_trees(pass), point, s.radix[pass],
                 static_cast<long double>(point) / s.stride(pass));
    for (int thread = 0; thread < s.threads(); ++thread)
      for (int i = 0; i < (s.compact ? 1 : s.a_thread); ++i) {
        const int point = thread + s.threads() * (i / s.radix[0]) + s.stride(0) * (i % s.radix[0]);
        put(s.weight_table(), s.threads(), thread, i, 0.25L * point / s.points);
      }
  }

  std::vector<C> const& get() const { return table_; }

 private:
  static int reversed(int i, int count) {
    int r = 0;
    for (int bit = 1; bit < count; bit *= 2, i /= 2) r = 2 * r + i % 2;
    return r;
  }

  // Number `i` of those that one thread reads, which are `threads` packs apart: exp(2 pi i turns).
  void put(int table, int threads, int thread, int i, long double turns) {
    using W = std::conditional_t<std::is_same_v<C, float>, double, long double>;
    constexpr int pack = 16 / static_cast<int>(2 * sizeof(C));
    const auto at = 2 * static_cast<std::size_t>(table + (i / pack * threads + thread) * pack + i % pack);
    const W angle = 2 * std::numbers::pi_v<W> * static_cast<W>(turns);
    table_[at] = static_cast<C>(std::cos(angle)), table_[at + 1] = static_cast<C>(std::sin(angle));
  }

  // See twiddle_tree.hpp.
  void add_tree(FusedShape const& s, int table, int trees, int tree, int radix, long double turns) {
    put(table, trees, tree, 0, turns / 2);
    int level = 1;
    for (int half = 1; half < radix / 2; half *= 2, ++level)
      for (int j = 0; j < (s.compact ? 1 : half); ++j)
        put(table, trees, tree, s.compact ? level : half + j, (turns + j) / (4 * half));
  }

  std::vector<C> table_;
};

// One for each shape, made when first wanted and kept.
template <class C>
std::vector<C> const& table_of(FusedShape const& shape) {
  constexpr auto shapes = kernels::fused_shapes(type_of<C>);
  static constinit std::array<MadeOnce<Tables<C>>, shapes.size()> all;
  const auto index = static_cast<std::size_t>(&shape - shapes.data());
  return all[index].get([&] { return std::make_unique<const Tables<C>>(shape); }).get();
}

// ---- the method --------------------------------------------------------------------------------------------------
template <class C>
class Fused final : public CudaMethod {
 public:
  Fused(Geometry const& g, FusedBlocks const& b, CudaDevice const& device, DeviceAllocator* allocator)
      : g_(g),
        blocks_(b),
        filters_(g, b.shape->points, aligned_bytes(2.0 * b.shape->table() * sizeof(C)), device, allocator) {
    check_cuda(kernels::prepare_fused(type_of<C>, *b.shape), "cudaFuncSetAttribute");
    std::vector<C> const& table = table_of<C>(*b.shape);
    check_cuda(
        cudaMemcpyAsync(filters_.more(), table.data(), table.size() * sizeof(C), cudaMemcpyHostToDevice, nullptr),
        "cudaMemcpyAsync");
    check_cuda(cudaStreamSynchronize(nullptr), "cudaStreamSynchronize");
  }

  std::size_t own_bytes() const override { return filters_.bytes(); }
  std::size_t scratch_bytes() const override { return 0; }

  void set_filter(kernels::Input filter, void*, cudaStream_t stream) override {
    filters_.convert(filter, type_of<C>, stream);
    kernels::Fused problem{};
    problem.signal = {filters_.view().taps, type_of<C>, g_.filter, g_.filter};
    problem.filters = filters_.view();
    problem.filters.per_row = 1;
    problem.row_blocks = 1;
    problem.sets_filter = true;
    launch(problem, g_.filters, stream);
  }

  void run(kernels::Input signal, kernels::Output out, Piece const& piece, void*, cudaStream_t stream) override {
    kernels::Fused problem{};
    problem.signal = signal;
    problem.out = out;
    problem.filters = filters_.view();
    problem.filters.first_row = piece.first_row;
    problem.start = piece.first - blocks_.skip;
    problem.first = piece.first;
    problem.length = piece.length;
    problem.row_blocks = static_cast<unsigned>((piece.length + blocks_.step - 1) / blocks_.step);
    problem.step = blocks_.step;
    problem.skip = blocks_.skip;
    launch(problem, piece.rows, stream);
  }

 private:
  // All blocks of `rows` rows, in as many launches as it takes.
  void launch(kernels::Fused problem, std::int64_t rows, cudaStream_t stream) {
    problem.tables = filters_.more();
    auto* const signal = static_cast<char const*>(problem.signal.data);
    auto* const out = static_cast<char*>(problem.out.data);
    const auto sample = static_cast<std::int64_t>(size_of(problem.signal.type));
    const std::int64_t first_row = problem.filters.first_row, most = blocks_.most / problem.row_blocks;
    for (std::int64_t row = 0; row < rows; row += most) {
      problem.blocks = static_cast<unsigned>(std::min(rows - row, most)) * problem.row_blocks;
      problem.signal.data = signal + row * problem.signal.stride * sample;
      problem.out.data = out + row * problem.out.stride * static_cast<std::int64_t>(sizeof(C));
      problem.filters.first_row = first_row + row;
      check_cuda(kernels::fused(problem, type_of<C>, *blocks_.shape, stream), "the fused kernel");
    }
  }

  Geometry g_;
  FusedBlocks blocks_;
  DeviceFilters filters_;
};

}  // namespace

FusedBlocks fused_blocks(FusedShape const& shape, std::int64_t filter) {
  const std::int64_t skip = (filter - 1 + kAligned - 1) / kAligned * kAligned;
  if (skip + kAligned > shape.size()) return {};
  return {.shape = &shape, .step = static_cast<int>(shape.size() - skip), .skip = static_cast<int>(skip)};
}

double fused_seconds(Geometry const& g, FusedBlocks const& b, CudaDevice const& device) {
  const Type type = g.compute_type();
  const auto element = static_cast<double>(size_of(type)), rows = static_cast<double>(g.batch);
  FusedShape const& s = *b.shape;
  const double blocks = rows * std::ceil(static_cast<double>(g.length) / b.step);
  const double tables = 2 * element * (s.table() + s.points), samples = element * (s.size() + b.step);
  return kernel_seconds({.warps = std::ceil(blocks * s.threads() / 32),
                         .slots = type == Type::float64 ? kSlotsADouble * s.slots : s.slots,
                         .cached_bytes = blocks * (samples + (tables > kFirstLevelCache ? tables : 0)),
                         .bytes = rows * static_cast<double>(g.signal + g.length) * element},
                        device);
}

FusedBlocks fused_blocks(Geometry const& g, CudaDevice const& device) {
  const Type type = g.compute_type();
  FusedBlocks best;
  double least = 0;
  for (FusedShape const& shape : kernels::fused_shapes(type)) {
    const FusedBlocks b = fused_blocks(shape, g.filter);
    if (!b.shape || static_cast<std::int64_t>(kernels::fused_shared_bytes(type, shape)) > device.shared_memory)
      continue;
    if ((g.length + b.step - 1) / b.step > kernels::kMostFusedBlocks) continue;
    const double seconds = fused_seconds(of_many_rows(g), b, device);
    if (!best.shape || seconds < least) best = b, least = seconds;
  }
  return best;
}

std::unique_ptr<CudaMethod> make_fused_method(Geometry const& g, FusedBlocks const& blocks, CudaDevice const& device,
                                              DeviceAllocator* allocator) {
  if (g.result_type == Type::float32) return std::make_unique<Fused<float>>(g, blocks, device, allocator);
  return std::make_unique<Fused<double>>(g, blocks, device, allocator);
}

}  // namespace gpuconv::detail

#include "fused.hpp"

#include "cost.hpp"
#include "filters.hpp"

#include "../core/published.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <numbers>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

namespace gpuconv::detail {
namespace {

using kernels::FusedShape;

// Outputs of a block start where a warp's accesses do, if the row does.
constexpr std::int64_t kAligned = 32;

// Doubles take two cycles on a Hopper multiprocessor; seven in ten instructions are theirs.
constexpr double kSlotsPerDouble = 1.7;
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
      for (int i = 0; i < (s.compact ? 1 : s.per_thread); ++i) {
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

// ---- the executor ------------------------------------------------------------------------------------------------
FusedShape const& shape_of(Work const& w, Cut const& cut) {
  const auto shapes = kernels::fused_shapes(w.compute_type());
  return *std::ranges::find_if(shapes, [&](FusedShape const& s) { return fused_block(s, w.result_type) == cut.size; });
}

// Whether complex elements, in parts, can be read or written as whole ones.
template <class C, class Void>
bool is_whole(Access<Void> const& access) {
  return access.type == type_of<C> && access.imaginary == 1 && access.stride == 2 && access.every == 1 &&
         reinterpret_cast<std::uintptr_t>(access.data) % (2 * sizeof(C)) == 0;
}

template <class C>
class FusedBlocks final : public Executor {
 public:
  FusedBlocks(Work const& w, Cut const& cut, CudaDevice const& device, DeviceAllocator* allocator, std::int64_t most)
      : work_(w),
        cut_(cut),
        most_(most),
        shape_(shape_of(w, cut)),
        filters_(w, shape_.points, aligned_bytes(2.0 * shape_.table() * sizeof(C)), device, allocator) {
    check_cuda(kernels::prepare_fused(type_of<C>, shape_), "cudaFuncSetAttribute");
    std::vector<C> const& table = table_of<C>(shape_);
    const OwnStream stream;  // not the default one, which another thread's capture may forbid
    check_cuda(
        cudaMemcpyAsync(filters_.more(), table.data(), table.size() * sizeof(C), cudaMemcpyHostToDevice, stream.get()),
        "cudaMemcpyAsync");
    check_cuda(cudaStreamSynchronize(stream.get()), "cudaStreamSynchronize");
  }

  std::size_t own_bytes() const override { return filters_.bytes(); }
  std::size_t scratch_bytes() const override { return 0; }

  void set_filter(Input const& filter, std::int64_t count, Means const& means) override {
    filters_.set(filter, count, means);
    launch(filters_.as_signals(count), {.size = cut_.size, .skip = 0, .step = 1}, true, means);
  }

  void run(Input const& signal, Output const& out, Part const& part, Means const& means) override {
    launch({in_parts(signal), in_parts(out), work_.loops, part}, cut_, false, means);
  }

 private:
  // All blocks of the part, in as many launches as it takes.
  void launch(kernels::Operands const& operands, Cut const& cut, bool sets_filter, Means const& means) {
    kernels::Fused problem{.operands = operands,
                           .filters = filters_.view(),
                           .tables = filters_.more(),
                           .blocks = 0,
                           .row_blocks = static_cast<unsigned>(cut.blocks(operands.part.outputs)),
                           .step = static_cast<int>(cut.step),
                           .skip = static_cast<int>(cut.skip),
                           .sets_filter = sets_filter,
                           .complex = is_complex(work_.result_type),
                           .whole_in = is_whole<C>(operands.signal),
                           .whole_out = is_whole<C>(operands.out)};
    Part& part = problem.operands.part;
    const std::int64_t most = most_ / problem.row_blocks, end = part.row + part.rows;
    for (; part.row < end; part.row += part.rows) {
      part.rows = std::min(end - part.row, most);
      problem.blocks = static_cast<unsigned>(part.rows) * problem.row_blocks;
      check_cuda(kernels::fused(problem, type_of<C>, shape_, means.stream.handle()), "the fused kernel");
    }
  }

  Work work_;
  Cut cut_;
  std::int64_t most_;
  FusedShape const& shape_;
  DeviceFilters filters_;
};

}  // namespace

std::int64_t fused_block(FusedShape const& shape, Type result) {
  return is_complex(result) ? shape.points : shape.size();
}

Cut fused_cut(FusedShape const& shape, Type result, std::int64_t taps) {
  return overlapping(fused_block(shape, result), taps, kAligned);
}

double fused_seconds(Work const& w, Cut const& cut, CudaDevice const& device) {
  const Type type = w.compute_type();
  const auto element = static_cast<double>(size_of(type)), rows = static_cast<double>(w.rows());
  const double parts = parts_of(w.result_type);
  FusedShape const& s = shape_of(w, cut);
  const double blocks = rows * static_cast<double>(cut.blocks(w.axis.outputs));
  const double tables = 2 * element * (s.table() + s.points),
               samples = parts * element * static_cast<double>(cut.size + cut.step);
  return kernel_seconds({.warps = std::ceil(blocks * s.threads() / 32),
                         .slots = type == Type::float64 ? kSlotsPerDouble * s.slots : s.slots,
                         .cached_bytes = blocks * (samples + (tables > kFirstLevelCache ? tables : 0)),
                         .bytes = rows * static_cast<double>(w.axis.signal + w.axis.outputs) * parts * element},
                        device);
}

Cut fused_cut(Work const& w, CudaDevice const& device) {
  const Type type = w.compute_type();
  const auto sizes = kernels::fused_shapes(type) |
                     std::views::transform([&](FusedShape const& s) { return fused_block(s, w.result_type); });
  return best_cut(sizes, w.axis.filter, w.axis.outputs, kAligned, [&](Cut const& cut) {
    const auto shared = static_cast<std::int64_t>(kernels::fused_shared_bytes(type, shape_of(w, cut)));
    if (shared > device.shared_memory || cut.blocks(w.axis.outputs) > kernels::kMostFusedBlocks)
      return std::numeric_limits<double>::infinity();
    return fused_seconds(of_many_rows(w), cut, device);
  });
}

std::unique_ptr<Executor> make_fused(Work const& w, Cut const& cut, CudaDevice const& device,
                                     DeviceAllocator* allocator, std::int64_t most) {
  return visit_floating(w.compute_type(), [&]<class C>(std::type_identity<C>) -> std::unique_ptr<Executor> {
    return std::make_unique<FusedBlocks<C>>(w, cut, device, allocator, most);
  });
}

}  // namespace gpuconv::detail

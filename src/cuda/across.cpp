#include "across.hpp"

#include "runtime.hpp"

#include "../../kernels/launch.hpp"
#include "../problem.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace gpuconv::detail {
namespace {

constexpr std::int64_t kLargestChunk = std::int64_t{1} << 28;  // bytes, of rows that cannot be cut shorter
constexpr std::size_t kSector = 32;                            // bytes
constexpr std::int64_t kAlignedElements = 32;                  // rows begin where a warp's accesses do

std::int64_t bytes_of(Type type) { return static_cast<std::int64_t>(size_of(type)); }

std::int64_t bytes_of_signals(Work const& w, AcrossChunk const& c) {
  return saturating_multiply(c.signals, rounded_up(c.samples, kAlignedElements) * bytes_of(w.signal_type));
}
std::int64_t bytes_of_outputs(Work const& w, AcrossChunk const& c) {
  return saturating_multiply(c.rows, rounded_up(c.outputs, kAlignedElements) * bytes_of(w.result_type));
}
std::int64_t bytes_of(Work const& w, AcrossChunk const& c) {
  const std::int64_t in = bytes_of_signals(w, c), out = bytes_of_outputs(w, c);
  return in > INT64_MAX - out ? INT64_MAX : in + out;
}

/// The loops over some rows: some turns of the outer one, or of the inner one some in one turn of the outer one.
Loops loops_over(Loops loops, std::int64_t rows) {
  loops.outer.count = std::max<std::int64_t>(1, rows / loops.inner.count);
  loops.inner.count = std::min(rows, loops.inner.count);
  return loops;
}

/// Whole rows, as many as `rows` says or as make whole turns of the outer loop.
AcrossChunk whole_rows(Work const& w, std::int64_t rows) {
  const Loops loops = loops_over(w.loops, rows);
  return {.rows = loops.rows(), .signals = loops.signals(), .outputs = w.axis.outputs, .samples = w.axis.signal};
}

// Where a row can be cut without a change of its bits: between the blocks of overlap-save, and anywhere in direct sums.
// Unit 0: nowhere.
Cut cuts_of(Work const& w, Parameters const& p) {
  using Blocks = Parameters::Blocks;
  if (p.exchanged || p.dots || w.axis.step != 1) return {};
  if (p.tile.lanes > 0) return {.skip = w.axis.filter - 1, .step = p.tile.width()};
  return p.blocks == Blocks::fused || p.blocks == Blocks::by_cufft ? p.cut : Cut{};
}

AcrossChunk cut_rows(Work const& w, std::int64_t rows, Cut const& cut, std::int64_t budget) {
  AcrossChunk chunk = whole_rows(w, rows);
  const std::int64_t in = chunk.signals * bytes_of(w.signal_type), out = chunk.rows * bytes_of(w.result_type);
  const std::int64_t fitting = (budget - cut.skip * in) / (in + out);
  // No fewer outputs than samples before them.
  const std::int64_t outputs = std::max(rounded_down(std::max<std::int64_t>(fitting, 0), cut.step),
                                        rounded_up(std::max<std::int64_t>(cut.skip, 1), cut.step));
  if (outputs >= w.axis.outputs) return chunk;
  chunk.outputs = outputs, chunk.samples = outputs + cut.skip;
  chunk.whole_rows = false, chunk.lead = cut.skip, chunk.unit = cut.step;
  return chunk;
}

// ---- the executor ------------------------------------------------------------------------------------------------
/// Rows in the order in which they lie in memory: neighbours, and groups of those. In a chunk they are numbered in the
/// order of the work.
struct Order {
  struct Step {
    std::int64_t count = 1, elements = 0, numbers = 0;  // from one to the next: elements of memory, rows of a chunk
  };
  Step rows, groups;

  /// Of rows that the two loops move so.
  template <class Void>
  Order(Access<Void> const& a, std::int64_t outer, std::int64_t inner)
      : rows{inner, a.inner, 1}, groups{outer, a.outer, inner} {
    if (outer > 1 && inner > 1 && a.outer == a.inner * inner) rows.count *= outer, groups = {};  // are one loop
    const bool outer_is_nearer = groups.count > 1 && distance(groups.elements) < distance(rows.elements);
    if (rows.count == 1 || outer_is_nearer) std::swap(rows, groups);
  }

  /// Whether accesses that go along the rows waste sectors which neighbours share.
  template <class Void>
  bool wastes_sectors(Access<Void> const& a) const {
    return rows.count > 1 && lies_across(rows.elements, a.stride) &&
           distance(rows.elements) < kSector / size_of(a.type);
  }
};

Order order_of(Input const& signal, Loops const& loops) {
  return {signal, loops.outer.signal_moves ? loops.outer.count : 1, loops.inner.signal_moves ? loops.inner.count : 1};
}
Order order_of(Output const& out, Loops const& loops) { return {out, loops.outer.count, loops.inner.count}; }

class AcrossExecutor final : public Executor {
 public:
  AcrossExecutor(Work const& w, AcrossChunk const& chunk, std::unique_ptr<Executor> inner)
      : work_(w),
        chunk_(chunk),
        inner_(std::move(inner)),
        in_pitch_(rounded_up(chunk.samples, kAlignedElements)),
        out_pitch_(rounded_up(chunk.outputs, kAlignedElements)),
        out_at_(aligned(bytes_of_signals(w, chunk))),
        inner_at_(out_at_ + aligned(bytes_of_outputs(w, chunk))) {
    for (const Type type : {w.signal_type, w.result_type})
      check_cuda(kernels::load_transpose(static_cast<int>(size_of(type))), "cudaFuncGetAttributes");
  }

  std::size_t own_bytes() const override { return inner_->own_bytes(); }
  std::size_t scratch_bytes() const override { return inner_at_ + inner_->scratch_bytes(); }

  void set_filter(Input const& filter, std::int64_t count, Means const& means) override {
    inner_->set_filter(filter, count, for_inner(means));
  }

  void run(Input const& signal, Output const& out, Part const& part, Means const& means) override {
    const Loops most = loops_over(work_.loops, chunk_.rows);
    const bool in = chunk_.rows > 0 && order_of(signal, most).wastes_sectors(signal);
    const bool back = chunk_.rows > 0 && order_of(out, most).wastes_sectors(out);
    if (!in && !back) return inner_->run(signal, out, part, for_inner(means));
    const std::int64_t inner = work_.loops.inner.count, end = part.row + part.rows;
    const std::int64_t outputs = chunk_.whole_rows ? part.outputs : chunk_.outputs;
    for (Part some = part; some.row < end; some.row += some.rows) {
      some.rows = std::min(chunk_.rows, end - some.row);
      if (some.row % inner != 0 || some.rows < inner)  // in one turn of the outer loop
        some.rows = std::min(some.rows, inner - some.row % inner);
      else some.rows = rounded_down(some.rows, inner);
      for (std::int64_t o = 0; o < part.outputs; o += outputs) {
        some.samples = part.samples, some.first = part.first + o;
        some.outputs = std::min(outputs, part.outputs - o);
        const Input from = in ? moved_here(signal, some, means) : signal;
        inner_->run(from, back ? here(out, some, means) : advanced(out, o * out.stride), some, for_inner(means));
        if (back) move_back(out, some, o, means);
      }
    }
  }

 private:
  static std::size_t aligned(std::int64_t bytes) {
    return static_cast<std::size_t>(aligned_bytes(static_cast<double>(bytes)));
  }
  Means for_inner(Means const& means) const { return {static_cast<char*>(means.scratch) + inner_at_, means.stream}; }

  void move(kernels::Transpose const& t, Type type, Means const& means) const {
    check_cuda(kernels::transpose(t, static_cast<int>(size_of(type)), means.stream.handle()), "the kernel transpose");
  }

  // The samples that `part` needs, one row behind the other; the part becomes that of them.
  Input moved_here(Input const& signal, Part& part, Means const& means) const {
    const Loops& loops = work_.loops;
    const Order order = order_of(signal, loops_over(loops, part.rows));
    const std::int64_t size = part.samples;
    std::int64_t begin = 0, end = size;
    if (!chunk_.whole_rows) {
      begin = part.first - chunk_.lead;
      end = part.first + rounded_up(part.outputs, chunk_.unit);
      // What is not there is not moved; at least one sample is.
      if (signal.extension.is_zero()) begin = std::clamp<std::int64_t>(begin, 0, size - 1);
      if (signal.extension.is_zero()) end = std::clamp(end, begin + 1, size);
    }
    kernels::Transpose t{.from = advanced(signal, signal.offset(loops, part.row)).data,
                         .to = means.scratch,
                         .from_row = order.rows.elements,
                         .from_element = signal.stride,
                         .to_row = order.rows.numbers * in_pitch_,
                         .to_element = 1,
                         .rows = order.rows.count,
                         .first = begin,
                         .columns = end - begin,
                         .groups = order.groups.count,
                         .from_group = order.groups.elements,
                         .to_group = order.groups.numbers * in_pitch_,
                         .from_across = true,
                         .beyond = begin < 0 || end > size,
                         .size = size,
                         .extension = signal.extension,
                         .constant = {}};
    visit_part(signal.type, [&]<class P>(std::type_identity<P>) {
      const P constant = static_cast<P>(signal.extension.constant);
      std::memcpy(t.constant, &constant, sizeof constant);
    });
    move(t, signal.type, means);
    part.samples = end - begin, part.first -= begin;
    Input here = signal;
    here.data = means.scratch, here.stride = 1;
    here.inner = loops.inner.signal_moves ? in_pitch_ : 0;
    here.outer = !loops.outer.signal_moves ? 0 : in_pitch_ * (loops.inner.signal_moves ? loops.inner.count : 1);
    if (!chunk_.whole_rows) here.extension = {};
    return advanced(here, -here.offset(loops, part.row));
  }

  // Where the part's outputs are computed.
  Output here(Output const& out, Part const& part, Means const& means) const {
    Output here = out;
    here.data = static_cast<char*>(means.scratch) + out_at_, here.stride = 1;
    here.outer = out_pitch_ * work_.loops.inner.count, here.inner = out_pitch_;
    return advanced(here, -here.offset(work_.loops, part.row));
  }

  // Outputs from `o` on to their place.
  void move_back(Output const& out, Part const& part, std::int64_t o, Means const& means) const {
    const Output to = advanced(out, out.offset(work_.loops, part.row) + o * out.stride);
    const Order order = order_of(out, loops_over(work_.loops, part.rows));
    move({.from = static_cast<char*>(means.scratch) + out_at_,
          .to = to.data,
          .from_row = order.rows.numbers * out_pitch_,
          .from_element = 1,
          .to_row = order.rows.elements,
          .to_element = out.stride,
          .rows = order.rows.count,
          .first = 0,
          .columns = part.outputs,
          .groups = order.groups.count,
          .from_group = order.groups.numbers * out_pitch_,
          .to_group = order.groups.elements,
          .from_across = false,
          .beyond = false,
          .size = part.outputs,
          .extension = {},
          .constant = {}},
         out.type, means);
  }

  Work work_;
  AcrossChunk chunk_;
  std::unique_ptr<Executor> inner_;
  std::int64_t in_pitch_, out_pitch_;  // elements from row to row
  std::size_t out_at_, inner_at_;      // in the scratch memory
};

}  // namespace

AcrossChunk across_chunk(Work const& w, Parameters const& p, std::int64_t budget) {
  const std::int64_t rows = w.rows(), inner = w.loops.inner.count;
  if (rows == 1) return {};
  const std::int64_t neighbours = w.loops.inner.signal_moves ? inner : rows;
  const std::int64_t tile = std::min<std::int64_t>(neighbours, kernels::kMostTileRows);
  const AcrossChunk turn = whole_rows(w, inner);  // one of the outer loop
  std::int64_t fitting = std::min(rows, saturating_multiply(budget / bytes_of(w, turn), inner));
  if (fitting == 0) fitting = budget / bytes_of(w, whole_rows(w, 1));
  if ((inner == 1 || fitting < inner) && fitting > tile && fitting < rows) fitting = rounded_down(fitting, tile);
  if (fitting >= tile) return whole_rows(w, fitting);
  if (const AcrossChunk few = whole_rows(w, tile); bytes_of(w, few) <= budget) return few;
  if (const Cut cut = cuts_of(w, p); cut.step > 0)
    if (const AcrossChunk cut_short = cut_rows(w, tile, cut, budget); bytes_of(w, cut_short) <= kLargestChunk)
      return cut_short;
  const auto sector = static_cast<std::int64_t>(kSector / std::min(size_of(w.signal_type), size_of(w.result_type)));
  const AcrossChunk least = whole_rows(w, std::min(neighbours, std::max(sector, fitting)));
  return bytes_of(w, least) <= kLargestChunk ? least : AcrossChunk{};
}

std::unique_ptr<Executor> make_across(Work const& w, AcrossChunk const& chunk, std::unique_ptr<Executor> inner) {
  return std::make_unique<AcrossExecutor>(w, chunk, std::move(inner));
}

}  // namespace gpuconv::detail

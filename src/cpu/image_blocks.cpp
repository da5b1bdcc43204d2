// Convolution of images by blocks of two dimensions. A block is `lines` lines of `pitch` samples one behind the other:
// a signal of one dimension. A filter whose lines lie as far apart, with zeros between them, makes its convolution that
// of two dimensions (Kronecker's substitution), but for the first columns of a line, which see the end of the line
// before it, and for the first lines. They are skipped as what wraps around is in one dimension. So one transform of
// one dimension does what row and column transforms would, in as many operations, and nothing is transposed.
#include "block_executor.hpp"
#include "cost.hpp"
#include "image_sums.hpp"
#include "images.hpp"

#include "../core/thread_pool.hpp"
#include "../problem.hpp"

#include <algorithm>
#include <limits>
#include <vector>

namespace gpuconv::detail {
namespace {

// ---- how outputs are cut -----------------------------------------------------------------------------------------
/// Blocks of `lines` x `pitch` samples, `size` in all, of whose outputs the first `skipped` of a line and the first
/// lines of the filter but one are dropped.
struct ImageCut {
  std::int64_t size = 0, pitch = 0, lines = 0, skipped = 0;  // skipped: whole vectors

  std::int64_t columns() const { return pitch - skipped; }  // outputs of a line
  std::int64_t rows(Work const& w) const { return lines - (w.lines.filter - 1); }
  std::int64_t across(Work const& w) const { return (w.axis.outputs + columns() - 1) / columns(); }
  std::int64_t down(Work const& w) const { return (w.lines.outputs + rows(w) - 1) / rows(w); }
  std::int64_t blocks(Work const& w) const { return across(w) * down(w); }
  /// Samples before the first output in the block that is kept.
  std::int64_t before(Work const& w) const { return (w.lines.filter - 1) * pitch + skipped; }
};

struct ImageChoice {
  ImageCut cut;
  double seconds = std::numeric_limits<double>::infinity();  // of one image, on one thread
};

constexpr std::int64_t kLargest = std::int64_t{1} << 22;  // samples of a block
constexpr std::int64_t kMostAcross = 200;                 // blocks in a line of them
constexpr double kMovedLine = 2e-8;                       // seconds per line of a block: in, and out again

/// The cut of least cost. It follows the image and not the batch, so that an image's bits do not depend on that.
template <class C>
ImageChoice choose(Work const& w, BlockSeconds block) {
  const std::int64_t lanes = simd_target().kernels<C>().lanes;
  const auto whole = [&](std::int64_t n) { return rounded_up(n, lanes); };
  ImageChoice best;
  for (std::int64_t size = 2 * RightAngleTransform<C>::smallest(); size <= kLargest; size *= 2) {
    const double samples = block(size, type_of<C>);
    for (std::int64_t across = 1; across <= std::min(kMostAcross, w.axis.outputs); ++across) {
      ImageCut cut{.size = size, .skipped = whole(w.axis.filter - 1)};
      cut.pitch = whole((w.axis.outputs + across - 1) / across + cut.skipped);
      cut.lines = std::min(size / cut.pitch, w.lines.outputs + w.lines.filter - 1);
      if (cut.rows(w) <= 0) continue;
      const double one = samples + kMovedLine * static_cast<double>(cut.lines);
      const double seconds = one * static_cast<double>(cut.blocks(w));
      if (seconds < best.seconds) best = {cut, seconds};
    }
    if (best.cut.size > 0 && best.cut.blocks(w) == 1) break;
  }
  return best;
}

/// What a block is in one dimension: one of its filters, of which a part's row is the number.
template <class C>
Work one_dimension(Work const& w, ImageCut const& cut) {
  const std::int64_t before = cut.before(w);
  return {.axis = {.signal = cut.size, .filter = before + 1, .first = before, .outputs = cut.size - before},
          .loops = {.outer = {.count = w.filters(), .signal_moves = false, .filter_moves = true}, .inner = {}},
          .signal_type = type_of<C>,
          .filter_type = type_of<C>,
          .result_type = type_of<C>};
}

// ---- the executor ------------------------------------------------------------------------------------------------
/// Blocks with values that are not finite are summed plainly, for zeros between a filter's lines would make NaN of
/// them; so is all of an image whose filter has such taps.
template <class C>
class ImageBlocks final : public Executor {
 public:
  ImageBlocks(Work const& w, ImageCut const& cut, int threads)
      : work_(w),
        cut_(cut),
        threads_(threads),
        inner_(one_dimension<C>(w, cut), inner_cut(w, cut), 1),
        plain_(w, 1),
        taps_(w.filters() * (cut.before(w) + 1)) {}

  static double bytes(Work const& w, ImageCut const& cut, int threads) {
    const double size = static_cast<double>(cut.size), taps = static_cast<double>(cut.before(w) + 1);
    return static_cast<double>(w.filters()) * (2 * taps + size) * sizeof(C) + threads * 6 * size * sizeof(C) +
           (threads + 1) * ImageSums<C>::bytes(w, 1);
  }

  std::size_t own_bytes() const override { return inner_.own_bytes() + plain_.own_bytes() + taps_.bytes(); }
  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(threads_) * slot_bytes(); }

  void set_filter(Input const& filter, std::int64_t count, Means const& means) override {
    plain_.set_filter(filter, count, means);
    const std::int64_t taps = cut_.before(work_) + 1;
    std::fill_n(taps_.data(), count * taps, C(0));
    for (std::int64_t l = 0; l < work_.lines.filter; ++l) {
      const Source<C> line(at_line(filter, l), {});
      line.load_rows(0, count, work_.axis.filter, taps_.data() + l * cut_.pitch, taps);
    }
    inner_.set_filter({.data = taps_.data(), .type = type_of<C>, .outer = taps}, count,
                      {.scratch = slot(means.scratch, 0).inner});
  }

  void run(Input const& signal, Output const& out, Part const& part, Means const& means) override {
    const std::int64_t across = cut_.across(work_), blocks = cut_.blocks(work_);
    const auto task = [&](std::int64_t i, int number) {
      const std::int64_t b = i % blocks, line = b / across * cut_.rows(work_), o = b % across * cut_.columns();
      const Block block{part.row + i / blocks,
                        line,
                        std::min(cut_.rows(work_), work_.lines.outputs - line),
                        o,
                        std::min(cut_.columns(), part.outputs - o),
                        slot(means.scratch, number)};
      run_block(signal, out, part, block);
    };
    parallel_for(blocks * part.rows, threads_, task);
  }

 private:
  struct Slot {
    C *in, *out;
    void *inner, *plain;
  };
  struct Block {
    std::int64_t row, line, lines, first, count;  // row of the work; its output lines, and outputs of them
    Slot memory;
  };

  static Cut inner_cut(Work const& w, ImageCut const& cut) {
    const std::int64_t before = cut.before(w);
    return {cut.size, before, cut.size - before};
  }
  std::size_t block_bytes() const { return whole_pages(static_cast<std::size_t>(cut_.size) * sizeof(C)); }
  std::size_t slot_bytes() const {
    return 2 * block_bytes() + whole_pages(inner_.scratch_bytes()) + whole_pages(plain_.scratch_bytes());
  }
  Slot slot(void* scratch, int number) const {
    char* const memory = static_cast<char*>(scratch) + static_cast<std::size_t>(number) * slot_bytes();
    char* const inner = memory + 2 * block_bytes();
    return {.in = reinterpret_cast<C*>(memory),
            .out = reinterpret_cast<C*>(memory + block_bytes()),
            .inner = inner,
            .plain = inner + whole_pages(inner_.scratch_bytes())};
  }

  void run_block(Input const& signal, Output const& out, Part const& part, Block const& b) {
    const std::int64_t f = work_.loops.filter_of(b.row), before = cut_.before(work_);
    if (plain_.is_finite(f)) load(signal, part, b);
    if (!plain_.is_finite(f) || !all_finite(b.memory.in, cut_.size)) {
      plain_.run_block(signal, out, part, b.row, b.line, b.line + b.lines, b.first, b.count, b.memory.plain);
      return;
    }
    const Part one{.row = f, .rows = 1, .samples = cut_.size, .first = before, .outputs = cut_.size - before};
    inner_.run({.data = b.memory.in, .type = type_of<C>}, {.data = b.memory.out, .type = type_of<C>}, one,
               {.scratch = b.memory.inner});
    store(out, b);
  }

  void store(Output const& out, Block const& b) const {
    if (C* const results = Sink<C>(out, work_.loops).in_place(b.row))
      return simd_target().kernels<C>().copy_rows({.from = b.memory.out,
                                                   .from_step = cut_.pitch,
                                                   .to = results + b.line * out.line + b.first,
                                                   .to_step = out.line,
                                                   .count = b.count,
                                                   .rows = b.lines});
    for (std::int64_t l = 0; l < b.lines; ++l)
      Sink<C>(at_line(out, b.line + l), work_.loops).store(b.row, b.first, b.count, b.memory.out + l * cut_.pitch);
  }

  // The samples that the block's outputs meet, and zeros for the others.
  void load(Input const& signal, Part const& part, Block const& b) const {
    const std::int64_t lines = b.lines + work_.lines.filter - 1, unmet = cut_.skipped - (work_.axis.filter - 1);
    const std::int64_t first = part.first + b.first - cut_.skipped, met = cut_.skipped + b.count;
    const std::int64_t top = work_.lines.first + b.line - (work_.lines.filter - 1);
    const C* const image = Source<C>(signal, work_.loops).in_place(b.row);
    const bool inside =
        image && top >= 0 && top + lines <= work_.lines.signal && first + unmet >= 0 && first + met <= part.samples;
    if (inside)
      simd_target().kernels<C>().copy_rows({.from = image + top * signal.line + first + unmet,
                                            .from_step = signal.line,
                                            .to = b.memory.in + unmet,
                                            .to_step = cut_.pitch,
                                            .count = met - unmet,
                                            .rows = lines});
    for (std::int64_t l = 0; l < lines; ++l) {
      C* const to = b.memory.in + l * cut_.pitch;
      if (!inside)
        load_extended_line(signal, work_.loops, b.row, work_.lines.signal, top + l, part.samples, first + unmet,
                           met - unmet, to + unmet);
      std::fill_n(to, unmet, C(0));
      std::fill(to + met, to + cut_.pitch, C(0));
    }
    std::fill(b.memory.in + lines * cut_.pitch, b.memory.in + cut_.size, C(0));
  }

  Work work_;
  ImageCut cut_;
  int threads_;
  BlockExecutor<C> inner_;
  ImageSums<C> plain_;
  AlignedBuffer<C> taps_;  // of all filters, as they lie in a block
};

std::unique_ptr<Executor> make(Work const& w, Resources const&, Parameters const& p) {
  return visit_floating(w.compute_type(), [&]<class C>(std::type_identity<C>) -> std::unique_ptr<Executor> {
    const std::int64_t skipped = p.cut.skip % p.pitch;
    const ImageCut cut{p.cut.size, p.pitch, std::min(p.cut.size / p.pitch, w.lines.outputs + w.lines.filter - 1),
                       skipped};
    check_fits(ImageBlocks<C>::bytes(w, cut, p.threads));
    return std::make_unique<ImageBlocks<C>>(w, cut, p.threads);
  });
}

}  // namespace

Answer consider_image_blocks(Work const& w, Resources const& r, BlockSeconds block) {
  if (is_complex(w.result_type)) return {.refusal = [](Work const&) -> std::string { return "complex images"; }};
  const ImageChoice choice =
      visit_floating(w.compute_type(), [&]<class C>(std::type_identity<C>) { return choose<C>(w, block); });
  if (choice.cut.size == 0)
    return {
        .refusal = [](Work const&) -> std::string { return "the filter does not fit into a block of two dimensions"; }};
  const double one = static_cast<double>(w.rows()) * choice.seconds + converting_seconds(w, w.compute_type());
  const int threads = useful_threads(one, saturating_multiply(choice.cut.blocks(w), w.rows()), r.threads);
  const std::int64_t before = choice.cut.before(w);
  return {.seconds = parallel_seconds(one, threads),
          .parameters = {.threads = threads,
                         .blocks = Parameters::Blocks::on_cpu,
                         .cut = {choice.cut.size, before, choice.cut.size - before},
                         .pitch = choice.cut.pitch},
          .make = make};
}

}  // namespace gpuconv::detail

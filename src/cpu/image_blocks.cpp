// Convolution of images by blocks of two dimensions (core/image_cut.hpp), each transformed as a row of one dimension.
#include "block_executor.hpp"
#include "cost.hpp"
#include "image_sums.hpp"
#include "images.hpp"

#include "../core/image_cut.hpp"
#include "../core/thread_pool.hpp"
#include "../problem.hpp"

#include <algorithm>
#include <complex>

namespace gpuconv::detail {
namespace {

// ---- how outputs are cut -----------------------------------------------------------------------------------------
struct ImageChoice {
  ImageCut cut;
  double seconds = 0;  // of one image, on one thread
};

constexpr std::int64_t kLargest = std::int64_t{1} << 22;  // samples of a block
constexpr double kMovedLine = 2e-8;                       // seconds per line of a block: in, and out again

template <class C>
ImageChoice choose(Work const& w, BlockSeconds block) {
  const std::int64_t parts = parts_of(w.result_type);
  std::int64_t size = 0;
  double transformed = 0;  // seconds of a block of that size, which many cuts have
  const auto seconds = [&](ImageCut const& cut) {
    if (cut.size != size) size = cut.size, transformed = block(parts * size, type_of<C>);
    const double moved = kMovedLine * static_cast<double>(parts * cut.lines);
    return (transformed + moved) * static_cast<double>(cut.blocks(w));
  };
  const ImageCut best = best_image_cut(w, doubling(2 * RightAngleTransform<C>::smallest(), kLargest / parts),
                                       simd_target().kernels<C>().lanes, seconds);
  return {best, best.size > 0 ? seconds(best) : 0};
}

/// C, or complex numbers of it where `type` is complex.
template <class C>
constexpr Type as_computed(Type type) {
  return is_complex(type) ? type_of<std::complex<C>> : type_of<C>;
}

/// What a block is in one dimension: one of its filters, of which a part's row is the number.
template <class C>
Work one_dimension(Work const& w, ImageCut const& cut) {
  const std::int64_t before = cut.before(w);
  return {.axis = {.signal = cut.size, .filter = before + 1, .first = before, .outputs = cut.size - before},
          .loops = {.outer = {.count = w.filters(), .signal_moves = false, .filter_moves = true}, .inner = {}},
          .signal_type = as_computed<C>(w.signal_type),
          .filter_type = as_computed<C>(w.filter_type),
          .result_type = as_computed<C>(w.result_type)};
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
        inner_(one_dimension<C>(w, cut), cut.flat(w), 1),
        plain_(w, 1),
        taps_(w.filters(), cut.before(w) + 1, parts_of(w.filter_type)) {}

  static double bytes(Work const& w, ImageCut const& cut, int threads) {
    const double parts = parts_of(w.result_type), size = parts * static_cast<double>(cut.size);
    const double taps = parts * static_cast<double>(cut.before(w) + 1);
    return static_cast<double>(w.filters()) * (2 * taps + size) * sizeof(C) +
           threads * (parts > 1 ? 7 : 6) * size * sizeof(C) + (threads + 1) * ImageSums<C>::bytes(w, 1);
  }

  std::size_t own_bytes() const override { return inner_.own_bytes() + plain_.own_bytes() + taps_.bytes(); }
  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(threads_) * slot_bytes(); }

  void set_filter(Input const& filter, std::int64_t count, Means const& means) override {
    plain_.set_filter(filter, count, means);
    taps_.clear();
    for (std::int64_t l = 0; l < work_.lines.filter; ++l)
      taps_.set(at_line(filter, l), count, l * cut_.pitch, work_.axis.filter);
    inner_.set_filter(taps_.access(), count, {.scratch = slot(means.scratch, 0).inner});
  }

  void run(Input const& signal, Output const& out, Part const& part, Means const& means) override {
    const std::int64_t across = cut_.across(work_), blocks = cut_.blocks(work_);
    const auto task = [&](std::int64_t i, int number) {
      const std::int64_t b = i % blocks, o = b % across * cut_.columns(), rows = cut_.rows(work_);
      const std::int64_t line = kept_lines(b / across * rows), end = kept_lines((b / across + 1) * rows);
      const Block block{part.row + i / blocks,      line, end - line, o, std::min(cut_.columns(), part.outputs - o),
                        slot(means.scratch, number)};
      if (block.lines > 0) run_block(signal, out, part, block);
    };
    parallel_for(blocks * part.rows, threads_, task);
  }

 private:
  // A thread's part of the scratch memory: a block's samples and outputs, of complex ones also their parts, which lie
  // apart, and what the executors below need.
  struct Slot {
    C *in, *out, *parts;
    void *inner, *plain;
  };
  struct Block {
    std::int64_t row, line, lines, first, count;  // row of the work; its output lines, and outputs of them
    Slot memory;
  };

  // Output lines among the first `lines` of all that a step passes over or keeps.
  std::int64_t kept_lines(std::int64_t lines) const {
    return std::min((lines + work_.lines.step - 1) / work_.lines.step, work_.lines.outputs);
  }

  bool is_complex_result() const { return is_complex(work_.result_type); }
  std::size_t block_bytes() const {
    return whole_pages(static_cast<std::size_t>(cut_.size * parts_of(work_.result_type)) * sizeof(C));
  }
  std::size_t slot_bytes() const {
    return (is_complex_result() ? 3 : 2) * block_bytes() + whole_pages(inner_.scratch_bytes()) +
           whole_pages(plain_.scratch_bytes());
  }
  Slot slot(void* scratch, int number) const {
    char* const memory = static_cast<char*>(scratch) + static_cast<std::size_t>(number) * slot_bytes();
    char* const inner = memory + (is_complex_result() ? 3 : 2) * block_bytes();
    return {.in = reinterpret_cast<C*>(memory),
            .out = reinterpret_cast<C*>(memory + block_bytes()),
            .parts = is_complex_result() ? reinterpret_cast<C*>(memory + 2 * block_bytes()) : nullptr,
            .inner = inner,
            .plain = inner + whole_pages(inner_.scratch_bytes())};
  }

  void run_block(Input const& signal, Output const& out, Part const& part, Block const& b) {
    const std::int64_t f = work_.loops.filter_of(b.row), before = cut_.before(work_);
    if (plain_.is_finite(f)) load(signal, part, b);
    if (!plain_.is_finite(f) || !all_finite(b.memory.in, cut_.size * parts_of(work_.signal_type))) {
      plain_.run_block(signal, out, part, b.row, b.line, b.line + b.lines, b.first, b.count, b.memory.plain);
      return;
    }
    const Part one{.row = f, .rows = 1, .samples = cut_.size, .first = before, .outputs = cut_.size - before};
    inner_.run({.data = b.memory.in, .type = as_computed<C>(work_.signal_type)},
               {.data = b.memory.out, .type = as_computed<C>(work_.result_type)}, one, {.scratch = b.memory.inner});
    store(out, b);
  }

  void store(Output const& out, Block const& b) const {
    const std::int64_t step = work_.lines.step * cut_.pitch;  // samples of the block from line to line
    if (is_complex_result()) {
      C* const parts = b.memory.parts;
      simd_target().kernels<C>().split(b.memory.out, parts, parts + cut_.size, cut_.size - cut_.before(work_));
      for (std::int64_t l = 0; l < b.lines; ++l) {
        const Output line = at_line(out, b.line + l);
        PartSink<C>(line, work_.loops).store(b.row, b.first, b.count, parts + l * step, cut_.size, false);
      }
      return;
    }
    if (C* const results = Sink<C>(out, work_.loops).in_place(b.row))
      return simd_target().kernels<C>().copy_rows({.from = b.memory.out,
                                                   .from_step = step,
                                                   .to = results + b.line * out.line + b.first,
                                                   .to_step = out.line,
                                                   .count = b.count,
                                                   .rows = b.lines});
    for (std::int64_t l = 0; l < b.lines; ++l)
      Sink<C>(at_line(out, b.line + l), work_.loops).store(b.row, b.first, b.count, b.memory.out + l * step);
  }

  // The samples that the block's outputs meet, and zeros for the others: of complex ones first their parts.
  void load(Input const& signal, Part const& part, Block const& b) const {
    const std::int64_t lines = work_.lines.met_by(b.lines), unmet = cut_.skipped - (work_.axis.filter - 1);
    const std::int64_t first = part.first + b.first - cut_.skipped, met = cut_.skipped + b.count;
    const std::int64_t top = work_.lines.first + b.line * work_.lines.step - (work_.lines.filter - 1);
    const bool is_real = !is_complex(work_.signal_type);
    C* const samples = is_real ? b.memory.in : b.memory.parts;
    const C* const image = is_real ? Source<C>(signal, work_.loops).in_place(b.row) : nullptr;
    const bool inside =
        image && top >= 0 && top + lines <= work_.lines.signal && first + unmet >= 0 && first + met <= part.samples;
    if (inside)
      simd_target().kernels<C>().copy_rows({.from = image + top * signal.line + first + unmet,
                                            .from_step = signal.line,
                                            .to = samples + unmet,
                                            .to_step = cut_.pitch,
                                            .count = met - unmet,
                                            .rows = lines});
    if (!inside)
      for (std::int64_t l = 0; l < lines; ++l)
        load_extended_parts(signal, work_.loops, b.row, work_.lines.signal, top + l, part.samples, first + unmet,
                            met - unmet, samples + l * cut_.pitch + unmet, cut_.size);
    for (C* to = samples; to < samples + parts_of(work_.signal_type) * cut_.size; to += cut_.size) {
      for (C* line = to; line < to + lines * cut_.pitch; line += cut_.pitch) {
        std::fill_n(line, unmet, C(0));
        std::fill(line + met, line + cut_.pitch, C(0));
      }
      std::fill(to + lines * cut_.pitch, to + cut_.size, C(0));
    }
    if (!is_real) simd_target().kernels<C>().join(samples, samples + cut_.size, b.memory.in, cut_.size, false);
  }

  Work work_;
  ImageCut cut_;
  int threads_;
  BlockExecutor<C> inner_;
  ImageSums<C> plain_;
  KeptSignals<C> taps_;  // of all filters, as they lie in a block
};

std::unique_ptr<Executor> make(Work const& w, Resources const&, Parameters const& p) {
  return visit_floating(w.compute_type(), [&]<class C>(std::type_identity<C>) -> std::unique_ptr<Executor> {
    const ImageCut cut = ImageCut::of(p.cut, p.pitch, w);
    check_fits(ImageBlocks<C>::bytes(w, cut, p.threads));
    return std::make_unique<ImageBlocks<C>>(w, cut, p.threads);
  });
}

}  // namespace

Answer consider_image_blocks(Work const& w, Resources const& r, BlockSeconds block) {
  const ImageChoice choice =
      visit_floating(w.compute_type(), [&]<class C>(std::type_identity<C>) { return choose<C>(w, block); });
  if (choice.cut.size == 0)
    return {
        .refusal = [](Work const&) -> std::string { return "the filter does not fit into a block of two dimensions"; }};
  const double one = static_cast<double>(w.rows()) * choice.seconds + converting_seconds(w, w.compute_type());
  const int threads = useful_threads(one, saturating_multiply(choice.cut.blocks(w), w.rows()), r.threads);
  return {.seconds = parallel_seconds(one, threads),
          .parameters = {.threads = threads,
                         .blocks = Parameters::Blocks::on_cpu,
                         .cut = choice.cut.flat(w),
                         .pitch = choice.cut.pitch},
          .make = make};
}

}  // namespace gpuconv::detail

// Direct sums of images: a line of outputs is a sum of segments, one for each line of the filter. Strips of lines
// are worked on block by block of columns, so that the lines of a block stay in the cache. Blocks whose windows lie
// within the image are read where they are; others through a ring of copied lines, converted and extended.
#pragma once

#include "cost.hpp"
#include "integers.hpp"
#include "part_rows.hpp"
#include "simd_target.hpp"
#include "two_passes.hpp"

#include "../core/cut.hpp"
#include "../core/long_sum.hpp"
#include "../core/thread_pool.hpp"
#include "../problem.hpp"

#include <algorithm>
#include <functional>
#include <vector>

namespace gpuconv::detail {

/// How outputs are cut into what is computed at once. The same for every run of a work, whoever runs it.
struct ImageLayout {
  static constexpr std::int64_t kBlockBytes = 16
                                              << 10;  // of outputs of a line: as many lines as filters have stay in L2
  static constexpr std::int64_t kStripOutputs = 512
                                                << 10;  // of a task, about, in no fewer strips than these of an image
  static constexpr std::int64_t kStrips = 16;
  static constexpr std::int64_t kNarrow = 64;      // taps of a line: all are taken where a few of them meet zeros alone
  static constexpr double kStreamBytes = 4 << 20;  // outputs of more are written around the cache

  std::int64_t tile, block, strip;  // outputs of the kernel's tile, outputs of a block's line, lines of a strip
  std::int64_t together;            // lines of outputs that are summed at once

  template <class C>
  static ImageLayout of(Work const& w) {
    ImageLayout out{};
    out.tile = std::int64_t{kTileVectors} * simd_target().kernels<C>().lanes;
    const std::int64_t most =
        std::max(out.tile, kBlockBytes / static_cast<std::int64_t>(sizeof(C)) / out.tile * out.tile);
    out.block = std::min(most, rounded_up(w.axis.outputs, out.tile));
    const std::int64_t few = std::max((w.lines.outputs + kStrips - 1) / kStrips, 2 * w.lines.filter);
    out.strip = std::max<std::int64_t>(8, std::min(few, kStripOutputs / w.axis.outputs));
    out.strip = std::min(out.strip, w.lines.outputs);
    out.together = sums_lines_together<C>(w) ? simd_target().kernels<C>().lines_together : 1;
    return out;
  }
  std::int64_t strips(Work const& w) const { return (w.lines.outputs + strip - 1) / strip; }

 private:
  // Of filters with more taps in a line, a vector of samples serves some of them in the sum of one line.
  template <class C>
  static bool sums_lines_together(Work const& w) {
    SimdKernels<C> const& simd = simd_target().kernels<C>();
    const bool real = term_count(w) == 1 && parts_of(w.result_type) == 1;
    return real && w.lines.step == 1 && w.axis.filter <= simd.lanes && w.lines.filter >= simd.lines_together - 1 &&
           w.taps() <= kSumPiece;
  }
};

/// Whether filters that are products of a column and a row are taken in two passes. These multiply in the type of the
/// sums, where those at once may multiply narrower integers, sooner.
inline bool pays_in_two_passes(Work const& w) {
  const Type compute = w.compute_type();
  if (is_floating(compute)) return TwoPasses<float>::pays(w);
  const auto passes = static_cast<double>(w.axis.filter + w.lines.filter), at_once = static_cast<double>(w.taps());
  return TwoPasses<std::uint64_t>::pays(w) &&
         passes * product_seconds(compute) < at_once * product_seconds(operand_type(w));
}

// ---- the executor ------------------------------------------------------------------------------------------------
// Sums in C of operands that are kept in T, as those of one dimension (direct.cpp).
template <class C, class T = C>
class ImageSums final : public Executor {
 public:
  ImageSums(Work const& w, int threads)
      : work_(w),
        taps_(w.axis.filter),
        lines_(w.lines.filter),
        threads_(threads),
        layout_(ImageLayout::of<C>(w)),
        stream_(static_cast<double>(w.rows()) * static_cast<double>(w.outputs()) * sizeof(C) >
                ImageLayout::kStreamBytes),
        signal_parts_(parts_of(w.signal_type)),
        parts_(parts_of(w.result_type)),
        filters_(w.filters(), taps_, parts_of(w.filter_type), lines_),
        minus_(term_count(w) == 2 ? w.filters() * w.taps() : 0),
        finite_(static_cast<std::size_t>(w.filters())),
        two_passes_(w, layout_.strip, stream_),
        factors_(pays_in_two_passes(w) ? w.filters() * (taps_ + lines_) : 0),
        separable_(static_cast<std::size_t>(w.filters())) {}

  static double bytes(Work const& w, int threads) {
    const int parts = parts_of(w.filter_type) + (term_count(w) == 2 ? 1 : 0);
    return static_cast<double>(w.filters()) * static_cast<double>(w.taps()) * parts * sizeof(T) +
           static_cast<double>(w.filters()) * static_cast<double>(w.axis.filter + w.lines.filter) * sizeof(C) +
           threads * slot_bytes(w);
  }

  /// Outputs [o, o + count) of output lines [begin, end) of a row, by plain sums. `memory`: scratch_bytes() of an
  /// executor with one thread.
  void run_block(Input const& signal, Output const& out, Part const& part, std::int64_t row, std::int64_t begin,
                 std::int64_t end, std::int64_t o, std::int64_t count, void* memory) const {
    Strip strip(*this, signal, out, part, row, static_cast<char*>(memory));
    for (const std::int64_t last = o + count; o < last; o += layout_.block)
      strip.columns(begin, end, o, std::min(layout_.block, last - o), false, false);
  }
  bool is_finite(std::int64_t f) const { return finite_[static_cast<std::size_t>(f)] != 0; }

  std::size_t own_bytes() const override { return filters_.bytes() + minus_.bytes() + factors_.bytes(); }
  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(threads_) * slot_size(); }

  void set_filter(Input const& filter, std::int64_t count, Means const& means) override {
    filters_.set(filter, count, means);
    const int parts = parts_of(work_.filter_type);
    const std::int64_t taps = work_.taps();
    for (std::int64_t f = 0; f < count; ++f) {
      finite_[static_cast<std::size_t>(f)] = all_finite(filters_[f], taps * parts);
      for (int p = 0; p < parts; ++p) std::reverse(filters_.part(f, p), filters_.part(f, p) + taps);
      if (minus_.size() > 0)
        std::transform(filters_.part(f, 1), filters_.part(f, 1) + taps, minus_.data() + f * taps, std::negate<T>());
      if (factors_.size() > 0)
        separable_[static_cast<std::size_t>(f)] = factorise(filters_[f], lines_, taps_, column(f), column(f) + lines_);
    }
  }

  void run(Input const& signal, Output const& out, Part const& part, Means const& means) override {
    const std::int64_t strips = layout_.strips(work_);
    const auto task = [&](std::int64_t i, int slot) {
      char* const memory = static_cast<char*>(means.scratch) + static_cast<std::size_t>(slot) * slot_size();
      const std::int64_t begin = i % strips * layout_.strip, row = part.row + i / strips;
      const std::int64_t end = std::min(begin + layout_.strip, work_.lines.outputs), f = work_.loops.filter_of(row);
      if (separable_[static_cast<std::size_t>(f)])
        return two_passes_.run(signal, out, part, row, begin, end, column(f), column(f) + lines_,
                               reinterpret_cast<C*>(memory));
      Strip(*this, signal, out, part, row, memory).run(begin, end);
    };
    parallel_for(strips * part.rows, threads_, task);
  }

 private:
  // Lines that a ring holds: all that the outputs need that are summed at once, of each part.
  static std::int64_t ring_lines(Work const& w, ImageLayout const& layout) {
    return w.lines.filter + layout.together - 1;
  }
  std::int64_t ring_elements() const {
    return ring_lines(work_, layout_) * signal_parts_ * (layout_.block + taps_ - 1);
  }
  static double slot_bytes(Work const& w) {
    const ImageLayout layout = ImageLayout::of<C>(w);
    const double sums = static_cast<double>(layout.block * layout.together) * parts_of(w.result_type);
    const double segments = static_cast<double>(w.lines.filter) * term_count(w) * sizeof(Segment<T>);
    const double ring = static_cast<double>(ring_lines(w, layout)) * parts_of(w.signal_type) *
                        static_cast<double>(layout.block + w.axis.filter);
    const double passes = static_cast<double>(TwoPasses<C>(w, layout.strip, false).memory());
    return std::max(ring * sizeof(T) + sums * sizeof(C) + segments, passes * sizeof(C)) +
           2 * static_cast<double>(kPage);
  }
  std::size_t sums_bytes() const {
    return static_cast<std::size_t>(layout_.block * layout_.together * parts_) * sizeof(C);
  }
  std::size_t segments_bytes() const {
    const std::size_t segments = static_cast<std::size_t>(lines_ * term_count(work_)) * sizeof(Segment<T>);
    const std::size_t windows = static_cast<std::size_t>(lines_ + layout_.together - 1) * sizeof(const T*);
    return whole_pages(std::max(segments, windows));
  }
  std::size_t slot_size() const {
    const std::size_t strip =
        segments_bytes() + whole_pages(static_cast<std::size_t>(ring_elements()) * sizeof(T) + sums_bytes());
    if (factors_.size() == 0) return strip;
    return std::max(strip, whole_pages(static_cast<std::size_t>(two_passes_.memory()) * sizeof(C)));
  }

  // That of a filter that is separable, reversed; its row is behind it.
  C* column(std::int64_t f) const { return factors_.data() + f * (taps_ + lines_); }
  bool is_wide() const { return taps_ > ImageLayout::kNarrow; }
  const T* taps_of(std::int64_t f, Term const& term) const {
    return term.minus ? minus_.data() + f * work_.taps() : filters_.part(f, term.filter);
  }

  // Some lines of one image's outputs, by one thread.
  class Strip {
   public:
    Strip(ImageSums const& images, Input const& signal, Output const& out, Part const& part, std::int64_t row,
          char* memory)
        : i_(images),
          w_(images.work_),
          signal_(signal),
          out_(out),
          part_(part),
          row_(row),
          filter_(w_.loops.filter_of(row)),
          finite_(images.finite_[static_cast<std::size_t>(filter_)] != 0),
          segments_(reinterpret_cast<Segment<T>*>(memory)),
          windows_(reinterpret_cast<const T**>(memory)),
          sums_(reinterpret_cast<C*>(memory + images.segments_bytes())),
          ring_lines_(ring_lines(images.work_, images.layout_)),
          ring_(reinterpret_cast<T*>(memory + images.segments_bytes() + images.sums_bytes())) {}

    // Output lines [begin, end).
    void run(std::int64_t begin, std::int64_t end) {
      const std::int64_t all = part_.outputs;
      const bool reads = may_read_in_place(begin, end), writes = may_write_in_place();
      const std::int64_t ahead = before_whole(begin, writes), behind = end_of_whole(ahead);
      for (std::int64_t o = 0, count; o < all; o += count) {
        const bool inside = o >= ahead && o < behind;
        count = std::min(i_.layout_.block, (o < ahead ? std::min(ahead, all) : inside ? behind : all) - o);
        columns(begin, end, o, count, inside && reads, inside && writes);
      }
    }

    // `count` outputs from `o` on of output lines [begin, end); whole tiles where they are written in place.
    void columns(std::int64_t begin, std::int64_t end, std::int64_t o, std::int64_t count, bool reads_in_place,
                 bool writes_in_place) {
      block_ = {part_.first + o, count, rounded_up(count, i_.layout_.tile), reads_in_place, writes_in_place};
      loaded_ = full_line(begin) - i_.lines_;
      for (std::int64_t line = begin, lines; line < end; line += lines) {
        lines = 1;
        if (!finite_ && !is_whole()) exact(line);
        else if (end - line >= i_.layout_.together && meet_all_lines(line)) lines = sum_together(line);
        else sum(line);
        for (std::int64_t l = 0; l < lines && !writes_in_place; ++l)
          store(line + l, o, count, sums_ + l * i_.layout_.block);
      }
    }

   private:
    // Whether blocks with whole windows can be read, or written, where they are.
    bool may_write_in_place() const { return i_.parts_ == 1 && out_.template is_array_of<C>(); }
    bool may_read_in_place(std::int64_t begin, std::int64_t end) const {
      if (i_.parts_ > 1 || !signal_.template is_array_of<T>()) return false;
      if (w_.extension.boundary != Boundary::constant) return true;
      return full_line(begin) - (i_.lines_ - 1) >= 0 && full_line(end - 1) < w_.lines.signal;
    }
    // Outputs of a line before those with whole windows that are computed in whole tiles; where these are streamed, up
    // to a vector boundary.
    std::int64_t before_whole(std::int64_t line, bool writes_in_place) const {
      const std::int64_t ahead = std::max<std::int64_t>(0, i_.taps_ - 1 - part_.first);
      if (!writes_in_place || !i_.stream_ || i_.is_wide() || ahead >= part_.outputs)
        return std::min(ahead, part_.outputs);
      return std::min(ahead + to_vector_boundary(result(line) + ahead), part_.outputs);
    }
    // Their end, where `ahead` outputs are before them.
    std::int64_t end_of_whole(std::int64_t ahead) const {
      const std::int64_t whole = std::min(part_.outputs, part_.samples - part_.first) - ahead;
      return whole > 0 ? ahead + whole / i_.layout_.tile * i_.layout_.tile : ahead;
    }

    std::int64_t full_line(std::int64_t line) const { return w_.lines.first + line * w_.lines.step; }
    C* result(std::int64_t line) const {
      return static_cast<C*>(out_.data) + out_.offset(w_.loops, row_) + line * out_.line;
    }

    // Lines of the filter, reversed, that meet a line of the signal in outputs of full line `l`.
    struct Range {
      std::int64_t begin, end;
    };
    Range lines_of(std::int64_t l) const {
      const std::int64_t first = l - (i_.lines_ - 1);  // the line that the first of them meets
      if (!w_.extension.is_zero()) return {0, i_.lines_};
      return {std::max<std::int64_t>(0, -first), std::min(i_.lines_, w_.lines.signal - first)};
    }
    // Whether all of the block's outputs meet only samples that are there, or extended ones.
    bool is_whole() const {
      return !w_.extension.is_zero() || (block_.first >= i_.taps_ - 1 && block_.first + block_.count <= part_.samples);
    }
    // Taps, reversed, that outputs of the block need: of wide filters, for which it is worth a look.
    Range taps_needed() const {
      if (!w_.extension.is_zero()) return {0, i_.taps_};
      if (!i_.is_wide() && finite_) return {0, i_.taps_};
      const std::int64_t first = block_.first - (i_.taps_ - 1);  // the sample that the first of them meets
      return {std::max<std::int64_t>(0, -(first + block_.count - 1)), std::min(i_.taps_, part_.samples - first)};
    }

    void sum(std::int64_t line) {
      const std::int64_t l = full_line(line), first = l - (i_.lines_ - 1);
      const Range lines = lines_of(l), taps = taps_needed();
      if (lines.begin >= lines.end || taps.begin >= taps.end) return none(line);
      if (!block_.reads_in_place) load(first + lines.begin, first + lines.end, taps);
      for (int p = 0; p < i_.parts_; ++p) {
        std::int64_t count = 0, before = 0;
        for (Term const& term : terms_of(w_, p)) {
          const T* const h = i_.taps_of(filter_, term);
          for (std::int64_t i = lines.begin; i < lines.end; ++i) {
            const std::int64_t at = i * i_.taps_ + taps.begin;
            segments_[count++] = {window(first + i, term.signal), h + at, taps.end - taps.begin, before + at};
          }
          before += w_.taps();
        }
        simd_target().direct<T, C>()(segments_, count, sums_of(line, p), block_.computed / i_.layout_.tile,
                                     block_.writes_in_place && i_.stream_);
      }
    }
    // Whether all lines of the filter are met in those lines of outputs that are summed at once, from `line` on.
    bool meet_all_lines(std::int64_t line) const {
      if (i_.layout_.together == 1) return false;
      const Range first = lines_of(full_line(line)), last = lines_of(full_line(line + i_.layout_.together - 1));
      return first.begin == 0 && last.begin == 0 && first.end == i_.lines_ && last.end == i_.lines_;
    }
    // Lines of outputs from `line` on, and how many.
    std::int64_t sum_together(std::int64_t line) {
      const std::int64_t together = i_.layout_.together, met = i_.lines_ + together - 1;
      const std::int64_t first = full_line(line) - (i_.lines_ - 1);
      if (!block_.reads_in_place) load(first, first + met, {0, i_.taps_});
      for (std::int64_t y = 0; y < met; ++y) windows_[y] = window(first + y, 0);
      if constexpr (std::is_same_v<T, C>)
        simd_target().kernels<C>().image_lines({.windows = windows_,
                                                .taps = i_.filters_[filter_],
                                                .lines = i_.lines_,
                                                .count = i_.taps_,
                                                .out = sums_of(line, 0),
                                                .out_step = block_.writes_in_place ? out_.line : i_.layout_.block,
                                                .tiles = block_.computed / i_.layout_.tile,
                                                .stream = block_.writes_in_place && i_.stream_});
      return together;
    }
    // Outputs that no sample is in.
    void none(std::int64_t line) const {
      for (int p = 0; p < i_.parts_; ++p) std::fill_n(sums_of(line, p), block_.count, C(0));
    }
    // Where the block's outputs of a line go, or one of their parts.
    C* sums_of(std::int64_t line, int part) const {
      return block_.writes_in_place ? result(line) + (block_.first - part_.first) : sums_ + part * i_.layout_.block;
    }

    // Where line `y` of the signal, or of its extension, has the samples of the block's first output.
    const T* window(std::int64_t y, int part) const {
      if (!block_.reads_in_place) return slot_of(y, part);
      const std::int64_t there = extended_index(w_.extension.boundary, y, w_.lines.signal);
      return static_cast<const T*>(signal_.data) + signal_.offset(w_.loops, row_) + there * signal_.line +
             block_.first - (i_.taps_ - 1);
    }

    // The ring's place of line `y`. Lines before the image have negative numbers.
    T* slot_of(std::int64_t y, int part) const {
      const std::int64_t slot = (y % ring_lines_ + ring_lines_) % ring_lines_;
      return ring_ + (slot * i_.signal_parts_ + part) * ring_step();
    }
    std::int64_t ring_step() const { return i_.layout_.block + i_.taps_ - 1; }

    // Lines up to `end` that are not in the ring yet, from `begin` on: the samples that the taps meet.
    void load(std::int64_t begin, std::int64_t end, Range const& taps) {
      for (std::int64_t y = std::max(begin, loaded_); y < end; ++y) load_line(y, taps);
      loaded_ = std::max(loaded_, end);
    }
    void load_line(std::int64_t y, Range const& taps) const {
      const std::int64_t first = block_.first - (i_.taps_ - 1) + taps.begin;
      const std::int64_t count = block_.computed + taps.end - taps.begin - 1;
      load_extended_parts(signal_, w_.loops, row_, w_.lines.signal, y, part_.samples, first, count, slot_of(y, 0),
                          ring_step());
    }

    void store(std::int64_t line, std::int64_t o, std::int64_t count, const C* sums) const {
      const Output to = at_line(out_, line);
      const PartSink<C> sink(to, w_.loops);
      sink.store(row_, o, count, sums, i_.layout_.block, false);
    }

    // With a tap that is not finite: zero padding times infinity would be NaN. Only samples that are there are met.
    void exact(std::int64_t line) {
      const std::int64_t l = full_line(line), first = l - (i_.lines_ - 1);
      const Range lines = lines_of(l), taps = taps_needed();
      if (lines.begin >= lines.end || taps.begin >= taps.end) return none(line);
      load(first + lines.begin, first + lines.end, taps);
      for (int p = 0; p < i_.parts_; ++p)
        for (std::int64_t i = 0; i < block_.count; ++i)
          sums_[p * i_.layout_.block + i] = exact_sum(terms_of(w_, p), first, lines, taps, i);
    }
    C exact_sum(Terms const& terms, std::int64_t first, Range const& lines, Range const& taps, std::int64_t i) const {
      const std::int64_t k = block_.first + i - (i_.taps_ - 1);  // the sample that the first tap meets
      const std::int64_t begin = std::max<std::int64_t>(0, -k), end = std::min(i_.taps_, part_.samples - k);
      LongSum<C> total;
      for (Term const& term : terms)
        for (std::int64_t y = lines.begin; y < lines.end && begin < end; ++y) {
          const T* const x = slot_of(first + y, term.signal) + i - taps.begin;
          const T* const h = i_.taps_of(filter_, term) + y * i_.taps_;
          total.add(long_sum<C>(end - begin, 0, [&](std::int64_t j) {
            return static_cast<C>(x[begin + j]) * static_cast<C>(h[begin + j]);
          }));
        }
      return total.value();
    }

    struct Block {
      std::int64_t first, count, computed;  // within the full convolution, outputs, whole tiles of them
      bool reads_in_place, writes_in_place;
    };

    ImageSums const& i_;
    Work const& w_;
    Input const& signal_;
    Output const& out_;
    Part const& part_;
    std::int64_t row_, filter_;
    bool finite_;
    Segment<T>* segments_;
    const T** windows_;  // in the place of the segments: each is used without the other, and they are less
    C* sums_;
    std::int64_t ring_lines_;
    T* ring_;
    Block block_{};
    std::int64_t loaded_ = 0;  // lines before it are in the ring, as many as it holds
  };

  Work work_;
  std::int64_t taps_, lines_;  // of a filter
  int threads_;
  ImageLayout layout_;
  bool stream_;
  int signal_parts_, parts_;
  KeptFilters<T> filters_;  // reversed along both axes
  AlignedBuffer<T> minus_;  // minus their imaginary parts
  std::vector<char> finite_;
  TwoPasses<C> two_passes_;
  AlignedBuffer<C> factors_;  // of filters that are products of a column and a row
  std::vector<char> separable_;
};

}  // namespace gpuconv::detail

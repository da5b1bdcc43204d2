// Images with a filter that is the product of a column and a row: along the lines first, into a strip that stays in the
// cache, then across them with vectors of columns. Nothing is transposed.
#pragma once

#include "rows.hpp"
#include "simd_target.hpp"

#include "../core/cut.hpp"
#include "../core/separable.hpp"

#include <algorithm>
#include <cstdint>

namespace gpuconv::detail {

template <class C>
class TwoPasses {
 public:
  /// For strips of `strip` output lines at most, which are written around the cache if `stream`.
  TwoPasses(Work const& w, std::int64_t strip, bool stream)
      : w_(w), strip_(strip), stream_(stream), tile_(std::int64_t{kTileVectors} * simd_target().kernels<C>().lanes) {
    const std::int64_t lines = w_.lines.met_by(strip_),
                       most = kHeldBytes / static_cast<std::int64_t>(sizeof(C)) / lines;
    block_ = std::min(rounded_up(w.axis.outputs, tile_),
                      std::clamp(most, 2 * tile_, kBlockBytes / static_cast<std::int64_t>(sizeof(C))) / tile_ * tile_);
  }

  /// Whether two passes are fewer products, of filters whose taps they can multiply: real ones.
  static bool pays(Work const& w) {
    const bool real = !is_complex(w.signal_type) && !is_complex(w.filter_type);
    return real && w.axis.filter > 1 && w.lines.filter > 1 && w.taps() >= kLeastTaps;
  }

  /// Elements that a thread needs.
  std::int64_t memory() const { return w_.lines.met_by(strip_) * step() + block_ + w_.axis.filter + kStored * step(); }

  /// Output lines [begin, end) of a row, `column` and `row` reversed. The part has all outputs of a line.
  void run(Input const& signal, Output const& out, Part const& part, std::int64_t row_number, std::int64_t begin,
           std::int64_t end, const C* column, const C* row, C* memory) const {
    const Pass pass{signal, out, part, row_number, begin, end, column, row, memory};
    for (std::int64_t o = 0, count; o < part.outputs; o += count) {
      count = std::min(block_, part.outputs - o);
      if (o == 0) count = std::min(count, first_columns(pass));
      columns(pass, o, count);
    }
  }

 private:
  // Bytes of lines between the passes, which stay in the second-level cache, and of a block's line at most.
  static constexpr std::int64_t kHeldBytes = 400 << 10, kBlockBytes = 4 << 10;
  static constexpr std::int64_t kMetBytes = 32 << 10;  // of lines that an output meets
  static constexpr std::int64_t kLeastTaps = 20;
  static constexpr std::int64_t kStored = 8;  // lines that are stored together where they are converted
  static constexpr std::int64_t kApart = 16;  // elements between lines, so that they do not fall on each other

  struct Pass {
    Input const& signal;
    Output const& out;
    Part const& part;
    std::int64_t number, begin, end;  // row of the work, output lines
    const C *column, *row;
    C* memory;
  };

  std::int64_t step() const { return block_ + kApart; }

  // Of the first block: to a vector boundary, where outputs are streamed.
  std::int64_t first_columns(Pass const& p) const {
    const C* const results = stream_ ? Sink<C>(p.out, w_.loops).in_place(p.number) : nullptr;
    if (!results) return block_;
    const std::int64_t ahead = to_vector_boundary(results + p.begin * p.out.line);
    return ahead > 0 ? block_ - tile_ + ahead : block_;
  }

  void columns(Pass const& p, std::int64_t o, std::int64_t count) const {
    const std::int64_t first = w_.lines.first + p.begin * w_.lines.step - (w_.lines.filter - 1);
    const std::int64_t held = w_.lines.met_by(p.end - p.begin), tiles = (count + tile_ - 1) / tile_;
    for (std::int64_t i = 0; i < held; ++i) along(p, first + i, o, tiles, p.memory + i * step());
    across(p, o, count, tiles * tile_);
  }

  // Sums along line `y` of the signal or of its extension.
  void along(Pass const& p, std::int64_t y, std::int64_t o, std::int64_t tiles, C* to) const {
    const std::int64_t taps = w_.axis.filter, first = p.part.first + o - (taps - 1);
    const std::int64_t count = tiles * tile_ + taps - 1,
                       there = extended_index(w_.extension.boundary, y, w_.lines.signal);
    if (there < 0 && w_.extension.is_zero()) {
      std::fill_n(to, tiles * tile_, C(0));
      return;
    }
    C* const window = p.memory + w_.lines.met_by(strip_) * step();
    const C* from = window;
    const bool whole = there >= 0 && first >= 0 && first + count <= p.part.samples;
    const C* const samples = whole ? Source<C>(at_line(p.signal, there), w_.loops).in_place(p.number) : nullptr;
    if (samples) from = samples + first;
    else load_extended_line(p.signal, w_.loops, p.number, w_.lines.signal, y, p.part.samples, first, count, window);
    const Segment<C> segment{from, p.row, taps};
    simd_target().kernels<C>().direct(&segment, 1, to, tiles, false);
  }

  void across(Pass const& p, std::int64_t o, std::int64_t count, std::int64_t computed) const {
    C* const results = Sink<C>(p.out, w_.loops).in_place(p.number);
    const bool in_place = results && count >= simd_target().kernels<C>().lanes;
    C* const sums = p.memory + w_.lines.met_by(strip_) * step() + block_ + w_.axis.filter;
    const std::int64_t lines = p.end - p.begin, at_once = in_place ? lines : std::min(lines, kStored);
    for (std::int64_t l = 0; l < lines; l += at_once) {
      const std::int64_t some = std::min(at_once, lines - l);
      C* const to = in_place ? results + (p.begin + l) * p.out.line + o : sums;
      sum(p, l, some, in_place ? count : computed, to, in_place ? p.out.line : step(), in_place && stream_);
      for (std::int64_t i = 0; i < some && !in_place; ++i) store(p, p.begin + l + i, o, count, sums + i * step());
    }
  }
  void store(Pass const& p, std::int64_t line, std::int64_t o, std::int64_t count, const C* sums) const {
    Sink<C>(at_line(p.out, line), w_.loops).store(p.number, o, count, sums);
  }

  // Some columns at a time, of all lines: the lines that an output meets stay in the first-level cache.
  void sum(Pass const& p, std::int64_t line, std::int64_t lines, std::int64_t count, C* to, std::int64_t to_step,
           bool stream) const {
    const std::int64_t fit = kMetBytes / static_cast<std::int64_t>(sizeof(C)) / w_.lines.filter;
    const std::int64_t together = std::max(tile_, fit / tile_ * tile_);
    for (std::int64_t c = 0, some; c < count; c += some) {
      some = count - c < together + tile_ ? count - c : together;
      simd_target().kernels<C>().across({.window = p.memory + line * w_.lines.step * step() + c,
                                         .window_step = w_.lines.step * step(),
                                         .taps = p.column,
                                         .tap_step = step(),
                                         .count = w_.lines.filter,
                                         .before = 0,
                                         .out = to + c,
                                         .out_step = to_step,
                                         .outputs = some,
                                         .lines = lines,
                                         .stream = stream});
    }
  }

  Work w_;
  std::int64_t strip_;
  bool stream_;
  std::int64_t tile_, block_;
};

}  // namespace gpuconv::detail

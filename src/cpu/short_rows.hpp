// Direct convolution of many short rows: nothing is called, allocated or looked up for each of them.
//
// Rows lie side by side in a window, with zeros between them that neighbours share. With one filter for all of them the
// window is convolved as if it were one row, and the outputs that belong to no row are left out. With a filter for each
// row, or where few of the window's outputs are wanted, the kernel takes one row after the other. Rows that are long
// enough are not copied: outputs with a whole window of samples come straight from the caller's memory, and only their
// ends are such short rows.
#pragma once

#include "rows.hpp"
#include "simd_target.hpp"
#include "stretches.hpp"

#include "../core/long_sum.hpp"

#include <algorithm>
#include <cstdint>

namespace gpuconv::detail {

/// How the rows of a part lie in the window.
struct RowLayout {
  std::int64_t samples, outputs, taps;
  std::int64_t before, behind;  // outputs with windows that reach beyond either end, and as many zeros
  std::int64_t skip;            // elements before the window of the first row's first output
  std::int64_t step;            // elements from row to row, not less than the outputs

  RowLayout(std::int64_t row_samples, std::int64_t first, std::int64_t row_outputs, std::int64_t filter)
      : samples(row_samples),
        outputs(row_outputs),
        taps(filter),
        before(std::max<std::int64_t>(0, taps - 1 - first)),
        behind(std::max<std::int64_t>(0, first + outputs - samples)),
        skip(std::max<std::int64_t>(0, first - (taps - 1))),
        step(std::max(samples + std::max(before, behind), outputs)) {}
};

/// Rows of one loop that follow each other.
template <class C>
struct ShortRowsTask {
  RowLayout layout;
  std::int64_t row, rows;  // of the work
  const C* samples;        // of the first row, where they can be used as they lie, else null
  std::int64_t samples_step;
  C* results;  // the same
  std::int64_t results_step;
  const C* taps;           // reversed, finite
  std::int64_t taps_step;  // elements from row to row; 0: one filter for all of them

  ShortRowsTask part(std::int64_t begin, std::int64_t count) const {
    ShortRowsTask out = *this;
    out.row += begin, out.rows = count, out.taps += begin * taps_step;
    if (samples) out.samples += begin * samples_step;
    if (results) out.results += begin * results_step;
    return out;
  }
};

template <class C>
class ShortRows {
 public:
  /// `stream`: the output is larger than the cache and is written around it.
  ShortRows(Work const& work, bool stream)
      : stream_(stream),
        half_(static_cast<std::int64_t>(
            std::min(static_cast<double>(kHalf),
                     static_cast<double>(work.rows()) * static_cast<double>(row_elements(work.axis)) +
                         static_cast<double>(kPastEnd)))) {}

  /// Elements of memory that a thread needs.
  std::int64_t memory() const { return 2 * half_; }

  void run(Source<C> const& signal, Sink<C> const& out, ShortRowsTask<C> const& t, C* memory) const {
    const Run r{signal, out, {memory, memory + half_}};
    if (worth_pieces(t)) in_pieces(r, t);
    else packed(r, t);
  }

 private:
  // Elements: a window and its sums fit into the first cache. With what is read and written past the end.
  static constexpr std::int64_t kWindow = std::max<std::int64_t>((16 << 10) / sizeof(C), kShortOutputs);
  static constexpr std::int64_t kPastEnd = (8 << 10) / sizeof(C), kHalf = kWindow + kPastEnd;
  // A row with the zeros at its ends.
  static std::int64_t row_elements(Axis const& a) { return a.full() + a.filter; }
  static constexpr std::int64_t kInterior = 128 / sizeof(C), kEnds = 16;  // outputs inside, and times those at the ends

  struct Run {
    Source<C> const& signal;
    Sink<C> const& out;
    struct {
      C *window, *sums;
    } memory;
  };

  static SimdKernels<C> const& kernels() { return simd_target().kernels<C>(); }
  // Rows with one tap that they share, one behind the other: one long row.
  static bool one_row(ShortRowsTask<C> const& t) {
    RowLayout const& l = t.layout;
    return t.samples && t.results && t.taps_step == 0 && l.taps == 1 && l.outputs == l.samples &&
           t.samples_step == l.samples && t.results_step == l.outputs;
  }

  // Rows that need not be copied: the ends are worth less than that.
  static bool worth_pieces(ShortRowsTask<C> const& t) {
    RowLayout const& l = t.layout;
    const std::int64_t ends = l.before + l.behind, interior = l.outputs - ends;
    if (!t.samples || !t.results || interior < kernels().lanes || one_row(t)) return false;
    return (ends == 0 && t.taps_step != 0) || (interior >= kInterior && interior >= kEnds * ends);
  }

  // Whether sums for each row by itself are fewer than sums for the window of all. Few vectors cost more loads.
  static bool apart(RowLayout const& l) {
    const std::int64_t lanes = kernels().lanes, vectors = (l.outputs + lanes - 1) / lanes;
    return vectors * lanes * (vectors < 4 ? 6 : vectors < 8 ? 5 : 4) < 4 * l.step;
  }

  // The outputs with whole windows, then those before and behind them.
  void in_pieces(Run const& r, ShortRowsTask<C> const& t) const {
    RowLayout const& l = t.layout;
    const std::int64_t end = l.taps - 1, interior = l.outputs - l.before - l.behind;
    kernels().rows({.window = t.samples + l.skip,
                    .window_step = t.samples_step,
                    .taps = t.taps,
                    .taps_step = t.taps_step,
                    .count = l.taps,
                    .out = t.results + l.before,
                    .out_step = t.results_step,
                    .outputs = interior,
                    .rows = t.rows});
    const auto piece = [&](std::int64_t from, std::int64_t first, std::int64_t to, std::int64_t outputs) {
      if (outputs == 0) return;
      ShortRowsTask<C> some = t;
      some.layout = {end, first, outputs, l.taps};
      some.samples += from, some.results += to;
      packed(r, some);
    };
    piece(0, end - l.before, 0, l.before);
    piece(l.samples - end, end, l.before + interior, l.behind);
  }

  // As many rows at once as one window has room for.
  void packed(Run const& r, ShortRowsTask<C> const& t) const {
    const bool one = t.taps_step != 0 || apart(t.layout);
    const std::int64_t together = std::max<std::int64_t>(1, kWindow / t.layout.step);
    for (std::int64_t row = 0; row < t.rows; row += together) {
      const ShortRowsTask<C> some = t.part(row, std::min(together, t.rows - row));
      if (one) one_by_one(r, some);
      else side_by_side(r, some);
    }
  }

  // The window of the first output, of `rows` rows, with `past` elements behind them that can be read.
  const C* window(Run const& r, ShortRowsTask<C> const& t, std::int64_t rows, std::int64_t past) const {
    RowLayout const& l = t.layout;
    C* const to = r.memory.window;
    std::fill_n(to, l.before + rows * l.step + past, C{});
    if (t.samples) kernels().copy_rows({t.samples, t.samples_step, to + l.before, l.step, l.samples, rows});
    else r.signal.load_rows(t.row, rows, l.samples, to + l.before, l.step);
    return to + l.skip;
  }

  void side_by_side(Run const& r, ShortRowsTask<C> const& t) const {
    RowLayout const& l = t.layout;
    const std::int64_t total = (t.rows - 1) * l.step + l.outputs;
    const C* const x = one_row(t) ? t.samples : window(r, t, t.rows, kernels().lanes);
    if (t.results && l.step == l.outputs && t.results_step == l.outputs) return whole_window(r, t, x, total);
    const std::int64_t done = tiles(total) * tile();
    tiled(t, x, r.memory.sums, total, false);
    if (done < total) few(t, x + done, r.memory.sums + done, total - done);
    store(r, t, r.memory.sums, l.step);
  }

  static std::int64_t tile() { return std::int64_t{kTileVectors} * kernels().lanes; }
  static std::int64_t tiles(std::int64_t outputs) { return outputs / tile(); }

  // Sums of the taps that all rows share: as many tiles as there are outputs for.
  void tiled(ShortRowsTask<C> const& t, const C* x, C* out, std::int64_t outputs, bool stream) const {
    const Segment<C> all{x, t.taps, t.layout.taps};
    if (tiles(outputs) > 0) kernels().direct(&all, 1, out, tiles(outputs), stream);
  }
  // The same of less than a tile.
  void few(ShortRowsTask<C> const& t, const C* x, C* out, std::int64_t outputs) const {
    kernels().rows({x, 0, t.taps, 0, t.layout.taps, out, 0, outputs, 1});
  }

  // All of a window's outputs into the caller's memory. What is not tiles there goes through a copy.
  void whole_window(Run const& r, ShortRowsTask<C> const& t, const C* x, std::int64_t total) const {
    const std::int64_t ahead = stream_ ? std::min(total, to_vector_boundary(t.results)) : 0;
    const std::int64_t end = ahead + tiles(total - ahead) * tile();
    const auto copied = [&](std::int64_t begin, std::int64_t outputs) {
      if (outputs == 0) return;
      const C* from = x + begin;
      if (one_row(t)) from = std::copy_n(from, outputs, r.memory.window) - outputs;
      few(t, from, r.memory.sums, outputs);
      std::copy_n(r.memory.sums, outputs, t.results + begin);
    };
    copied(0, ahead);
    tiled(t, x + ahead, t.results + ahead, total - ahead, stream_);
    copied(end, total - end);
  }

  void one_by_one(Run const& r, ShortRowsTask<C> const& t) const {
    RowLayout const& l = t.layout;
    const bool same = t.samples && t.samples_step == 0;
    RowSums<C> sums{.window = window(r, t, same ? 1 : t.rows, kernels().lanes),
                    .window_step = same ? 0 : l.step,
                    .taps = t.taps,
                    .taps_step = t.taps_step,
                    .count = l.taps,
                    .out = r.memory.sums,
                    .out_step = l.outputs,
                    .outputs = l.outputs,
                    .rows = t.rows};
    if (t.results && l.outputs >= kernels().lanes) {
      sums.out = t.results, sums.out_step = t.results_step;
      return kernels().rows(sums);
    }
    kernels().rows(sums);
    store(r, t, r.memory.sums, l.outputs);
  }

  // Sums that are `step` apart from row to row, into their place.
  void store(Run const& r, ShortRowsTask<C> const& t, const C* sums, std::int64_t step) const {
    if (t.results) kernels().copy_rows({sums, step, t.results, t.results_step, t.layout.outputs, t.rows});
    else r.out.store_rows(t.row, t.rows, t.layout.outputs, sums, step);
  }

  bool stream_;
  std::int64_t half_;  // of the memory: a window, or its sums
};

}  // namespace gpuconv::detail

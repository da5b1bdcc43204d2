// Direct convolution of rows that lie across memory: some of them side by side, with vectors across them. Nothing is
// transposed, and a row has the bits that it has by itself.
#pragma once

#include "rows.hpp"
#include "side_by_side.hpp"
#include "stretches.hpp"

#include "../core/thread_pool.hpp"
#include "../problem.hpp"

#include <algorithm>
#include <cstdint>

namespace gpuconv::detail {

template <class C>
class AcrossRows {
 public:
  explicit AcrossRows(Work const& work)
      : work_(work),
        taps_(work.axis.filter),
        sums_(std::min(kSums, saturating_multiply(NeighbouringRows::most(work.loops), work.axis.outputs))) {}

  /// Elements of memory that a thread needs.
  std::int64_t memory() const { return may_take(work_) ? window() + sums_ + kPastEnd : 0; }

  bool takes(Input const& signal, Output const& out, Part const& part) const {
    const std::int64_t inner = work_.loops.inner.count;
    const bool are_inner = NeighbouringRows::are_inner(work_.loops, signal, out);
    const bool are_outer = !work_.loops.outer.filter_moves && (lies_across(signal) || lies_across(out));
    return may_take(work_) && (are_inner || are_outer) && part.row % inner == 0 && part.rows % inner == 0;
  }

  /// taps(f): those of filter f, reversed, which are finite. memory(slot): that of a thread. Segments of a row are of
  /// `segment` outputs.
  template <class Taps, class Memory>
  void run(Input const& signal, Output const& out, Part const& part, std::int64_t segment, int threads, Taps taps,
           Memory memory) const {
    const bool are_inner = NeighbouringRows::are_inner(work_.loops, signal, out);
    const NeighbouringRows all(work_.loops, part, are_inner);
    const std::int64_t turns = all.groups(), rows = all.count(), first = all.row(0, 0);
    const std::int64_t most = together(all.from(signal, first, rows).access, all.from(out, first, rows).access);
    const std::int64_t each = std::min(most, lines((rows + threads - 1) / threads));
    const std::int64_t groups = (rows + each - 1) / each, segments = (part.outputs + segment - 1) / segment;
    const auto task = [&](std::int64_t i, int slot) {
      const std::int64_t turn = i % turns, s = i / turns % segments, neighbour = i / turns / segments * each;
      const std::int64_t row = all.row(turn, neighbour), count = std::min(each, rows - neighbour);
      C* const mine = memory(slot);
      const Group g{all.from(signal, row, count),
                    all.from(out, row, count),
                    part,
                    taps(work_.loops.filter_of(row)),
                    mine,
                    mine + window()};
      const std::int64_t begin = part.first + s * segment, end = part.first + part.outputs;
      some_outputs(g, begin, std::min(begin + segment, end));
    };
    parallel_for(groups * segments * turns, threads, task);
  }

 private:
  static constexpr std::int64_t elements(std::int64_t bytes) { return bytes / static_cast<std::int64_t>(sizeof(C)); }

  static constexpr std::int64_t kMostTaps = 4096;  // with more, loading is the least of it
  static constexpr std::int64_t kFewTaps =
      12;  // whose samples are read where they are: a set of the first cache holds them
  // Elements: a cache line; what is loaded of a sample at most; what the taps of a vector of sums pass over, in the
  // first cache; sums that are computed at once; what is read and written past the end.
  static constexpr std::int64_t kLine = elements(64), kWhole = elements(256), kPassed = elements(24 << 10),
                                kSums = elements(64 << 10), kPastEnd = kLine;

  struct Group {
    Neighbours<void const> signal;
    Neighbours<void> out;
    Part const& part;
    const C* taps;
    C *window, *sums;

    const C* samples() const { return static_cast<const C*>(signal.access.data); }
    C* results() const { return static_cast<C*>(out.access.data); }
  };

  static bool may_take(Work const& w) {
    const bool shared = (w.loops.outer.count > 1 && !w.loops.outer.filter_moves) ||
                        (w.loops.inner.count > 1 && NeighbouringRows::may_be_inner(w.loops));
    return shared && w.axis.filter <= kMostTaps && !is_complex(w.result_type);
  }
  // Rows, in whole lines.
  static std::int64_t lines(std::int64_t rows) { return (rows + kLine - 1) / kLine * kLine; }
  std::int64_t window() const { return sums_ + std::max(kPassed, kLine * (taps_ - 1)) + kPastEnd; }

  static bool touch(Input const& signal, Output const& out) {
    return Neighbours<void const>{signal, 1}.touch<C>() && Neighbours<void>{out, 1}.touch<C>();
  }
  bool few_taps() const { return taps_ <= kFewTaps; }

  std::int64_t together(Input const& signal, Output const& out) const {
    const std::int64_t most = few_taps() && touch(signal, out) ? kPassed : kWhole;
    return std::clamp(kPassed / taps_, kLine, most) / kLine * kLine;
  }

  // Outputs [begin, end) of the full convolution.
  void some_outputs(Group const& g, std::int64_t begin, std::int64_t end) const {
    const Stretches stretches(work_, g.part, true);
    const bool from_memory = worth_no_copy(g);
    for (std::int64_t o = begin; o < end;) {
      const std::int64_t last = o + stretches.at(o, end).count, inside = std::max(o, taps_ - 1);
      const std::int64_t outside = std::min(last, g.part.samples), whole = outside - inside;
      const TapRange s = stretches.taps(o, last - o);
      if (from_memory && s.lowest == 0 && s.highest == taps_ - 1 && whole > 0 && whole * g.signal.rows >= kLine) {
        copied(g, o, inside, s);
        in_place(g, inside, whole);
        copied(g, outside, last, s);
      } else {
        copied(g, o, last, s);
      }
      o = last;
    }
  }

  // Rows' samples that are all there is in memory, and so are their outputs, are like one row's, whose taps are as many
  // elements apart.
  static bool are_one_row(Group const& g) {
    return g.signal.access.stride == g.signal.rows && g.out.access.stride == g.signal.rows;
  }
  bool worth_no_copy(Group const& g) const {
    const std::int64_t lanes = simd_target().kernels<C>().lanes;
    return touch(g.signal.access, g.out.access) && (are_one_row(g) || (few_taps() && g.signal.rows >= lanes));
  }

  // Outputs with whole windows, from the caller's memory to the caller's memory.
  void in_place(Group const& g, std::int64_t o, std::int64_t count) const {
    const Input& x = g.signal.access;
    const Output& y = g.out.access;
    const bool one = are_one_row(g);
    const std::int64_t rows = g.signal.rows;
    simd_target().kernels<C>().across({.window = g.samples() + (o - (taps_ - 1)) * x.stride,
                                       .window_step = x.stride,
                                       .taps = g.taps,
                                       .tap_step = x.stride,
                                       .count = taps_,
                                       .before = 0,
                                       .out = g.results() + (o - g.part.first) * y.stride,
                                       .out_step = y.stride,
                                       .outputs = one ? rows * count : rows,
                                       .lines = one ? 1 : count});
  }

  // Outputs [o, end), as many at once as there is memory for.
  void copied(Group const& g, std::int64_t o, std::int64_t end, TapRange const& s) const {
    for (const std::int64_t most = std::max<std::int64_t>(1, sums_ / g.signal.rows); o < end;) {
      const std::int64_t count = std::min(most, end - o);
      sum(g, o, count, s);
      store_neighbours(g.out, o - g.part.first, count, Place<C>::side_by_side(g.sums, g.out.rows));
      o += count;
    }
  }

  // Through a copy of the rows' windows, converted and extended, side by side.
  void sum(Group const& g, std::int64_t o, std::int64_t count, TapRange const& s) const {
    const std::int64_t rows = g.signal.rows, taps = s.highest - s.lowest + 1, before = taps_ - 1 - s.highest;
    if (taps <= 0) {
      std::fill_n(g.sums, rows * count, C{});
      return;
    }
    load_neighbours(g.signal, g.part.samples, o - s.highest, count + taps - 1, Place<C>::side_by_side(g.window, rows));
    simd_target().kernels<C>().across({.window = g.window,
                                       .window_step = 0,
                                       .taps = g.taps + before,
                                       .tap_step = rows,
                                       .count = taps,
                                       .before = before,
                                       .out = g.sums,
                                       .out_step = 0,
                                       .outputs = rows * count,
                                       .lines = 1});
  }

  Work work_;
  std::int64_t taps_;
  std::int64_t sums_;  // elements that are computed at once
};

}  // namespace gpuconv::detail

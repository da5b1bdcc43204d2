// How the rows of SIGNAL, FILTER and OUT lie along an axis: as loops with strides.
#pragma once

#include "npy.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace tool {

/// Elements from the first one of an array to a row.
struct Offsets {
  std::int64_t signal = 0, filter = 0, out = 0;
};

/// A dimension of the batch, or several that are one: `count` rows, each as much farther on as `step` says.
struct Loop {
  std::int64_t count = 1;
  Offsets step = {};
};

/// Adds a loop within those that are there; where the two are one, it becomes one with the last.
void add_loop(std::vector<Loop>& loops, Loop next);

/// Calls `f` with the offsets of each turn of the loops, the last one moving first.
template <class F>
void each_turn(std::span<Loop const> loops, Offsets at, F const& f) {
  if (loops.empty()) return f(at);
  Offsets const& step = loops[0].step;
  for (std::int64_t i = 0; i < loops[0].count; ++i) {
    each_turn(loops.subspan(1), at, f);
    at.signal += step.signal, at.filter += step.filter, at.out += step.out;
  }
}

enum class FilterRows : std::uint8_t { one, one_each, bank };

/// Elements are counted. OUT is in C order: `out` of a loop is 0 outside of the axis, where outputs follow each other.
struct Layout {
  std::int64_t samples = 1, taps = 1;                 ///< of a row
  std::int64_t signal_stride = 1, filter_stride = 1;  ///< along the axis; that of OUT is `inner_rows`
  std::vector<Loop> outer, inner;                     ///< dimensions before the axis and behind it
  std::int64_t rows = 1, inner_rows = 1;              ///< of the signal, and how many of them the inner loops are
  FilterRows filters = FilterRows::one;
  std::int64_t bank = 1, bank_stride = 0;               ///< filters of the bank
  bool signal_in_order = true, filter_in_order = true;  ///< the loops pass through the file from its begin to its end
  npy::Shape before, behind;  ///< dimensions of OUT: before the axis, and the bank's, and behind it

  npy::Shape out_shape(std::int64_t outputs) const;
};

/// The layout for two arrays that are not empty. A negative `axis` counts from the end. Throws npy::Error where the
/// axis is none of the signal's, or the filter fits neither all rows nor each.
Layout layout_of(npy::Reader const& signal, npy::Reader const& filter, std::int64_t axis, bool bank);

}  // namespace tool

// How a row's outputs are cut into blocks for the methods that transform: one description, and one search for the best.
#pragma once

#include "work.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <ranges>

namespace gpuconv::detail {

/// The least multiple of `unit` that is no less than n, which is not negative.
constexpr std::int64_t rounded_up(std::int64_t n, std::int64_t unit) { return (n + unit - 1) / unit * unit; }
constexpr std::int64_t rounded_down(std::int64_t n, std::int64_t unit) { return n / unit * unit; }

/// Block b takes `size` samples of the row; of its outputs the first `skip` wrap around, the next `step` are the row's
/// from b * step on.
struct Cut {
  std::int64_t size = 0, skip = 0, step = 0;

  constexpr std::int64_t blocks(std::int64_t outputs) const { return (outputs + step - 1) / step; }
  /// The first sample of block `b` where the row's outputs start at `first` within the full convolution: negative where
  /// the block starts before the row.
  constexpr std::int64_t origin(std::int64_t first, std::int64_t b) const { return first + b * step - skip; }
};

/// Overlap-save: what wraps around is skipped, in steps of `aligned` samples. No more than skipped where the step is
/// not positive.
constexpr Cut overlapping(std::int64_t size, std::int64_t taps, std::int64_t aligned) {
  const std::int64_t skip = rounded_up(taps - 1, aligned);
  return {size, skip, size - skip};
}

/// A whole row in one block, which starts where the row does, or less than `aligned` samples before it: what wraps
/// around to the row's outputs are the zeros behind it. The step is not positive where the row does not fit.
constexpr Cut whole_row(std::int64_t size, Axis const& axis, std::int64_t aligned) {
  const std::int64_t reach = axis.first < axis.filter - 1 ? axis.first : axis.filter - 1;
  const std::int64_t skip = rounded_up(reach, aligned);
  const std::int64_t zeros = axis.first - skip + size - axis.signal;  // behind the row
  const bool fits = axis.first >= 0 && axis.step == 1 && axis.filter <= size && skip + axis.outputs <= size &&
                    skip + (zeros > 0 ? zeros : 0) >= axis.filter - 1;
  return {size, skip, fits ? size - skip : 0};
}

/// The cut of least `cost(cut)` among blocks of `sizes`, from small to large; where one block holds the whole row,
/// larger ones only cost more. A cost that is infinite refuses the cut. The size is 0 if there is none.
template <class Sizes, class Cost>
constexpr Cut best_cut(Sizes const& sizes, std::int64_t taps, std::int64_t outputs, std::int64_t aligned, Cost cost) {
  Cut best;
  double least = std::numeric_limits<double>::infinity();
  for (std::int64_t const size : sizes) {
    const Cut cut = overlapping(size, taps, aligned);
    if (cut.step <= 0) continue;
    if (const double seconds = cost(cut); seconds < least) best = cut, least = seconds;
    if (cut.blocks(outputs) == 1) break;
  }
  return best;
}

/// The sizes from `smallest` to `largest`, each twice the one before.
constexpr auto doubling(std::int64_t smallest, std::int64_t largest) {
  const auto log2 = [](std::int64_t n) { return std::bit_width(static_cast<std::uint64_t>(n)); };
  const int count = largest < smallest ? 0 : static_cast<int>(log2(largest / smallest));
  return std::views::iota(0, count) | std::views::transform([smallest](int i) { return smallest << i; });
}

/// The same, and between those from `thirds` on, which is one of them, three times a power of two.
constexpr auto doubling(std::int64_t smallest, std::int64_t largest, std::int64_t thirds) {
  const auto below = static_cast<std::int64_t>(doubling(smallest, thirds / 2).size());
  const auto others = static_cast<std::int64_t>(doubling(thirds, largest).size());
  return std::views::iota(std::int64_t{0}, below + std::max<std::int64_t>(0, 2 * others - 1)) |
         std::views::transform([=](std::int64_t i) {
           if (i < below) return smallest << i;
           return (i - below) % 2 == 0 ? thirds << (i - below) / 2 : (thirds << (i - below) / 2) / 2 * 3;
         });
}

// ---- direct on the GPU -------------------------------------------------------------------------------------------

/// How outputs are cut into tiles: a group of a warp's lanes takes a tile of one row, each lane a run of its outputs.
struct Tile {
  int outputs = 0;  // per lane
  int lanes = 0;    // per group
  int groups = 0;   // per warp: groups * lanes is at most 32

  constexpr int width() const { return lanes * outputs; }
};

}  // namespace gpuconv::detail

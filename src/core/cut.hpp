// How a row's outputs are cut into blocks for the methods that transform: one description, and one search for the best.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <ranges>

namespace gpuconv::detail {

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
  const std::int64_t skip = (taps - 1 + aligned - 1) / aligned * aligned;
  return {size, skip, size - skip};
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

// ---- direct on the GPU -------------------------------------------------------------------------------------------

/// How outputs are cut into tiles: a group of a warp's lanes takes a tile of one row, each lane a run of its outputs.
struct Tile {
  int outputs = 0;  // per lane
  int lanes = 0;    // per group
  int groups = 0;   // per warp: groups * lanes is at most 32

  constexpr int width() const { return lanes * outputs; }
};

}  // namespace gpuconv::detail

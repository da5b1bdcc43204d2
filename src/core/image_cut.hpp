// How an image's outputs are cut into blocks of two dimensions, for the methods that transform.
//
// A block is `lines` lines of `pitch` samples one behind the other: a signal of one dimension. A filter whose lines lie
// as far apart, with zeros between them, makes its convolution that of two dimensions (Kronecker's substitution), but
// for the first columns of a line, which see the end of the line before it, and for the first lines. They are skipped
// as what wraps around is in one dimension. So one transform of one dimension does what row and column transforms
// would, in as many operations, and nothing is transposed.
#pragma once

#include "cut.hpp"

namespace gpuconv::detail {

/// Blocks of `size` samples, of whose outputs the first `skipped` of a line and the first lines of the filter but one
/// are dropped.
struct ImageCut {
  std::int64_t size = 0, pitch = 0, lines = 0;
  std::int64_t skipped = 0;  // the taps of a line but one, rounded up

  constexpr std::int64_t columns() const { return pitch - skipped; }  // outputs of a line
  constexpr std::int64_t rows(Work const& w) const { return lines - (w.lines.filter - 1); }
  constexpr std::int64_t across(Work const& w) const { return (w.axis.outputs + columns() - 1) / columns(); }
  constexpr std::int64_t down(Work const& w) const { return (w.lines.span() + rows(w) - 1) / rows(w); }
  constexpr std::int64_t blocks(Work const& w) const { return across(w) * down(w); }
  /// Samples before the first output in the block that is kept.
  constexpr std::int64_t before(Work const& w) const { return (w.lines.filter - 1) * pitch + skipped; }

  /// As a cut of the block's samples, one behind the other, and back.
  constexpr Cut flat(Work const& w) const { return {size, before(w), size - before(w)}; }
  static constexpr ImageCut of(Cut const& flat, std::int64_t pitch, Work const& w) {
    return {flat.size, pitch, most_lines(flat.size, pitch, w), flat.skip - (w.lines.filter - 1) * pitch};
  }
  /// Lines that a block holds, of those that an image's outputs need.
  static constexpr std::int64_t most_lines(std::int64_t size, std::int64_t pitch, Work const& w) {
    return std::min(size / pitch, w.lines.span() + w.lines.filter - 1);
  }
};

/// The cut of least `cost(cut)` for a whole image among blocks of `sizes`, from small to large, whose lines are whole
/// multiples of `aligned`. It follows the image and not the batch, so that an image's bits do not depend on that. The
/// size is 0 if there is none.
template <class Sizes, class Cost>
constexpr ImageCut best_image_cut(Work const& w, Sizes const& sizes, std::int64_t aligned, Cost cost) {
  constexpr std::int64_t kMostAcross = 200;  // blocks side by side
  ImageCut best;
  double least = std::numeric_limits<double>::infinity();
  for (std::int64_t const size : sizes) {
    for (std::int64_t across = 1; across <= std::min(kMostAcross, w.axis.outputs); ++across) {
      ImageCut cut{.size = size, .skipped = rounded_up(w.axis.filter - 1, aligned)};
      cut.pitch = rounded_up((w.axis.outputs + across - 1) / across + cut.skipped, aligned);
      cut.lines = ImageCut::most_lines(size, cut.pitch, w);
      if (cut.rows(w) <= 0) continue;
      if (const double seconds = cost(cut); seconds < least) best = cut, least = seconds;
    }
    if (best.size > 0 && best.blocks(w) == 1) break;
  }
  return best;
}

}  // namespace gpuconv::detail

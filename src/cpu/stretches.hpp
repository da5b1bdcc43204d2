// Which outputs of a row are summed with the same taps. The first tap decides where the pieces of a sum begin and in
// which order its products are added: whoever computes a row, by itself or together with others, cuts it so.
#pragma once

#include "../core/long_sum.hpp"
#include "../core/work.hpp"

#include <algorithm>
#include <cstdint>

namespace gpuconv::detail {

/// Outputs of a row, at most, whose sums are one piece and that are computed with all taps, whichever they need.
inline constexpr std::int64_t kShortOutputs = 2048;
constexpr bool are_short(Work const& work) {
  Axis const& a = work.axis;
  return a.full() <= kShortOutputs && std::min(a.signal, a.filter) <= kSumPiece && work.extension.is_zero() &&
         a.step == 1 && a.first >= 0 && a.first + a.outputs <= a.full();
}

/// Outputs that follow each other and are computed with the same taps.
struct Stretch {
  std::int64_t count;
  bool inside;  // all of them have whole windows
};

/// Taps that some of a stretch's outputs needs: none where `lowest` is above `highest`.
struct TapRange {
  std::int64_t lowest, highest;
};

class Stretches {
 public:
  static constexpr std::int64_t kOnePiece = 768;   // outputs: a row with no more is one stretch, padding included
  static constexpr std::int64_t kEdgePiece = 256;  // outputs at a row's edge that are one stretch

  /// `finite`: the taps; else zeros beyond the ends of a row must not meet them.
  Stretches(Work const& work, Part const& part, bool finite)
      : taps_(work.axis.filter),
        samples_(part.samples),
        first_(work.axis.first),
        extended_(!work.extension.is_zero()),
        short_(are_short(work) && !is_complex(work.result_type)),
        one_((finite || extended_) && (part.outputs <= kOnePiece || short_)) {}

  /// From output `o` of the full convolution on, before `end`.
  Stretch at(std::int64_t o, std::int64_t end) const {
    const std::int64_t inside = taps_ - 1;  // outputs [inside, samples) have a whole window
    if (one_) return {end - o, false};
    if (o >= inside && o < samples_) return {std::min(end, samples_) - o, true};
    const std::int64_t stop = piece_of(o) + kEdgePiece;
    return {std::min(stop, o < inside ? std::min(end, inside) : end) - o, false};
  }

  /// Those of the stretch of `count` outputs from `o` on; the same for all of a piece at the edge, wherever it is cut.
  TapRange taps(std::int64_t o, std::int64_t count) const {
    if (extended_ || short_) return {0, taps_ - 1};
    if (one_) return range(o, o + count);
    const std::int64_t piece = piece_of(o), inside = taps_ - 1;
    return range(o < samples_ ? o : piece, o < inside ? std::min(piece + kEdgePiece, inside) : piece + kEdgePiece);
  }

 private:
  // Where the piece of `o` begins: at the left edge they are counted from the row's first output, at the right one from
  // the first that lacks a sample.
  std::int64_t piece_of(std::int64_t o) const {
    const std::int64_t from = o < taps_ - 1 ? first_ : samples_;
    const std::int64_t pieces = (o - from) / kEdgePiece - ((o - from) % kEdgePiece < 0 ? 1 : 0);
    return from + pieces * kEdgePiece;
  }
  TapRange range(std::int64_t o, std::int64_t end) const {
    return {std::max<std::int64_t>(0, o - samples_ + 1), std::min(taps_ - 1, end - 1)};
  }

  std::int64_t taps_, samples_;
  std::int64_t first_;  // output of the row
  bool extended_, short_, one_;
};

}  // namespace gpuconv::detail

// Mean and variance of every window of a row, without a difference of large sums.
#pragma once

#include <cstdint>
#include <vector>

namespace gpuconv::recipes {

/// Of some numbers: their mean, and the sum of the squares of their distances from it.
struct Moments {
  double mean = 0, squares = 0;
};

/// The moments of every window of `size` numbers. A window is the end of one block of `size` numbers and the begin of
/// the next, for which moments are built up number by number (Welford, 1962) and put together (Chan, Golub and LeVeque,
/// 1979): sums of what is not negative, of the window's own numbers alone. So no variance is negative, that of equal
/// numbers is exactly 0, and what is large, or not finite, beside a window does not touch it.
class WindowMoments {
 public:
  explicit WindowMoments(std::int64_t size);

  /// out[k] for the windows that start at k = 0 to `windows` - 1; reads windows + size - 1 numbers.
  void operator()(double const* numbers, std::int64_t windows, Moments* out);

 private:
  // What one number more, beside `i` of them, or a part of i beside the rest of a window, adds.
  struct Share {
    double mean, squares;
  };
  static Moments with(Moments const& m, double number, Share const& share) {
    const double distance = number - m.mean;
    return {m.mean + distance * share.mean, m.squares + distance * distance * share.squares};
  }

  std::int64_t size_;
  std::vector<Share> number_, part_;
  std::vector<Moments> ends_, ends_ahead_;  // of the current block and of the next one: from each number to the last
};

/// Down the lines of an image, the same with moments in place of numbers: those of windows of `columns` numbers in each
/// line become those of windows of `lines` lines.
class MergedMoments {
 public:
  MergedMoments(std::int64_t lines, std::int64_t columns, std::int64_t width);

  /// `moments`, line after line of `width`, are replaced by those of `windows` windows down the lines.
  void operator()(Moments* moments, std::int64_t windows);

 private:
  // Of `a` lines and `b` others.
  Moments merged(Moments const& x, std::int64_t a, Moments const& y, std::int64_t b) const;

  std::int64_t lines_, columns_, width_;
  std::vector<Moments> ends_;   // of a block of lines, from each to its last one
  std::vector<Moments> begin_;  // of the next block's first lines
};

}  // namespace gpuconv::recipes

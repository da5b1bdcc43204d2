#include "moments.hpp"

#include "checks.hpp"

#include <algorithm>
#include <utility>

namespace gpuconv::recipes {

WindowMoments::WindowMoments(std::int64_t size)
    : size_(size),
      number_(zeros<Share>(size)),
      part_(zeros<Share>(size)),
      ends_(zeros<Moments>(size)),
      ends_ahead_(zeros<Moments>(size)) {
  const auto all = static_cast<double>(size);
  for (std::size_t i = 0; i < number_.size(); ++i) {
    const auto count = static_cast<double>(i);
    number_[i] = {1 / (count + 1), count / (count + 1)};
    part_[i] = {count / all, count * ((all - count) / all)};
  }
}

void WindowMoments::operator()(double const* numbers, std::int64_t windows, Moments* out) {
  const auto size = static_cast<std::size_t>(size_), count = static_cast<std::size_t>(windows) + size - 1;
  const auto add_end = [&](std::size_t i, double number) {
    ends_ahead_[i] = i + 1 < size ? with(ends_ahead_[i + 1], number, number_[size - 1 - i]) : Moments{number, 0};
  };
  for (std::size_t i = size; i-- > 0;) add_end(i, numbers[i]);
  for (std::size_t block = 0; block < static_cast<std::size_t>(windows); block += size) {
    std::swap(ends_, ends_ahead_);
    out[block] = ends_[0];
    double const* const next = numbers + block + size;
    const std::size_t left = count - block - size;  // numbers from the next block on
    const bool whole = left >= size;
    Moments begin;  // of the next block's first numbers
    // Either way through the next block at once: neither waits for the other's sums.
    for (std::size_t i = 0; i < std::min(size, left); ++i) {
      if (whole) add_end(size - 1 - i, next[size - 1 - i]);
      begin = with(begin, next[i], number_[i]);
      if (i + 1 == size || block + i + 1 >= static_cast<std::size_t>(windows)) continue;
      Moments const& end = ends_[i + 1];
      const double distance = begin.mean - end.mean;
      Share const& share = part_[i + 1];
      out[block + i + 1] = {end.mean + distance * share.mean,
                            end.squares + begin.squares + distance * distance * share.squares};
    }
  }
}

MergedMoments::MergedMoments(std::int64_t lines, std::int64_t columns, std::int64_t width)
    : lines_(lines),
      columns_(columns),
      width_(width),
      ends_(zeros<Moments>(gpuconv::detail::saturating_multiply(lines, width))),
      begin_(zeros<Moments>(width)) {}

Moments MergedMoments::merged(Moments const& x, std::int64_t a, Moments const& y, std::int64_t b) const {
  const auto first = static_cast<double>(a), second = static_cast<double>(b), share = second / (first + second);
  const double distance = y.mean - x.mean;
  return {x.mean + distance * share,
          x.squares + y.squares + distance * distance * (static_cast<double>(columns_) * first * share)};
}

void MergedMoments::operator()(Moments* moments, std::int64_t windows) {
  const std::int64_t all = windows + lines_ - 1;
  const auto line = [&](std::int64_t i) { return moments + i * width_; };
  const auto end = [&](std::int64_t i) { return ends_.data() + i * width_; };
  for (std::int64_t block = 0; block < windows; block += lines_) {
    std::copy_n(line(block + lines_ - 1), width_, end(lines_ - 1));
    for (std::int64_t i = lines_ - 1; i-- > 0;)
      for (std::int64_t k = 0; k < width_; ++k)
        end(i)[k] = merged(end(i + 1)[k], lines_ - 1 - i, line(block + i)[k], 1);
    std::copy_n(end(0), width_, line(block));
    const std::int64_t next = block + lines_;
    for (std::int64_t i = 0; i + 1 < lines_ && next + i < all; ++i)
      for (std::int64_t k = 0; k < width_; ++k) {
        Moments& begin = begin_[static_cast<std::size_t>(k)];
        begin = i == 0 ? line(next)[k] : merged(begin, i, line(next + i)[k], 1);
        line(block + i + 1)[k] = merged(end(i + 1)[k], lines_ - 1 - i, begin, i + 1);
      }
  }
}

}  // namespace gpuconv::recipes

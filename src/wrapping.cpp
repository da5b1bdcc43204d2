#include "wrapping.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace gpuconv::detail {
namespace {

__extension__ typedef unsigned __int128 Wide;

/// The values of an integer type: the largest, and the magnitude of the smallest.
struct Range {
  std::uint64_t above, below;
};
Range range_of(Type type) {
  return visit_type(type, []<class T>(std::type_identity<T>) -> Range {
    if constexpr (!is_integer(type_of<T>)) return {0, 0};
    else
      return {static_cast<std::uint64_t>(std::numeric_limits<T>::max()),
              std::uint64_t{0} - static_cast<std::uint64_t>(std::numeric_limits<T>::min())};
  });
}

/// Magnitudes of the positive and of the negative taps of a window, added up: fewer than 2^63 of up to 64 bits fit.
struct Magnitudes {
  Wide positive = 0, negative = 0;

  Magnitudes& operator+=(Magnitudes const& m) { return positive += m.positive, negative += m.negative, *this; }
  Magnitudes& operator-=(Magnitudes const& m) { return positive -= m.positive, negative -= m.negative, *this; }
};
template <class T>
Magnitudes magnitudes_of(T tap) {
  const auto bits = static_cast<std::uint64_t>(tap);
  const bool below = std::is_signed_v<T> && bits >> 63;
  return {.positive = below ? 0 : bits, .negative = below ? 0 - bits : 0};
}

/// sum * value where that is below 2^65, else something above: no result holds either.
Wide product(Wide sum, std::uint64_t value) {
  constexpr Wide beyond = Wide{1} << 64;
  return std::min(std::min(sum, beyond) * value, 2 * beyond);
}

/// Whether a result holds the sum of such a window for every signal. Zero is among the signal's values, so that no part
/// of the window reaches further than all of it.
bool holds(Range const& result, Range const& signal, Magnitudes const& taps) {
  return product(taps.positive, signal.above) + product(taps.negative, signal.below) <= result.above &&
         product(taps.positive, signal.below) + product(taps.negative, signal.above) <= result.below;
}

bool types_rule_it_out(Work const& w) {
  const Range signal = range_of(w.signal_type), result = range_of(w.result_type), tap = range_of(w.filter_type);
  const auto count = static_cast<std::uint64_t>(w.products());
  return holds(result, signal, {.positive = Wide{tap.above} * count, .negative = 0}) &&
         holds(result, signal, {.positive = 0, .negative = Wide{tap.below} * count});
}

/// Whether some output meets the whole filter with samples of the signal alone.
bool has_whole_window(Axis const& a) {
  const std::int64_t missing = a.filter - 1 - a.first;
  const std::int64_t o = missing > 0 ? (missing + a.step - 1) / a.step : 0;
  return o < a.outputs && a.first + o * a.step < a.signal;
}

/// Taps one after the other, `stride` elements apart, and their lines `line_stride` apart.
template <class T>
struct Taps {
  const T* first;
  std::int64_t stride, line_stride;

  Taps line(std::int64_t l) const { return {first + l * line_stride, stride, line_stride}; }

  Magnitudes operator[](std::int64_t j) const { return magnitudes_of(first[j * stride]); }
};

/// Whether the window of some output, the taps that meet a sample, is more than a result holds for every signal.
template <class T>
bool some_window_wraps(Work const& w, Taps<T> const& taps) {
  const Range signal = range_of(w.signal_type), result = range_of(w.result_type);
  Axis const& a = w.axis;
  Magnitudes window;
  std::int64_t begin = 0, end = 0;  // taps of the window
  for (std::int64_t o = 0; o < a.outputs && begin < a.filter; ++o) {
    const std::int64_t k = a.first + o * a.step;
    for (; end <= std::min(k, a.filter - 1); ++end) window += taps[end];
    for (; begin <= std::min(k - a.signal, a.filter - 1); ++begin) window -= taps[begin];
    if (!holds(result, signal, window)) return true;
  }
  return false;
}

/// Whether sums can wrap in rows with this filter.
template <class T>
Wrapping wrapping_of(Work const& w, Taps<T> const& taps) {
  Magnitudes all;
  for (std::int64_t i = 0; i < w.lines.filter; ++i)
    for (std::int64_t j = 0; j < w.axis.filter; ++j) all += taps.line(i)[j];
  if (holds(range_of(w.result_type), range_of(w.signal_type), all)) return Wrapping::never;
  if (has_whole_window(w.axis) && has_whole_window(w.lines)) return Wrapping::possible;
  // Beyond the ends one sample meets several taps, which may cancel; windows of images that are not whole are not
  // tried.
  if (!w.extension.is_zero() || w.has_lines()) return Wrapping::unknown;
  return some_window_wraps(w, taps) ? Wrapping::possible : Wrapping::never;
}

/// Saturated results wrap where sums of 64 bits do.
Work as_summed(Work work) {
  if (work.saturated && is_integer(work.signal_type) && is_integer(work.filter_type))
    work.result_type = default_result(work.signal_type, work.filter_type);
  return work;
}

}  // namespace

Wrapping wrapping(Work const& work) {
  if (work.compute_type() != Type::uint64) return Wrapping::never;
  return types_rule_it_out(as_summed(work)) ? Wrapping::never : Wrapping::unknown;
}

Wrapping wrapping(Work const& work, Input const& filters) {
  if (wrapping(work) == Wrapping::never) return Wrapping::never;
  const Work w = as_summed(work);
  return visit_type(filters.type, [&]<class T>(std::type_identity<T>) {
    Wrapping all = Wrapping::never;
    if constexpr (is_integer(type_of<T>))
      for (std::int64_t f = 0; f < w.filters() && all != Wrapping::possible; ++f) {
        const Taps<T> taps{static_cast<const T*>(filters.data) + f * filters.outer, filters.stride, filters.line};
        if (const Wrapping one = wrapping_of(w, taps); one != Wrapping::never) all = one;
      }
    return all;
  });
}

}  // namespace gpuconv::detail

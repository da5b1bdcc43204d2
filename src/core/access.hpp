// How an operand lies in memory: what the loaders and storers of every method obey.
#pragma once

#include "work.hpp"

#include <cstdint>
#include <type_traits>

namespace gpuconv::detail {

/// The element of a row of `size` elements that stands at index i of its extension, or -1 where none does. Source: the
/// modes of scipy.ndimage, with the period of the extension, so that any i is right.
constexpr std::int64_t extended_index(Boundary boundary, std::int64_t i, std::int64_t size) {
  if (i >= 0 && i < size) return i;
  const auto modulo = [i](std::int64_t period) { return (i % period + period) % period; };
  switch (boundary) {
    case Boundary::nearest:
      return i < 0 ? 0 : size - 1;
    case Boundary::wrap:
      return modulo(size);
    case Boundary::reflect: {
      const std::int64_t at = modulo(2 * size);
      return at < size ? at : 2 * size - 1 - at;
    }
    case Boundary::mirror: {
      if (size == 1) return 0;
      const std::int64_t at = modulo(2 * size - 2);
      return at < size ? at : 2 * size - 2 - at;
    }
    default:
      return -1;
  }
}

/// Whether what is beyond the range of integers that are written is their nearest value, and of which sums.
enum class Saturation : std::uint8_t { none, of_signed, of_unsigned };

/// Elements of type `type`: element i of a row is `stride` * i elements from the row's first, that of line l of an
/// image `line` * l more, and rows are `outer` and `inner` elements apart in the loops of the work. Any of them may be
/// negative or, for what is read, 0. `Void`: `void const` for what is read, `void` for what is written.
template <class Void>
struct Access {
  Void* data = nullptr;  // element 0 of row 0
  Type type = Type::float32;
  std::int64_t outer = 0, inner = 0;
  std::int64_t stride = 1;
  Extension extension = {};  // what is read beyond the ends of a row
  bool conjugated = false;   // of complex elements that are read
  /// Of the real parts of complex elements: elements of `type` from each to its imaginary part. 0: they have none.
  std::int64_t imaginary = 0;
  std::int64_t line = 0;   // elements from a line of an image to the next one
  std::int64_t every = 1;  // of what is written: output i is kept, as element i / every, where that leaves no rest
  Saturation saturation = Saturation::none;  // of what is written: sums of 64 bits are signed or not

  /// Elements from `data` to the first one of `row`.
  constexpr std::int64_t offset(Loops const& loops, std::int64_t row) const {
    const Loops::Turn turn = loops.turn(row);
    return loops.inner.count == 1 ? turn.outer * outer : turn.outer * outer + turn.inner * inner;
  }
  /// Whether a row can be used as an array of `C` where it lies.
  template <class C>
  constexpr bool is_array_of() const {
    return same_bits<C>(type) && stride == 1 &&
           (std::is_const_v<Void> || (every == 1 && saturation == Saturation::none));
  }
  /// The element that output i becomes, or -1 where it is not kept.
  constexpr std::int64_t kept(std::int64_t i) const {
    if (every == 1) return i;
    return i % every == 0 ? i / every : -1;
  }
};

/// The same from `elements` further on.
template <class Void>
constexpr Access<Void> advanced(Access<Void> access, std::int64_t elements) {
  using Bytes = std::conditional_t<std::is_const_v<Void>, char const, char>;
  access.data = static_cast<Bytes*>(access.data) + elements * static_cast<std::int64_t>(size_of(access.type));
  return access;
}

/// The same with the elements of a row of `size` from the last to the first.
template <class Void>
constexpr Access<Void> reversed(Access<Void> const& access, std::int64_t size) {
  Access<Void> out = advanced(access, (size - 1) * access.stride);
  out.stride = -access.stride;
  return out;
}

/// The same from line `line` of each image on.
template <class Void>
constexpr Access<Void> at_line(Access<Void> const& access, std::int64_t line) {
  return advanced(access, line * access.line);
}

/// The same with the lines of an image of `lines` from the last to the first.
template <class Void>
constexpr Access<Void> upside_down(Access<Void> const& access, std::int64_t lines) {
  Access<Void> out = at_line(access, lines - 1);
  out.line = -access.line;
  return out;
}

/// The elements that a stride passes, in either direction.
constexpr std::uint64_t distance(std::int64_t stride) {
  const auto bits = static_cast<std::uint64_t>(stride);
  return stride < 0 ? 0 - bits : bits;
}
/// Whether rows `row` elements apart lie across memory, such as the columns of a matrix: the next row's sample is
/// nearer than the row's next one.
constexpr bool lies_across(std::int64_t row, std::int64_t element) {
  return row != 0 && distance(row) < distance(element);
}
template <class Void>
constexpr bool lies_across(Access<Void> const& a) {
  return lies_across(a.outer, a.stride);
}

using Input = Access<void const>;
using Output = Access<void>;

}  // namespace gpuconv::detail

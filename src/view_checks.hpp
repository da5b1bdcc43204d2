// What views that callers pass have to be, before anything is read or written.
#pragma once

#include "text.hpp"

#include <gpuconv/error.hpp>
#include <gpuconv/view.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <type_traits>
#include <utility>

namespace gpuconv::detail {

struct Bytes {
  std::uintptr_t begin, end;
};

// An axis of a view: how many, and elements from each to the next.
struct Dimension {
  std::int64_t count, stride;
};
template <class Void>
std::array<Dimension, 3> dimensions(AnyRowsView<Void> const& v) {
  return {{{v.rows(), v.stride()}, {v.lines(), v.line_stride()}, {v.columns(), v.element_stride()}}};
}

// The bytes from the first to the last element of a view that was checked.
template <class Void>
Bytes extent(AnyRowsView<Void> const& v) {
  const std::int64_t size = static_cast<std::int64_t>(size_of(v.type()));
  std::int64_t below = 0, above = 0;
  for (auto const [count, stride] : dimensions(v)) {
    const std::int64_t span = (count - 1) * stride;
    below += std::min<std::int64_t>(span, 0), above += std::max<std::int64_t>(span, 0);
  }
  const auto first = reinterpret_cast<std::uintptr_t>(v.data());
  const auto at = [&](std::int64_t element) { return first + static_cast<std::uintptr_t>(element * size); };
  return {at(below), at(above + 1)};
}

// Whether no two elements are one: along each axis they lie further apart than those of nearer axes reach together, in
// any order of the axes. So either rows lie apart or, with elements far apart, rows between each other's.
template <class Void>
bool elements_are_apart(AnyRowsView<Void> const& v) {
  if (v.rows() == 1 && v.lines() == 1) return v.columns() == 1 || v.element_stride() != 0;  // short calls' case
  std::array<Dimension, 3> all = dimensions(v);
  for (Dimension& d : all) d.stride = std::abs(d.stride);
  const auto order = [&](std::size_t a, std::size_t b) {
    if (all[b].stride < all[a].stride) std::swap(all[a], all[b]);
  };
  order(0, 1), order(1, 2), order(0, 1);
  std::int64_t reach = 0;
  for (auto const [count, stride] : all) {
    if (count == 1) continue;
    if (stride <= reach) return false;
    reach += (count - 1) * stride;
  }
  return true;
}

// "3 x 480 x 640", or rows and columns where there are no lines.
inline std::string shape_text(std::int64_t rows, std::int64_t lines, std::int64_t columns, bool image) {
  return image ? text(rows, " x ", lines, " x ", columns) : text(rows, " x ", columns);
}

/// Throws InvalidArgument for a view of another shape or type, and for one that cannot be read or written.
template <class Void>
void check_view(AnyRowsView<Void> const& v, const char* what, std::int64_t rows, std::int64_t lines,
                std::int64_t columns, Type type) {
  if (v.type() != type)
    throw InvalidArgument(text("the ", what, " is ", name(v.type()), ", the plan expects ", name(type)));
  const bool image = lines != 1 || v.lines() != 1;
  if (v.rows() != rows || v.lines() != lines || v.columns() != columns)
    throw InvalidArgument(text("the ", what, " is ", shape_text(v.rows(), v.lines(), v.columns(), image),
                               ", the plan expects ", shape_text(rows, lines, columns, image)));
  if (!v.data()) throw InvalidArgument(text("the ", what, " is a null pointer"));
  if (reinterpret_cast<std::uintptr_t>(v.data()) % size_of(type) != 0)
    throw InvalidArgument(text("the ", what, " is not aligned to its element type ", name(type)));
  const auto strides = [&] {
    return text("a row stride of ", v.stride(), image ? text(", a line stride of ", v.line_stride()) : "",
                " and an element stride of ", v.element_stride());
  };
  // A part of the range for each stride, so that no sum of them overflows.
  const std::int64_t size = (image ? 4 : 2) * static_cast<std::int64_t>(size_of(type));
  const auto overflows = [&](std::int64_t count, std::int64_t stride) {
    std::int64_t bytes;
    return __builtin_mul_overflow(count - 1, stride, &bytes) || __builtin_mul_overflow(bytes, size, &bytes);
  };
  if (overflows(rows, v.stride()) || overflows(lines, v.line_stride()) || overflows(columns, v.element_stride()))
    throw InvalidArgument(text("the ", what, " with ", strides(), " overflows 64-bit sizes"));
  // Rows that are read may overlap (windows of one signal) or be one row or element again; those written may not.
  if (!std::is_const_v<Void> && !elements_are_apart(v))
    throw InvalidArgument(text("the ", what, " with ", strides(), " has elements in the same place"));
}

/// Throws InvalidArgument where the bytes from the first to the last element of both have some in common. Both were
/// checked.
inline void check_apart(AnyRowsView<void const> const& signal, AnyRowsView<void> const& out) {
  const Bytes in = extent(signal), result = extent(out);
  if (in.begin < result.end && result.begin < in.end)
    throw InvalidArgument("the address ranges of signal and output overlap");
}

}  // namespace gpuconv::detail

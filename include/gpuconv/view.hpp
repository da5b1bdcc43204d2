// Views of host memory: rows of samples, with a stride between them. Views own nothing and are cheap to copy. Views of
// device memory are other types (device.hpp), so that neither can be passed for the other.
#pragma once

#include <gpuconv/types.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <ranges>
#include <type_traits>

namespace gpuconv {

/// Shape of a batch in memory. `stride`: elements from the start of one row to the next; without one, rows follow each
/// other. `element_stride`: elements from one of a row to the next. Either may be negative: a row backwards, rows from
/// the last to the first, the columns of a matrix (stride 1, element stride of its width), channels that alternate, the
/// real parts of complex numbers. Rows that a call reads may overlap (sliding windows of one signal) or be the same row
/// again (a stride of 0); elements that it writes may not.
struct Rows {
  std::int64_t rows = 1;
  std::int64_t columns = 0;
  std::optional<std::int64_t> stride = {};
  std::int64_t element_stride = 1;
};

/// Shape of images in memory, rows of a batch that have lines: an image's own rows are called lines here. `stride`:
/// elements from the start of one image to the next; without one, images follow each other. `line_stride`: elements
/// from one line of an image to the next; without one, lines follow each other. `element_stride`: elements from one of
/// a line to the next. All as in `Rows`: a crop has the line stride of what it is cut from, a channel of an interleaved
/// photograph an element stride, an image upside down a negative line stride.
struct Images {
  std::int64_t images = 1;
  std::int64_t lines = 1;
  std::int64_t columns = 0;
  std::optional<std::int64_t> stride = {};
  std::optional<std::int64_t> line_stride = {};
  std::int64_t element_stride = 1;
};

namespace detail {

template <class R>
concept ElementRange = std::ranges::contiguous_range<R> && std::ranges::sized_range<R> &&
    Element<std::remove_reference_t<std::ranges::range_reference_t<R>>>;

template <class R>
concept OutputRange = ElementRange<R> && !std::is_const_v<std::remove_reference_t<std::ranges::range_reference_t<R>>>;

// A range whose elements a view of T can be of: the same ones, or a const view of them.
template <class R, class T>
concept RangeOf = ElementRange<R> && std::convertible_to < std::remove_reference_t<std::ranges::range_reference_t<R>>(*)
[], T (*)[] > ;

// Elements of T can be seen as Void: what is const can only be read.
template <class T, class Void>
concept SeenAs = Element<T> &&(std::is_const_v<Void> || !std::is_const_v<T>);

// What all views have in common: where the rows are.
template <class T>
class RowsView {
 public:
  constexpr T* data() const noexcept { return data_; }
  constexpr std::int64_t rows() const noexcept { return rows_; }
  constexpr std::int64_t columns() const noexcept { return columns_; }
  constexpr std::int64_t stride() const noexcept { return stride_; }
  constexpr std::int64_t element_stride() const noexcept { return element_stride_; }
  /// Lines of a row; 1 unless rows are images.
  constexpr std::int64_t lines() const noexcept { return lines_; }
  constexpr std::int64_t line_stride() const noexcept { return line_stride_; }
  constexpr T* row(std::int64_t r) const noexcept requires(!std::is_void_v<T>) { return data_ + r * stride_; }

 protected:
  constexpr RowsView(T* data, Rows shape) noexcept
      : data_(data),
        rows_(shape.rows),
        columns_(shape.columns),
        stride_(shape.stride ? *shape.stride : extent(shape.columns, shape.element_stride)),
        element_stride_(shape.element_stride),
        lines_(1),
        line_stride_(extent(shape.columns, shape.element_stride)) {}
  constexpr RowsView(T* data, Images shape) noexcept
      : data_(data),
        rows_(shape.images),
        columns_(shape.columns),
        stride_(shape.stride ? *shape.stride : extent(shape.lines, line_after_line(shape))),
        element_stride_(shape.element_stride),
        lines_(shape.lines),
        line_stride_(line_after_line(shape)) {}
  template <class U>
  constexpr RowsView(T* data, RowsView<U> const& shape) noexcept
      : data_(data),
        rows_(shape.rows()),
        columns_(shape.columns()),
        stride_(shape.stride()),
        element_stride_(shape.element_stride()),
        lines_(shape.lines()),
        line_stride_(shape.line_stride()) {}

 private:
  // Calls refuse what overflows.
  static constexpr std::int64_t extent(std::int64_t count, std::int64_t each) noexcept {
    std::int64_t stride = 0;
    return __builtin_mul_overflow(count, each, &stride) ? INT64_MAX : stride;
  }
  static constexpr std::int64_t line_after_line(Images const& shape) noexcept {
    return shape.line_stride ? *shape.line_stride : extent(shape.columns, shape.element_stride);
  }

  T* data_;
  std::int64_t rows_, columns_, stride_, element_stride_, lines_, line_stride_;
};

// The same with an element type known at run time. `Void` is `void const` (what a call reads) or `void` (what it
// writes).
template <class Void>
class AnyRowsView : public RowsView<Void> {
 public:
  constexpr Type type() const noexcept { return type_; }

 protected:
  template <SeenAs<Void> T>
  constexpr explicit AnyRowsView(RowsView<T> view) noexcept : RowsView<Void>(view.data(), view), type_(type_of<T>) {}
  template <class Shape>
  constexpr AnyRowsView(Void* data, Type type, Shape shape) noexcept : RowsView<Void>(data, shape), type_(type) {}

 private:
  Type type_;
};

}  // namespace detail

/// A `[rows][columns]` array of `T` in host memory, or `[images][lines][columns]`.
template <Element T>
class HostView : public detail::RowsView<T> {
 public:
  /// One row of `columns` elements.
  constexpr HostView(T* data, std::int64_t columns) noexcept : HostView(data, Rows{.columns = columns}) {}
  /// `shape.rows` rows; the caller guarantees that every row lies in valid memory.
  constexpr HostView(T* data, Rows shape) noexcept : detail::RowsView<T>(data, shape) {}
  /// `shape.images` images; the caller guarantees that every line lies in valid memory.
  template <std::same_as<Images> Shape>
  constexpr HostView(T* data, Shape shape) noexcept : detail::RowsView<T>(data, shape) {}
  /// One row: any contiguous range (std::vector, std::array, std::span, a C array).
  template <detail::RangeOf<T> R>
  constexpr HostView(R&& range) noexcept
      : HostView(std::ranges::data(range), static_cast<std::int64_t>(std::ranges::size(range))) {}
};

template <detail::ElementRange R>
HostView(R&&) -> HostView<std::remove_reference_t<std::ranges::range_reference_t<R>>>;

/// A `HostView` whose element type is known at run time. `Void` is `void const` (what a call reads) or `void` (what
/// it writes).
template <class Void>
class AnyHostView : public detail::AnyRowsView<Void> {
 public:
  template <detail::SeenAs<Void> T>
  constexpr AnyHostView(HostView<T> view) noexcept : detail::AnyRowsView<Void>(view) {}
  template <detail::ElementRange R>
  requires(std::is_const_v<Void> || detail::OutputRange<R>) constexpr AnyHostView(R&& range) noexcept
      : AnyHostView(HostView(range)) {}
  /// `stride` of `shape` counts elements of `type`.
  constexpr AnyHostView(Void* data, Type type, Rows shape) noexcept : detail::AnyRowsView<Void>(data, type, shape) {}
  /// Images; the strides of `shape` count elements of `type`.
  template <std::same_as<Images> Shape>
  constexpr AnyHostView(Void* data, Type type, Shape shape) noexcept : detail::AnyRowsView<Void>(data, type, shape) {}
};

/// Host memory that a call reads.
using HostInput = AnyHostView<void const>;
/// Host memory that a call writes.
using HostOutput = AnyHostView<void>;

}  // namespace gpuconv

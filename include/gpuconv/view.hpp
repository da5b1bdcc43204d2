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
/// other. Rows that a call reads may overlap (a stride below `columns`: sliding windows of one signal) or be the same
/// row again (a stride of 0); rows that it writes may not.
struct Rows {
  std::int64_t rows = 1;
  std::int64_t columns = 0;
  std::optional<std::int64_t> stride = {};
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
  constexpr T* row(std::int64_t r) const noexcept requires(!std::is_void_v<T>) { return data_ + r * stride_; }

 protected:
  constexpr RowsView(T* data, Rows shape) noexcept
      : data_(data), rows_(shape.rows), columns_(shape.columns), stride_(shape.stride.value_or(shape.columns)) {}
  template <class U>
  constexpr RowsView(T* data, RowsView<U> const& shape) noexcept
      : data_(data), rows_(shape.rows()), columns_(shape.columns()), stride_(shape.stride()) {}

 private:
  T* data_;
  std::int64_t rows_, columns_, stride_;
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
  constexpr AnyRowsView(Void* data, Type type, Rows shape) noexcept : RowsView<Void>(data, shape), type_(type) {}

 private:
  Type type_;
};

}  // namespace detail

/// A `[rows][columns]` array of `T` in host memory.
template <Element T>
class HostView : public detail::RowsView<T> {
 public:
  /// One row of `columns` elements.
  constexpr HostView(T* data, std::int64_t columns) noexcept : HostView(data, Rows{.columns = columns}) {}
  /// `shape.rows` rows; the caller guarantees that every row lies in valid memory.
  constexpr HostView(T* data, Rows shape) noexcept : detail::RowsView<T>(data, shape) {}
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
};

/// Host memory that a call reads.
using HostInput = AnyHostView<void const>;
/// Host memory that a call writes.
using HostOutput = AnyHostView<void>;

}  // namespace gpuconv

// Operands that lie in memory as callers may have them: with gaps, as columns, every other element, backwards.
#pragma once

#include "support/array.hpp"

#include <gpuconv/device.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace gpuconv::test {

enum class Placement { side_by_side, gaps, columns, every_other, backwards };
inline constexpr const char* kPlacements[] = {"rows side by side", "gaps between rows", "columns of a matrix",
                                              "every other element", "elements and rows backwards"};

/// A copy of bytes in device memory, and what became of it.
inline DeviceBuffer<std::uint8_t> uploaded(std::vector<std::byte> const& bytes) {
  DeviceBuffer<std::uint8_t> buffer(std::ssize(bytes));
  copy(HostView(reinterpret_cast<std::uint8_t const*>(bytes.data()), std::ssize(bytes)), buffer);
  return buffer;
}
inline void download(DeviceBuffer<std::uint8_t> const& buffer, std::vector<std::byte>& bytes) {
  copy(buffer, HostView(reinterpret_cast<std::uint8_t*>(bytes.data()), std::ssize(bytes)));
}

/// Memory with an array's rows somewhere in it; all other bytes are 0xFF.
class Placed {
 public:
  /// `all_first`: a row stride of 0, all rows are the first one.
  Placed(Array const& array, Placement placement, bool all_first = false)
      : type_(array.type()), size_(static_cast<std::int64_t>(size_of(type_))) {
    const std::int64_t rows = array.rows(), columns = array.columns();
    const auto place = [&](std::int64_t first, std::int64_t stride, std::int64_t element_stride,
                           std::int64_t elements) {
      first_ = first;
      shape_ = {.rows = rows, .columns = columns, .stride = stride, .element_stride = element_stride};
      memory_.assign(static_cast<std::size_t>(elements * size_), std::byte{0xFF});
    };
    switch (placement) {
      case Placement::side_by_side:
        place(0, columns, 1, rows * columns);
        break;
      case Placement::gaps:
        place(3, columns + 5, 1, rows * (columns + 5) + 3);
        break;
      case Placement::columns:
        place(0, 1, rows, rows * columns);
        break;
      case Placement::every_other:
        place(1, 2 * columns, 2, 2 * rows * columns + 1);
        break;
      case Placement::backwards:
        place(rows * columns - 1, -columns, -1, rows * columns);
        break;
    }
    if (all_first) shape_.stride = 0;
    put(array, all_first ? 1 : rows);
  }
  /// Rows of any shape, with no more memory than what is from their lowest element to their highest one.
  Placed(Array const& array, Rows shape)
      : type_(array.type()), size_(static_cast<std::int64_t>(size_of(type_))), shape_(shape) {
    std::int64_t highest = 0;
    for (const std::int64_t last : {(shape.rows - 1) * *shape.stride, (shape.columns - 1) * shape.element_stride})
      (last < 0 ? first_ : highest) += std::abs(last);
    memory_.assign(static_cast<std::size_t>((first_ + highest + 1) * size_), std::byte{0xFF});
    put(array, array.rows());
  }

  HostInput input() const { return {memory_.data() + first_ * size_, type_, shape_}; }
  HostOutput output() { return {memory_.data() + first_ * size_, type_, shape_}; }

  /// Puts the rows into an array of the same shape.
  void take_out(Array& array) {
    for (std::int64_t r = 0; r < array.rows(); ++r)
      for (std::int64_t c = 0; c < array.columns(); ++c)
        std::memcpy(const_cast<std::byte*>(array.bytes(r).data()) + c * size_, at(r, c),
                    static_cast<std::size_t>(size_));
  }
  /// Whether all that is not of the rows is as it was.
  bool rest_is_untouched() const {
    Placed erased = *this;
    for (std::int64_t r = 0; r < shape_.rows; ++r)
      for (std::int64_t c = 0; c < shape_.columns; ++c)
        std::memset(erased.at(r, c), 0xFF, static_cast<std::size_t>(size_));
    return std::ranges::all_of(erased.memory_, [](std::byte b) { return b == std::byte{0xFF}; });
  }
  bool operator==(Placed const& other) const { return memory_ == other.memory_; }

  /// Copies in device memory, and what became of them.
  DeviceBuffer<std::uint8_t> upload() const { return uploaded(memory_); }
  void download(DeviceBuffer<std::uint8_t> const& buffer) { test::download(buffer, memory_); }
  DeviceInput input(DeviceBuffer<std::uint8_t> const& buffer) const {
    return {buffer.data() + first_ * size_, type_, shape_};
  }
  DeviceOutput output(DeviceBuffer<std::uint8_t>& buffer) const {
    return {buffer.data() + first_ * size_, type_, shape_};
  }

 private:
  void put(Array const& array, std::int64_t rows) {
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t c = 0; c < array.columns(); ++c)
        std::memcpy(at(r, c), array.bytes(r).data() + c * size_, static_cast<std::size_t>(size_));
  }
  std::byte* at(std::int64_t r, std::int64_t c) {
    return memory_.data() + (first_ + r * *shape_.stride + c * shape_.element_stride) * size_;
  }

  Type type_;
  std::int64_t size_, first_ = 0;
  Rows shape_;
  std::vector<std::byte> memory_;
};

}  // namespace gpuconv::test

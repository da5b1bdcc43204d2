// Copies within host memory, by several threads: between callers' arrays, whatever their strides, and staging memory.
#pragma once

#include <cstdint>

namespace gpuconv::detail {

/// Rows of elements. Strides are in bytes, from row to row and from element to element; either may be negative.
template <class Void>
struct ElementRows {
  Void* data;
  std::int64_t stride, element_stride;
};

/// Copies `rows` x `columns` elements of `element` bytes: 1, 2, 4, 8 or 16.
void copy_on_host(ElementRows<void> to, ElementRows<void const> from, std::int64_t rows, std::int64_t columns,
                  std::int64_t element, int threads);

/// Rows of a caller's array that are images, or have one line each. Strides are in bytes.
template <class Void>
struct ElementImages {
  Void* data;
  std::int64_t stride, line_stride, element_stride;
};
struct ImageCount {
  std::int64_t images, lines, columns;
};

/// The same of images.
void copy_on_host(ElementImages<void> to, ElementImages<void const> from, ImageCount const& count, std::int64_t element,
                  int threads);

}  // namespace gpuconv::detail

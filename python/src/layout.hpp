// How an array lies in memory, of the host or of a device: all that is read of it, whoever it belongs to.
#pragma once

#include "numpy.hpp"

#include <bit>
#include <cstdint>

namespace gpuconv::python {

/// Elements of `size` bytes from `data` on, the next one along each axis `strides` bytes further. The array owns what
/// is pointed to.
struct Layout {
  char* data;
  npy_intp size;
  int axes;
  npy_intp const* counts;
  npy_intp const* strides;
};

inline Layout layout_of(PyArrayObject* array) {
  return {PyArray_BYTES(array), PyArray_ITEMSIZE(array), PyArray_NDIM(array), PyArray_DIMS(array),
          PyArray_STRIDES(array)};
}

/// How many elements of `size` bytes, a power of two, a stride of whole elements passes.
constexpr std::int64_t elements_of(npy_intp bytes, npy_intp size) {
  return bytes >> std::countr_zero(static_cast<std::uintptr_t>(size));
}

/// Whether the elements are aligned to their size, a power of two, and a whole number of them apart.
inline bool is_of_whole_elements(Layout const& layout) {
  auto places = reinterpret_cast<std::uintptr_t>(layout.data);
  for (int axis = 0; axis < layout.axes; ++axis)
    if (layout.counts[axis] > 1) places |= static_cast<std::uintptr_t>(layout.strides[axis]);
  return (places & static_cast<std::uintptr_t>(layout.size - 1)) == 0;
}

/// Whether no two elements can be in one place. Some arrays with odd strides are taken for worse than they are.
bool elements_lie_apart(Layout const& layout);

/// Whether the address ranges that two arrays span have anything in common.
bool ranges_overlap(Layout const& a, Layout const& b);

}  // namespace gpuconv::python

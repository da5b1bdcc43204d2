// How an array lies in memory, of the host or of a device: all that is read of it, whoever it belongs to.
#pragma once

#include "numpy.hpp"

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

/// Whether the elements are aligned to their size, and a whole number of them apart.
bool is_of_whole_elements(Layout const& layout);

/// Whether no two elements can be in one place. Some arrays with odd strides are taken for worse than they are.
bool elements_lie_apart(Layout const& layout);

/// Whether the address ranges that two arrays span have anything in common.
bool ranges_overlap(Layout const& a, Layout const& b);

}  // namespace gpuconv::python

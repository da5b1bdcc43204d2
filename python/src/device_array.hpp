// Arrays of other libraries in the memory of a CUDA device: where they lie, by DLPack or by CUDA's array interface, and
// on which stream their library works on them.
#pragma once

#include "geometry.hpp"
#include "numpy.hpp"
#include "streams.hpp"

#include <optional>

namespace gpuconv::python {

/// Whether the object is an array in the memory of a CUDA device. Throws nb::python_error.
bool is_on_device(PyObject* object);

/// An array as its library offers it to others, before anything is known of its elements.
struct Offer {
  nb::object object;
  nb::object interface = {};          ///< the dictionary of CUDA's array interface, or null where that is not taken
  std::optional<Stream> stream = {};  ///< on which the library works on it, where it tells
  int device = -1;                    ///< CUDA's number; -1: an array without elements, of no device in particular
};

/// Throws nb::python_error, InvalidArgument; Unsupported where there is no CUDA.
Offer offer_of(PyObject* object);

/// An array that is read or written where it lies.
struct DeviceArray {
  nb::object object;      ///< the caller's, or one that its library made
  nb::object owner = {};  ///< what keeps the elements
  int number = 0;         ///< NumPy's, of its type
  bool read_only = false;
  char* data = nullptr;
  npy_intp size = 0;  ///< bytes of an element
  Shape shape = {};
  Steps strides = {};  ///< bytes

  Layout layout() const { return {data, size, shape.axes, shape.counts.data(), strides.data()}; }
};

/// The array of an offer, whose library has made `stream` wait for what it does with the elements, where it did not
/// name its own stream. Throws nb::python_error: NotImplementedError for element types and masks that are not
/// supported, BufferError for what cannot be exported.
DeviceArray array_of(Offer const& offer, Stream stream);

}  // namespace gpuconv::python

// The arrays of a call: what NumPy would make of an operand, and whether the library can use it as it lies.
#pragma once

#include "arguments.hpp"
#include "layout.hpp"
#include "numpy.hpp"

#include <gpuconv/problem.hpp>

#include <cstdint>

namespace gpuconv::python {

/// An operand as an array. Of a 1-D array `axis` is its own; a scalar has none and is one sample.
struct Operand {
  nb::object owner;
  int number = 0;  ///< NumPy's, of its type

  PyArrayObject* array() const { return as_array(owner); }
  Layout layout() const { return layout_of(array()); }
};

/// Whether results are of the subclasses of ndarray that operands are of, as numpy.correlate's are.
constexpr bool keeps_subclasses(Function function) { return function == Function{Operation::correlate, 1}; }

/// Whether the object is an array of another library than NumPy, which others can read where it lies: one that has
/// DLPack's protocol or CUDA's array interface.
bool is_of_another_library(PyObject* object);

/// What NumPy's function of this name makes of the object: correlate keeps subclasses, and takes no scalars. Throws
/// nb::python_error.
Operand operand_of(Function function, PyObject* object);

/// Copies the operand unless its elements are in the machine's byte order, aligned, and a whole number of elements
/// apart. How it lies then.
Layout make_plain(Operand& operand);

/// A new array of this shape and type. `like`: null, or the operands, whose subclass of the higher priority it has.
nb::object new_array(int axes, npy_intp const* shape, int number, Operand const* a = nullptr,
                     Operand const* v = nullptr);

}  // namespace gpuconv::python

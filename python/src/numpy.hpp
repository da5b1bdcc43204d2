// NumPy's C interface. It is imported by the first call and not with the module, so that the module can be looked at
// where NumPy is missing.
#pragma once

#define NPY_TARGET_VERSION NPY_1_23_API_VERSION
#define NPY_NO_DEPRECATED_API NPY_1_23_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL gpuconv_numpy_api
#ifndef GPUCONV_IMPORTS_NUMPY
#define NO_IMPORT_ARRAY
#endif

#include <nanobind/nanobind.h>
#include <numpy/arrayobject.h>

#include <cstdint>

namespace gpuconv::python {

namespace nb = nanobind;

// Axes that an array can have.
inline constexpr int kMostAxes = 64;

/// Imports NumPy, once. Throws nb::python_error.
void import_numpy();

/// NumPy's own function of this name, from the module that defines it: programs may have put another one into numpy's
/// place, this package's among them. Throws nb::python_error.
nb::object numpys_function(const char* name);

/// The object that a call of Python's C interface gave, a new reference. Throws nb::python_error where it gave none.
inline nb::object checked(PyObject* result) {
  if (!result) nb::raise_python_error();
  return nb::steal(result);
}

inline PyArrayObject* as_array(nb::handle object) { return reinterpret_cast<PyArrayObject*>(object.ptr()); }
inline PyObject* as_object(PyArrayObject* array) { return reinterpret_cast<PyObject*>(array); }

/// Sets the Python error `type` and throws nb::python_error. `format` is that of PyErr_Format.
template <class... Values>
[[noreturn]] void raise(PyObject* type, const char* format, Values... values) {
  PyErr_Format(type, format, values...);
  nb::raise_python_error();
}

}  // namespace gpuconv::python

// NumPy's types and the library's. What is supported follows from the library's table, GPUCONV_ELEMENTS: a row of it
// whose name NumPy or ml_dtypes know is a type here. bool is computed as uint8, and what is not 0 is true.
#pragma once

#include "numpy.hpp"

#include <gpuconv/types.hpp>

#include <optional>

namespace gpuconv::python {

/// The library's type of NumPy's number of a type; nothing where it has none.
std::optional<Type> type_of_number(int number);

/// Whether two of NumPy's numbers stand for one type, which the library has; bool is another one than uint8.
bool is_same_type(int a, int b);

/// NumPy's number of the type that it computes with for two others. Throws nb::python_error where there is none.
int promoted(int a, int b);

/// NumPy's number of a type of the library. Throws nb::python_error: bfloat16 is ml_dtypes'.
int number_of(Type type);

/// The descriptor, a new reference, of NumPy's number of a type.
PyArray_Descr* descriptor(int number);

/// The number of a NumPy type given as anything that numpy.dtype takes. Throws nb::python_error.
int number_of_dtype(PyObject* dtype);

/// The same of a type in the machine's byte order. Throws nb::python_error: NotImplementedError for the other one.
int number_of_native_dtype(PyObject* dtype);

/// What to call the type in errors: "object", "float32".
nb::object dtype_name(int number);

}  // namespace gpuconv::python

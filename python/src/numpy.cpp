#define GPUCONV_IMPORTS_NUMPY
#include "numpy.hpp"

namespace gpuconv::python {

void import_numpy() {
  if (!PyArray_API && _import_array() < 0) nb::raise_python_error();
}

nb::object numpys_function(const char* name) {
  nb::object module = nb::steal(PyImport_ImportModule("numpy._core.numeric"));
  if (!module) {  // NumPy 1
    PyErr_Clear();
    module = checked(PyImport_ImportModule("numpy.core.numeric"));
  }
  return checked(PyObject_GetAttrString(module.ptr(), name));
}

}  // namespace gpuconv::python

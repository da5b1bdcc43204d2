#include "errors.hpp"

#include <gpuconv/error.hpp>

#include <nanobind/nanobind.h>

#include <exception>
#include <new>

namespace gpuconv::python {

void set_error() noexcept {
  try {
    throw;
  } catch (nanobind::python_error& error) {
    error.restore();
  } catch (InvalidArgument const& error) {
    PyErr_SetString(PyExc_ValueError, error.what());
  } catch (Unsupported const& error) {
    PyErr_SetString(PyExc_NotImplementedError, error.what());
  } catch (OutOfMemory const& error) {
    PyErr_SetString(PyExc_MemoryError, error.what());
  } catch (std::bad_alloc const&) {
    PyErr_NoMemory();
  } catch (std::exception const& error) {  // CudaError, CufftError
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
}

}  // namespace gpuconv::python

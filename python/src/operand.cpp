#include "operand.hpp"

#include "dtypes.hpp"

#include <gpuconv/error.hpp>
#include <gpuconv/info.hpp>

#include <algorithm>
#include <string>

namespace gpuconv::python {
namespace {

// Below this no machine needs to be asked how much memory it has: that reads files.
constexpr double kSurelyFits = 64 << 20;

void check_fits(int axes, npy_intp const* shape, std::size_t element) {
  double bytes = static_cast<double>(element);
  for (int axis = 0; axis < axes; ++axis) bytes *= static_cast<double>(shape[axis]);
  if (bytes <= kSurelyFits || bytes <= static_cast<double>(machine_memory())) return;
  const auto needed = static_cast<std::int64_t>(std::min(bytes, 9e18));
  throw OutOfMemory(
      "the result takes " + std::to_string(needed) + " bytes; this process may use " + std::to_string(machine_memory()),
      needed);
}

}  // namespace

bool is_of_another_library(PyObject* object) {
  if (PyArray_Check(object) || PyList_Check(object) || PyTuple_Check(object) || PyArray_IsAnyScalar(object))
    return false;
  auto* const type = reinterpret_cast<PyObject*>(Py_TYPE(object));
  return PyObject_HasAttrString(type, "__dlpack__") || PyObject_HasAttrString(type, "__cuda_array_interface__");
}

Operand operand_of(Function function, PyObject* object) {
  const bool keeps_subclass = keeps_subclasses(function);
  nb::object array;
  if (PyArray_CheckExact(object) || (keeps_subclass && PyArray_Check(object))) array = nb::borrow(object);
  else array = checked(PyArray_FromAny(object, nullptr, 0, 0, keeps_subclass ? 0 : NPY_ARRAY_ENSUREARRAY, nullptr));
  if (PyArray_NDIM(as_array(array)) == 0 && keeps_subclass)
    raise(PyExc_ValueError, "object of too small depth for desired array");
  const int number = PyArray_TYPE(as_array(array));
  return {std::move(array), number};
}

Layout make_plain(Operand& operand) {
  if (const Layout layout = operand.layout(); PyArray_ISBEHAVED_RO(operand.array()) && is_of_whole_elements(layout))
    return layout;
  operand.owner = checked(
      PyArray_FromArray(operand.array(), descriptor(operand.number), NPY_ARRAY_CARRAY_RO | NPY_ARRAY_ENSURECOPY));
  return operand.layout();
}

nb::object new_array(int axes, npy_intp const* shape, int number, Operand const* a, Operand const* v) {
  const nb::object type = checked(reinterpret_cast<PyObject*>(descriptor(number)));
  auto* const description = reinterpret_cast<PyArray_Descr*>(type.ptr());
  check_fits(axes, shape, static_cast<std::size_t>(PyDataType_ELSIZE(description)));
  PyObject* kept = nullptr;  // whose class and attributes the result has
  if (a && !(PyArray_CheckExact(a->array()) && PyArray_CheckExact(v->array()))) {
    const bool second = Py_TYPE(a->owner.ptr()) != Py_TYPE(v->owner.ptr()) &&
                        PyArray_GetPriority(v->owner.ptr(), 0) > PyArray_GetPriority(a->owner.ptr(), 0);
    kept = (second ? v : a)->owner.ptr();
  }
  Py_INCREF(type.ptr());  // the next call takes it away
  return checked(PyArray_NewFromDescr(kept ? Py_TYPE(kept) : &PyArray_Type, description, axes,
                                      const_cast<npy_intp*>(shape), nullptr, nullptr, 0, kept));
}

}  // namespace gpuconv::python

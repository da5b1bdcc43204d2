#include "operand.hpp"

#include "dtypes.hpp"

#include <gpuconv/error.hpp>
#include <gpuconv/info.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

namespace gpuconv::python {
namespace {

struct Extent {
  std::uintptr_t begin, end;
};

Extent extent_of(PyArrayObject* array) {
  const auto data = reinterpret_cast<std::uintptr_t>(PyArray_DATA(array));
  Extent extent{data, data + static_cast<std::uintptr_t>(PyArray_ITEMSIZE(array))};
  for (int axis = 0; axis < PyArray_NDIM(array); ++axis) {
    if (PyArray_DIM(array, axis) == 0) return {data, data};
    const npy_intp span = (PyArray_DIM(array, axis) - 1) * PyArray_STRIDE(array, axis);
    (span < 0 ? extent.begin : extent.end) += static_cast<std::uintptr_t>(span);
  }
  return extent;
}

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

bool is_plain(PyArrayObject* array) {
  if (!PyArray_ISBEHAVED_RO(array)) return false;
  const npy_intp size = PyArray_ITEMSIZE(array);
  if (reinterpret_cast<std::uintptr_t>(PyArray_DATA(array)) % static_cast<std::uintptr_t>(size) != 0) return false;
  for (int axis = 0; axis < PyArray_NDIM(array); ++axis)
    if (PyArray_DIM(array, axis) > 1 && PyArray_STRIDE(array, axis) % size != 0) return false;
  return true;
}

void make_plain(Operand& operand) {
  if (is_plain(operand.array())) return;
  operand.owner = checked(
      PyArray_FromArray(operand.array(), descriptor(operand.number), NPY_ARRAY_CARRAY_RO | NPY_ARRAY_ENSURECOPY));
}

bool elements_lie_apart(PyArrayObject* array) {
  struct Axis {
    npy_intp stride, count;
  };
  std::array<Axis, kMostAxes> axes;
  std::size_t used = 0;
  for (int axis = 0; axis < PyArray_NDIM(array); ++axis)
    if (PyArray_DIM(array, axis) > 1) axes[used++] = {std::abs(PyArray_STRIDE(array, axis)), PyArray_DIM(array, axis)};
  std::sort(axes.begin(), axes.begin() + used, [](Axis const& a, Axis const& b) { return a.stride < b.stride; });
  npy_intp within = PyArray_ITEMSIZE(array);  // what the axes so far span
  for (std::size_t i = 0; i < used; ++i) {
    if (axes[i].stride < within) return false;
    within = (axes[i].count - 1) * axes[i].stride + within;
  }
  return true;
}

bool ranges_overlap(PyArrayObject* a, PyArrayObject* b) {
  const Extent x = extent_of(a), y = extent_of(b);
  return x.begin < y.end && y.begin < x.end;
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

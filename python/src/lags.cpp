#include "lags.hpp"

#include <span>

namespace gpuconv::python {
namespace {

// So far from 0 nothing that is computed from a lag overflows.
constexpr std::int64_t kFurthest = std::int64_t{1} << 60;

std::int64_t lag_of(std::int64_t lag) {
  if (lag < -kFurthest || lag > kFurthest)
    raise(PyExc_OverflowError, "lag %lld is too large", static_cast<long long>(lag));
  return lag;
}

LagRun run_of(std::int64_t first, std::int64_t count, std::int64_t step) {
  if (count == 1 || step == 0) return {.first = first, .count = 1};
  return {.first = first, .count = count, .step = step < 0 ? -step : step, .descends = step < 0};
}

std::int64_t attribute(PyObject* range, const char* name) {
  const nb::object number = checked(PyObject_GetAttrString(range, name));
  const Py_ssize_t value = PyNumber_AsSsize_t(number.ptr(), PyExc_OverflowError);
  if (value == -1 && PyErr_Occurred()) nb::raise_python_error();
  return value;
}

Lags of_range(PyObject* range) {
  const Py_ssize_t count = PyObject_Size(range);
  if (count < 0) nb::raise_python_error();
  if (count == 0) return {};
  const std::int64_t first = lag_of(attribute(range, "start")), step = count == 1 ? 1 : attribute(range, "step");
  lag_of(attribute(range, "stop"));
  return {.runs = {run_of(first, count, step)}, .count = count};
}

Lags of_numbers(std::span<const std::int64_t> lags) {
  Lags found{.runs = {}, .count = static_cast<std::int64_t>(lags.size())};
  for (const std::int64_t lag : lags) lag_of(lag);
  for (std::size_t i = 0; i < lags.size();) {
    std::size_t end = i + 1;
    const std::int64_t step = end < lags.size() ? lags[end] - lags[i] : 0;
    while (step != 0 && end < lags.size() && lags[end] - lags[end - 1] == step) ++end;
    found.runs.push_back(run_of(lags[i], static_cast<std::int64_t>(end - i), step));
    found.runs.back().before = static_cast<std::int64_t>(i);
    i = end;
  }
  return found;
}

}  // namespace

Lags lags_of(PyObject* lags) {
  if (PyObject_TypeCheck(lags, &PyRange_Type)) return of_range(lags);
  const nb::object given = checked(PyArray_FromAny(lags, nullptr, 0, 0, 0, nullptr));
  PyArrayObject* const any = as_array(given);
  const bool empty = PyArray_SIZE(any) == 0;  // an empty list is one of floats to NumPy
  if (PyArray_NDIM(any) != 1 || (!empty && !PyArray_ISINTEGER(any)))
    raise(PyExc_TypeError, "lags must be a range or a 1-D array of integers, not %R", lags);
  if (!empty && (PyArray_TYPE(any) == NPY_ULONG || PyArray_TYPE(any) == NPY_ULONGLONG)) {
    const nb::object most = checked(PyArray_Max(any, 0, nullptr));
    lag_of(static_cast<std::int64_t>(PyNumber_AsSsize_t(most.ptr(), nullptr)));
  }
  const nb::object same =
      checked(PyArray_FromArray(any, PyArray_DescrFromType(NPY_INT64), NPY_ARRAY_CARRAY_RO | NPY_ARRAY_FORCECAST));
  return of_numbers({static_cast<const std::int64_t*>(PyArray_DATA(as_array(same))),
                     static_cast<std::size_t>(PyArray_SIZE(as_array(same)))});
}

Lags lags_up_to(std::int64_t most) {
  if (most < 0) raise(PyExc_ValueError, "max_lag is %lld, at least 0 is expected", static_cast<long long>(most));
  lag_of(most);
  return {.runs = {run_of(-most, 2 * most + 1, 1)}, .count = 2 * most + 1};
}

}  // namespace gpuconv::python

#include "arguments.hpp"

#include <algorithm>
#include <climits>
#include <string>

namespace gpuconv::python {
namespace {

constexpr std::array<const char*, kParameters> kNames{"a",       "v",    "mode",    "axis",     "method",
                                                      "device",  "out",  "dtype",   "boundary", "same",
                                                      "threads", "lags", "max_lag", "separable"};
// Interned, as the names in compiled Python code are, so that almost all comparisons are of addresses.
std::array<PyObject*, kParameters> interned_names;
constexpr const char* kAxes = "axes";  // what `axis` is called where there are two
PyObject* interned_axes;
std::array<PyObject*, 3> interned_modes;

bool is_text(PyObject* text, const char* expected) { return PyUnicode_CompareWithASCIIString(text, expected) == 0; }

Parameter parameter_named(Function function, PyObject* text) {
  const auto is_axes = [&](int i) { return function.is_of_images() && i == static_cast<int>(Parameter::axis); };
  const auto is_called = [&](int i, bool called) { return called && takes(function, static_cast<Parameter>(i)); };
  for (int i = 0; i < kParameters; ++i)
    if (is_called(i, text == (is_axes(i) ? interned_axes : interned_names[static_cast<std::size_t>(i)])))
      return static_cast<Parameter>(i);
  for (int i = 0; i < kParameters; ++i)
    if (is_called(i, is_text(text, is_axes(i) ? kAxes : kNames[static_cast<std::size_t>(i)])))
      return static_cast<Parameter>(i);
  raise(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", name(function).data(), text);
}

void check_operands(Function function, Values const& values) {
  const bool a = values[Parameter::a], v = values[Parameter::v];
  const char* const called = name(function).data();
  if (!a && !v) raise(PyExc_TypeError, "%s() missing 2 required positional arguments: 'a' and 'v'", called);
  if (!a || !v) raise(PyExc_TypeError, "%s() missing 1 required positional argument: '%s'", called, a ? "v" : "a");
}

// The value whose name this is, of those that have a name each. `what`: the parameter.
template <class Value, std::size_t count>
Value named(PyObject* text, std::array<Value, count> const& values, const char* what) {
  if (!PyUnicode_Check(text)) raise(PyExc_TypeError, "%s must be a string, not %R", what, text);
  for (Value const value : values)
    if (is_text(text, name(value).data())) return value;
  std::string all;
  for (Value const value : values) all += std::string(all.empty() ? "'" : ", '") + std::string(name(value)) + "'";
  raise(PyExc_ValueError, "%s must be one of %s (got %R)", what, all.c_str(), text);
}

constexpr std::array kModes{Mode::full, Mode::same, Mode::valid};
constexpr std::array kSames{Same::numpy, Same::scipy, Same::matlab};
constexpr std::array kBoundaries{Boundary::zero,    Boundary::constant, Boundary::nearest,
                                 Boundary::reflect, Boundary::mirror,   Boundary::wrap};
constexpr std::array kMethods{Method::automatic, Method::reference, Method::direct, Method::overlap_save, Method::fft};
constexpr std::array kDevices{Device::automatic, Device::cpu, Device::cuda};
constexpr std::array kFunctions{Function{Operation::convolve, 1}, Function{Operation::correlate, 1},
                                Function{Operation::convolve, 2}, Function{Operation::correlate, 2}};

// Numbers and shortened names are modes, or were: NumPy is asked, and what it says of others is said here.
Mode mode_by_numpy(Operation operation, PyObject* mode) {
  const nb::object function = numpys_function(name(operation).data());
  const nb::object result = checked(PyObject_CallFunction(function.ptr(), "[iii][ii]O", 1, 1, 1, 1, 1, mode));
  const Py_ssize_t length = PyObject_Size(result.ptr());
  return length == 4 ? Mode::full : length == 3 ? Mode::same : Mode::valid;
}

Mode mode_of(Function function, PyObject* mode) {
  for (std::size_t i = 0; i < kModes.size(); ++i)
    if (mode == interned_modes[i]) return kModes[i];
  if (PyUnicode_Check(mode))
    for (Mode const m : kModes)
      if (is_text(mode, name(m).data())) return m;
  if (function.is_of_images()) return named(mode, kModes, "mode");
  return mode_by_numpy(function.operation, mode);
}

std::int64_t integer_of(PyObject* number) {
  const Py_ssize_t value = PyNumber_AsSsize_t(number, PyExc_OverflowError);
  if (value == -1 && PyErr_Occurred()) nb::raise_python_error();
  return value;
}

// The axes of lines and columns.
Axes axes_of(PyObject* pair) {
  const nb::object both = checked(PySequence_Tuple(pair));
  if (PyTuple_Size(both.ptr()) != 2) raise(PyExc_ValueError, "axes must be two numbers, not %R", pair);
  return {.dimensions = 2,
          .column = integer_of(PyTuple_GetItem(both.ptr(), 1)),
          .line = integer_of(PyTuple_GetItem(both.ptr(), 0))};
}

bool truth_of(PyObject* value) {
  const int truth = PyObject_IsTrue(value);
  if (truth < 0) nb::raise_python_error();
  return truth != 0;
}

int threads_of(PyObject* number) {
  const std::int64_t threads = integer_of(number);
  if (threads < 1) raise(PyExc_ValueError, "threads is %lld, at least 1 is expected", static_cast<long long>(threads));
  return static_cast<int>(std::min<std::int64_t>(threads, INT_MAX));
}

double constant_of(PyObject* number) {
  const double value = PyFloat_AsDouble(number);
  if (value == -1 && PyErr_Occurred()) nb::raise_python_error();
  const nb::object rounded = checked(PyFloat_FromDouble(value));
  const int same = value == value ? PyObject_RichCompareBool(rounded.ptr(), number, Py_EQ) : 1;
  if (same < 0) nb::raise_python_error();
  if (!same) raise(PyExc_ValueError, "the constant %R beyond the ends is no float64", number);
  return value;
}

// A name, or a tuple of the name 'constant' and the value.
void set_boundary(How& how, PyObject* boundary) {
  PyObject* kind = boundary;
  if (PyTuple_Check(boundary)) {
    if (PyTuple_Size(boundary) != 2)
      raise(PyExc_ValueError, "boundary must be a name or ('constant', value), not %R", boundary);
    kind = PyTuple_GetItem(boundary, 0);
    if (!PyUnicode_Check(kind) || !is_text(kind, "constant"))
      raise(PyExc_ValueError, "only the boundary 'constant' has a value, got %R", boundary);
    how.constant = constant_of(PyTuple_GetItem(boundary, 1));
  }
  how.boundary = named(kind, kBoundaries, "boundary");
}

void check_boundary(How const& how) {
  if (how.boundary == Boundary::zero || how.mode == Mode::same || how.lags) return;
  raise(PyExc_ValueError, "boundary '%s' needs mode 'same', the mode is '%s'", name(how.boundary).data(),
        name(how.mode).data());
}

void set_lags(How& how, Values const& values) {
  PyObject* const lags = values[Parameter::lags];
  PyObject* const max_lag = values[Parameter::max_lag];
  if (!lags && !max_lag) return;
  if (how.function.is_of_images()) raise(PyExc_ValueError, "%s: lags are those of one axis", name(how.function).data());
  if (lags && max_lag) raise(PyExc_ValueError, "lags and max_lag exclude each other");
  if (values[Parameter::mode]) raise(PyExc_ValueError, "%s takes the place of mode", lags ? "lags" : "max_lag");
  how.lags = lags ? lags_of(lags) : lags_up_to(integer_of(max_lag));
}

}  // namespace

std::string_view name(Function function) {
  const bool convolves = function.operation == Operation::convolve;
  if (!function.is_of_images()) return gpuconv::name(function.operation);
  return convolves ? "convolve2d" : "correlate2d";
}

bool takes(Function function, Parameter parameter) {
  switch (parameter) {
    case Parameter::lags:
    case Parameter::max_lag:
      return function == Function{Operation::correlate, 1};
    case Parameter::separable:
      return function.is_of_images();
    default:
      return true;
  }
}

bool Values::only_operands_and_mode() const {
  return std::none_of(at_.begin() + kPositional, at_.end(), [](PyObject* value) { return value != nullptr; });
}

void make_names() {
  for (std::size_t i = 0; i < interned_names.size(); ++i)
    interned_names[i] = checked(PyUnicode_InternFromString(kNames[i])).release().ptr();
  interned_axes = checked(PyUnicode_InternFromString(kAxes)).release().ptr();
  for (std::size_t i = 0; i < kModes.size(); ++i)
    interned_modes[i] = checked(PyUnicode_InternFromString(name(kModes[i]).data())).release().ptr();
}

Values values_of(Function function, PyObject* const* arguments, Py_ssize_t positional, PyObject* keywords) {
  if (positional > kPositional)
    raise(PyExc_TypeError, "%s() takes from 2 to 3 positional arguments but %zd were given", name(function).data(),
          positional);
  Values values;
  for (int i = 0; i < positional; ++i) values[static_cast<Parameter>(i)] = arguments[i];
  const Py_ssize_t named = keywords ? PyTuple_Size(keywords) : 0;
  for (Py_ssize_t k = 0; k < named; ++k) {
    PyObject* const keyword = PyTuple_GetItem(keywords, k);
    PyObject*& value = values[parameter_named(function, keyword)];
    if (value) raise(PyExc_TypeError, "%s() got multiple values for argument '%U'", name(function).data(), keyword);
    value = arguments[positional + k];
  }
  check_operands(function, values);
  for (const Parameter p : {Parameter::out, Parameter::dtype, Parameter::threads, Parameter::lags, Parameter::max_lag})
    if (values[p] == Py_None) values[p] = nullptr;
  return values;
}

nb::object by_name(Function function, Values const& values) {
  nb::object all = checked(PyDict_New());
  for (int i = 0; i < kParameters; ++i) {
    const auto parameter = static_cast<Parameter>(i);
    PyObject* const value = values[parameter];
    PyObject* const name = function.is_of_images() && parameter == Parameter::axis
                               ? interned_axes
                               : interned_names[static_cast<std::size_t>(i)];
    if (value && PyDict_SetItem(all.ptr(), name, value) < 0) nb::raise_python_error();
  }
  return all;
}

How how_of(Function function, Values const& values) {
  How how{.function = function};
  // SciPy's two functions of images centre filters of even size differently.
  if (function.is_of_images())
    how.axes.dimensions = 2, how.same = function.operation == Operation::convolve ? Same::scipy : Same::matlab;
  else if (function.operation == Operation::correlate) how.mode = Mode::valid;
  const auto given = [&](Parameter p, auto&& use) {
    if (PyObject* const value = values[p]) use(value);
  };
  given(Parameter::mode, [&](PyObject* value) { how.mode = mode_of(function, value); });
  if (values.only_operands_and_mode()) return how;
  given(Parameter::axis, [&](PyObject* value) {
    if (function.is_of_images()) how.axes = axes_of(value);
    else how.axes.column = integer_of(value);
  });
  given(Parameter::method, [&](PyObject* value) { how.options.method = named(value, kMethods, "method"); });
  given(Parameter::device, [&](PyObject* value) { how.options.device = named(value, kDevices, "device"); });
  given(Parameter::threads, [&](PyObject* value) { how.options.threads = threads_of(value); });
  given(Parameter::same, [&](PyObject* value) { how.same = named(value, kSames, "same"); });
  given(Parameter::boundary, [&](PyObject* value) { set_boundary(how, value); });
  given(Parameter::separable, [&](PyObject* value) { how.separable = truth_of(value); });
  if (how.separable && !function.is_of_images())
    raise(PyExc_ValueError, "%s: only filters of images are separable", name(function).data());
  set_lags(how, values);
  check_boundary(how);
  return how;
}

Function function_of(PyObject* name) { return named(name, kFunctions, "operation"); }

}  // namespace gpuconv::python

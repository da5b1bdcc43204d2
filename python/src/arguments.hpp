// What callers pass, by name: the parameters of all functions, how a call names them, and what their values mean.
#pragma once

#include "geometry.hpp"
#include "lags.hpp"
#include "numpy.hpp"

#include <gpuconv/convolve.hpp>
#include <gpuconv/plan.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gpuconv::python {

/// The parameters of all calls, those that may be passed by position first; of images `axis` is called axes. Not all
/// functions take those from `lags` on.
enum class Parameter : std::uint8_t {
  a,
  v,
  mode,
  axis,
  method,
  device,
  out,
  dtype,
  boundary,
  same,
  threads,
  lags,
  max_lag,
  separable
};
inline constexpr int kParameters = 14;
inline constexpr int kPositional = 3;

/// The values of a call, borrowed; null where none was given, or None where that means the same.
class Values {
 public:
  PyObject*& operator[](Parameter p) { return at_[static_cast<std::size_t>(p)]; }
  PyObject* operator[](Parameter p) const { return at_[static_cast<std::size_t>(p)]; }
  /// Whether there is anything but the operands and the mode.
  bool only_operands_and_mode() const;

 private:
  std::array<PyObject*, kParameters> at_{};
};

/// What a function computes: an operation along one axis or, of images, two.
struct Function {
  Operation operation = Operation::convolve;
  int dimensions = 1;

  bool is_of_images() const { return dimensions == 2; }
  bool operator==(Function const&) const = default;
};
std::string_view name(Function function);  ///< "convolve", "correlate", "convolve2d", "correlate2d"

/// Whether the function has this parameter.
bool takes(Function function, Parameter parameter);

/// Makes the names of parameters and modes; once, when the module is initialised. Throws nb::python_error.
void make_names();

/// The values of a call by Python's vectorcall protocol. Throws nb::python_error: a TypeError in Python's words.
Values values_of(Function function, PyObject* const* arguments, Py_ssize_t positional, PyObject* keywords);

/// The values that were given, by their names. Throws nb::python_error.
nb::object by_name(Function function, Values const& values);

/// How a call convolves.
struct How {
  Function function = {};
  Mode mode = Mode::full;
  Same same = Same::numpy;
  Boundary boundary = Boundary::zero;
  double constant = 0;
  Options options = {};
  bool separable = false;         ///< filters of images are products of a column and a row
  Axes axes = {};                 ///< as given
  std::optional<Lags> lags = {};  ///< in place of the mode
};

/// What the values mean. Throws nb::python_error: ValueError for names and numbers that are none, TypeError for values
/// that are neither, NumPy's own errors for modes of its functions.
How how_of(Function function, Values const& values);

/// The function of this name. Throws nb::python_error.
Function function_of(PyObject* name);

}  // namespace gpuconv::python

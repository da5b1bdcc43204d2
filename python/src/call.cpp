#include "call.hpp"

#include "device_call.hpp"
#include "documentation.hpp"
#include "dtypes.hpp"
#include "errors.hpp"
#include "task.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace gpuconv::python {
namespace {

constexpr Function kConvolve{Operation::convolve, 1}, kCorrelate{Operation::correlate, 1};
constexpr Function kConvolve2d{Operation::convolve, 2}, kCorrelate2d{Operation::correlate, 2};

// Types that the library has not are NumPy's to convolve, where it can be asked in its own words.
nb::object by_numpy(Function function, Values const& values, int number) {
  if (function.is_of_images())
    raise(PyExc_NotImplementedError, "gpuconv has no element type %U", dtype_name(number).ptr());
  if (!values.only_operands_and_mode())
    raise(PyExc_NotImplementedError, "gpuconv has no element type %U: only what NumPy's %s takes can be computed of it",
          dtype_name(number).ptr(), name(function).data());
  return checked(PyObject_CallFunctionObjArgs(numpys_function(name(function).data()).ptr(), values[Parameter::a],
                                              values[Parameter::v], values[Parameter::mode], nullptr));
}

// Arrays of other libraries: the call is made anew with NumPy's arrays of the same memory.
nb::object with_other_arrays(Function function, Values const& values) {
  const nb::object module = checked(PyImport_ImportModule("gpuconv._arrays"));
  const nb::object call = checked(PyObject_GetAttrString(module.ptr(), "call"));
  return checked(PyObject_CallFunction(call.ptr(), "sO", name(function).data(), by_name(function, values).ptr()));
}

void compute(Plan& plan, Task const& task, Walk const& walk, Places const& places, int part) {
  std::int64_t last = -1;
  each_turn(walk, [&](Loop const& at, std::int64_t filters) {
    if (last != filters) set_filter<HostInput>(plan, task, walk, places.filter, at.filter);
    last = filters;
    execute<HostInput, HostOutput>(plan, task, walk, places, at, part);
  });
}

// The plans of the last small calls, for the next ones like them: to make a plan takes longer than to use it. The
// interpreter's lock, which small calls keep, guards them.
class KeptPlans {
 public:
  /// The plan for the problem, made if it is not kept; then in the place of the one that was used longest ago.
  Plan& of(Problem const& problem, Options const& options) {
    const auto same = [&](Kept const& k) {
      return k.plan && k.method == options.method && k.threads == options.threads && k.problem == problem;
    };
    auto place = std::ranges::find_if(kept_, same);
    if (place == kept_.end()) {
      Plan made(problem, options);
      *--place = {problem, options.method, options.threads, std::move(made)};
    }
    std::rotate(kept_.begin(), place, place + 1);  // the latest comes first
    return *kept_.front().plan;
  }
  /// Forgets the plan that `of` gave last.
  void forget() { kept_.front().plan.reset(); }

 private:
  struct Kept {
    Problem problem;
    Method method = Method::automatic;
    int threads = 0;
    std::optional<Plan> plan;
  };
  std::array<Kept, 8> kept_;
} kept_plans;

void compute_small(Task const& task, Walk const& walk, Places const& places) {
  Plan& plan = kept_plans.of(problem_of(task, walk, 0), task.how.options);
  try {
    compute(plan, task, walk, places, 0);
  } catch (...) {
    kept_plans.forget();
    throw;
  }
}

// Plans on a GPU belong to the one that is current when they are made, and are not kept.
bool is_small(Task const& task) {
  return !Unlocked::is_worth_it(task) && !task.how.lags && task.how.options.device != Device::cuda;
}

void compute(Task& task, Walk const& walk, Places const& places) {
  if (is_small(task)) return compute_small(task, walk, places);
  look_at_filters(task, walk, places.filter);
  const Unlocked unlocked(task);
  for (int part = 0; part < task.parts(); ++part) {
    Plan plan(problem_of(task, walk, part), task.how.options);
    compute(plan, task, walk, places, part);
  }
}

nb::object result_of(Task const& task, PyObject* out, Operand const& a, Operand const& v) {
  Geometry const& g = task.geometry;
  if (out) return checked_out(out, g, task.types.result_number);
  const bool keeps_subclass = keeps_subclasses(task.how.function), exchanged = g.taps > g.samples;
  Operand const *first = exchanged ? &v : &a,
                *second = exchanged ? &a : &v;  // NumPy's order, which decides between equals
  return new_array(g.result.axes, g.result.counts.data(), task.types.result_number, keeps_subclass ? first : nullptr,
                   second);
}

nb::object call(Function function, PyObject* const* arguments, Py_ssize_t positional, PyObject* keywords) {
  import_numpy();
  const Values values = values_of(function, arguments, positional, keywords);
  for (const Parameter p : {Parameter::a, Parameter::v, Parameter::out})
    if (values[p] && is_of_another_library(values[p]))
      return any_on_device(values) ? call_on_device(function, values) : with_other_arrays(function, values);
  Operand a = operand_of(function, values[Parameter::a]), v = operand_of(function, values[Parameter::v]);
  for (Operand const* operand : {&a, &v})
    if (!type_of_number(operand->number)) return by_numpy(function, values, operand->number);
  Task task = task_of(how_of(function, values), Shape::of(a.layout()), Shape::of(v.layout()));
  task.types = types_of(a.number, v.number, values[Parameter::dtype], task.geometry.products());
  const Layout signal = make_plain(a), filter = make_plain(v);
  PyObject* const out = values[Parameter::out];
  nb::object result = result_of(task, out, a, v);
  const bool is_new = !out && task.types.computed_number == task.types.result_number;
  const nb::object computed = is_new ? result : computed_into(task, result, signal, filter);
  if (!task.geometry.empty) {
    const Layout into = layout_of(as_array(computed));
    const Walk walk = walk_of(task.geometry, placement_of(signal, filter, into));
    compute(task, walk, places_of(task.geometry, signal, filter, into));
  }
  finish(result, computed);
  return result;
}

template <Function const& function>
PyObject* entry(PyObject*, PyObject* const* arguments, Py_ssize_t positional, PyObject* keywords) noexcept {
  try {
    return call(function, arguments, positional, keywords).release().ptr();
  } catch (...) {
    set_error();
    return nullptr;
  }
}

template <Function const& function>
PyMethodDef method(const char* text) {
  const auto called = reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&entry<function>));
  return {name(function).data(), called, METH_FASTCALL | METH_KEYWORDS, text};
}

}  // namespace

void add_calls(nb::module_& module) {
  static PyMethodDef methods[] = {method<kConvolve>(kConvolveText),
                                  method<kCorrelate>(kCorrelateText),
                                  method<kConvolve2d>(kConvolve2dText),
                                  method<kCorrelate2d>(kCorrelate2dText),
                                  {nullptr, nullptr, 0, nullptr}};
  if (PyModule_AddFunctions(module.ptr(), methods) < 0) nb::raise_python_error();
}

}  // namespace gpuconv::python

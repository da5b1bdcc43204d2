#include "plan.hpp"

#include "device_operands.hpp"
#include "device_plan.hpp"
#include "documentation.hpp"
#include "dtypes.hpp"
#include "errors.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gpuconv::python {
namespace {

// Parameters of Plan and explain that are those of calls, as keywords; None stands for one that is not given.
constexpr std::array<std::pair<Parameter, const char*>, 11> kKeywords{{{Parameter::mode, "mode"},
                                                                       {Parameter::axis, "axis"},
                                                                       {Parameter::method, "method"},
                                                                       {Parameter::device, "device"},
                                                                       {Parameter::dtype, "dtype"},
                                                                       {Parameter::boundary, "boundary"},
                                                                       {Parameter::same, "same"},
                                                                       {Parameter::threads, "threads"},
                                                                       {Parameter::lags, "lags"},
                                                                       {Parameter::max_lag, "max_lag"},
                                                                       {Parameter::separable, "separable"}}};

constexpr const char* kNothing = "nothing to compute";

Values values_of(nb::dict const& keywords) {
  Values values;
  for (auto const& [parameter, name] : kKeywords)
    if (PyObject* const value = PyDict_GetItemString(keywords.ptr(), name); value && value != Py_None)
      values[parameter] = value;
  return values;
}

nb::object keyword(nb::dict const& keywords, const char* name) {
  PyObject* const value = PyDict_GetItemString(keywords.ptr(), name);
  return nb::borrow(value ? value : Py_None);
}

// The shape that a number of samples or a sequence of numbers is. Throws nb::python_error.
Shape shape_of(nb::handle given) {
  Shape shape;
  const auto add = [&](PyObject* number) {
    const Py_ssize_t count = PyNumber_AsSsize_t(number, PyExc_OverflowError);
    if (count == -1 && PyErr_Occurred()) nb::raise_python_error();
    if (count < 0) raise(PyExc_ValueError, "negative dimensions are not allowed");
    if (shape.axes == kMostAxes) raise(PyExc_ValueError, "a shape has at most %d axes", kMostAxes);
    shape.counts[static_cast<std::size_t>(shape.axes++)] = count;
  };
  if (PyIndex_Check(given.ptr())) add(given.ptr());
  else
    for (nb::handle number : given) add(number.ptr());
  if (shape.axes == 0) raise(PyExc_ValueError, "the signal of a plan has at least one axis");
  return shape;
}

nb::object contiguous_copy(PyArrayObject* array) { return checked(PyArray_NewCopy(array, NPY_CORDER)); }

class PlanObject {
 public:
  PlanObject(nb::object shape, nb::object v, nb::dict keywords) : keywords_(std::move(keywords)) {
    import_numpy();
    planned_.signal = shape_of(shape);
    const Function function = function_of(keyword(keywords_, "operation").ptr());
    const Values values = values_of(keywords_);
    const nb::object type = keyword(keywords_, "signal_dtype");
    PyObject* const dtype = values[Parameter::dtype];
    if (is_device_array(v.ptr())) {
      on_device_.emplace(planned_, how_of(function, values), v.ptr(), type.is_none() ? nullptr : type.ptr(), dtype);
      return;
    }
    filter_ = operand_of(function, v.ptr());
    filter_.owner = contiguous_copy(filter_.array());
    make_plain(filter_);
    PyArray_CLEARFLAGS(filter_.array(), NPY_ARRAY_WRITEABLE);
    planned_.signal_number = type.is_none() ? filter_.number : number_of_dtype(type.ptr());
    Task& task = planned_.task;
    task = task_of(how_of(function, values), planned_.signal, Shape::of(filter_.layout()));
    task.types = types_of(planned_.signal_number, filter_.number, dtype, task.geometry.products());
    planned_.set_walk(filter_.layout());
    if (task.geometry.empty) return;
    const Place filter = place_of(filter_.layout(), task.geometry.filter_axis, task.geometry.lines.filter_axis);
    look_at_filters(task, planned_.walk, filter);
    const Unlocked unlocked(task);
    planned_.make<HostInput>(task.how.options, filter);
  }

  PlanObject(PlanObject const&) = delete;
  PlanObject& operator=(PlanObject const&) = delete;

  nb::object execute(nb::object x, nb::object out) {
    if (on_device_) return on_device_->execute(planned_, x.ptr(), out.is_none() ? nullptr : out.ptr());
    Task const& task = planned_.task;
    Operand signal = signal_operand(x);
    Geometry const& g = task.geometry;
    const nb::object result = out.is_none() ? new_array(g.result.axes, g.result.counts.data(), task.types.result_number)
                                            : checked_out(out.ptr(), g, task.types.result_number);
    nb::object computed = computed_into(task, result, signal.layout(), filter_.layout());
    if (!g.empty) {
      const Walk walk = walk_as_planned(signal, computed);
      const Places places = places_of(g, signal.layout(), filter_.layout(), layout_of(as_array(computed)));
      const Unlocked unlocked(task);
      planned_.run<HostInput, HostOutput>(walk, places);
    }
    finish(result, computed);
    return result;
  }

  nb::object reduced() const {
    if (on_device_) raise(PyExc_TypeError, "a plan whose filter is in the memory of a CUDA device cannot be pickled");
    return nb::make_tuple(tuple_of(planned_.signal), filter_.owner, keywords_);
  }

  std::string explain() const {
    std::vector<Plan> const& plans = planned_.plans;
    return plans.empty() ? kNothing : gpuconv::explain(plans[0].problem(), planned_.task.how.options);
  }

  std::string repr() const {
    std::vector<Plan> const& plans = planned_.plans;
    if (plans.empty()) return std::string("<gpuconv.Plan: ") + kNothing + ">";
    return "<gpuconv.Plan: " + to_string(plans[0].problem()) + ", " + plans[0].describe() + ">";
  }

  nb::dict info() const {
    std::vector<Plan> const& plans = planned_.plans;
    nb::dict info;
    info["shape"] = tuple_of(planned_.signal);
    info["result_shape"] = tuple_of(planned_.task.geometry.result);
    info["signal_dtype"] = checked(reinterpret_cast<PyObject*>(descriptor(planned_.signal_number)));
    info["dtype"] = checked(reinterpret_cast<PyObject*>(descriptor(planned_.task.types.result_number)));
    info["plans"] = plans.size();
    std::size_t bytes = 0;
    for (Plan const& plan : plans) bytes += plan.workspace_bytes();
    info["workspace_bytes"] = bytes;
    if (plans.empty()) return info;
    info["method"] = name(plans[0].method());
    info["device"] = name(plans[0].device());
    info["threads"] = plans[0].threads();
    info["block"] = plans[0].block();
    info["wrapping"] = name(plans[0].wrapping());
    return info;
  }

 private:
  Operand signal_operand(nb::object const& x) const {
    if (is_device_array(x.ptr()))
      raise(PyExc_TypeError,
            "the plan's filter is in the memory of the host and the signal in that of a CUDA device: make the plan "
            "with a "
            "filter there");
    Operand signal = operand_of(planned_.task.how.function, x.ptr());
    planned_.check_signal(signal.number, signal.layout());
    make_plain(signal);
    return signal;
  }

  // The walk through these arrays in the way of the plans; those that do not lie so evenly are replaced by contiguous
  // ones.
  Walk walk_as_planned(Operand& signal, nb::object& computed) const {
    const auto walk = [&] {
      return walk_of(planned_.task.geometry,
                     placement_of(signal.layout(), filter_.layout(), layout_of(as_array(computed))));
    };
    if (const Walk as_it_lies = walk(); planned_.takes(as_it_lies)) return as_it_lies;
    signal.owner = contiguous_copy(signal.array());
    if (const Walk of_result = walk(); planned_.takes(of_result)) return of_result;
    Geometry const& g = planned_.task.geometry;
    computed = new_array(g.result.axes, g.result.counts.data(), planned_.task.types.computed_number);
    return walk();
  }

  nb::dict keywords_;
  Planned planned_;
  Operand filter_;                       // in host memory
  std::optional<DevicePlan> on_device_;  // in that of a device
};

// The same of a call, whose operands lie so.
std::string explain(Task task, Layout const& signal, Layout const& filter, Memory memory) {
  if (task.geometry.empty) return kNothing;
  task.how.options.memory = memory;
  Shape const& shape = task.geometry.result;
  const npy_intp size = static_cast<npy_intp>(size_of(task.types.computed));
  const Steps out = contiguous(shape, size);
  const Walk walk =
      walk_of(task.geometry, {signal.strides, filter.strides, out.data(), signal.size, filter.size, size});
  if (memory == Memory::host)
    look_at_filters(task, walk, place_of(filter, task.geometry.filter_axis, task.geometry.lines.filter_axis));
  return gpuconv::explain(problem_of(task, walk, 0), task.how.options);
}

std::string explain(nb::object a, nb::object v, nb::dict keywords) {
  import_numpy();
  const Function function = function_of(keyword(keywords, "operation").ptr());
  const Values values = values_of(keywords);
  std::optional<DeviceOperands> there;
  if (is_device_array(a.ptr()) || is_device_array(v.ptr())) there.emplace(a.ptr(), v.ptr(), nullptr);
  DeviceArray const *const on_device = there ? &there->signal() : nullptr, *const filter_there =
                                                                               there ? there->filter() : nullptr;
  Operand signal, filter;
  if (!on_device) signal = operand_of(function, a.ptr());
  if (!filter_there) filter = operand_of(function, v.ptr());
  const Layout of_signal = on_device ? on_device->layout() : signal.layout();
  const Layout of_filter = filter_there ? filter_there->layout() : filter.layout();
  Task task = task_of(how_of(function, values), Shape::of(of_signal), Shape::of(of_filter));
  PyObject* const dtype = values[Parameter::dtype];
  const nb::object named = dtype && there ? numpys_dtype(dtype, a.ptr()) : nb::borrow(dtype);
  task.types = types_of(on_device ? on_device->number : signal.number,
                        filter_there ? filter_there->number : filter.number, named.ptr(), task.geometry.products());
  return explain(std::move(task), on_device ? of_signal : make_plain(signal),
                 filter_there ? of_filter : make_plain(filter), there ? Memory::device : Memory::host);
}

// Collects keywords, as a call names them.
nb::dict keywords_of(std::initializer_list<std::pair<const char*, nb::object>> given) {
  nb::dict keywords;
  for (auto const& [name, value] : given) keywords[name] = value;
  return keywords;
}

}  // namespace

void add_plans(nb::module_& module) {
  using nb::arg;
  using Any = nb::object;
  const auto none = nb::none();
  nb::class_<PlanObject>(module, "Plan", kPlanText)
      .def(
          "__init__",
          [](PlanObject* self, Any shape, Any v, Any mode, Any operation, Any signal_dtype, Any axis, Any method,
             Any device, Any dtype, Any boundary, Any same, Any threads, Any lags, Any max_lag, Any separable) {
            new (self) PlanObject(shape, v,
                                  keywords_of({{"mode", mode},
                                               {"operation", operation},
                                               {"signal_dtype", signal_dtype},
                                               {"axis", axis},
                                               {"method", method},
                                               {"device", device},
                                               {"dtype", dtype},
                                               {"boundary", boundary},
                                               {"same", same},
                                               {"threads", threads},
                                               {"lags", lags},
                                               {"max_lag", max_lag},
                                               {"separable", separable}}));
          },
          arg("shape"), arg("v"), arg("mode") = none, nb::kw_only(), arg("operation") = "convolve",
          arg("signal_dtype") = none, arg("axis") = none, arg("method") = "auto", arg("device") = "auto",
          arg("dtype") = none, arg("boundary") = "zero", arg("same") = none, arg("threads") = none, arg("lags") = none,
          arg("max_lag") = none, arg("separable") = false)
      .def("execute", &PlanObject::execute, arg("x"), nb::kw_only(), arg("out") = none, kExecuteText)
      .def("explain", &PlanObject::explain,
           "What every method would do with the problem, and which one the plan takes.")
      .def("info", &PlanObject::info, "The plan's shapes, types, method, device, threads and memory, as a dict.")
      .def("__repr__", &PlanObject::repr)
      .def("__getstate__", &PlanObject::reduced)
      .def("__setstate__", [](PlanObject& self, nb::tuple state) {
        new (&self) PlanObject(state[0], state[1], nb::cast<nb::dict>(state[2]));
      });
  module.def(
      "explain",
      [](Any a, Any v, Any mode, Any operation, Any axis, Any method, Any device, Any dtype, Any boundary, Any same,
         Any threads, Any lags, Any max_lag, Any separable) {
        return explain(a, v,
                       keywords_of({{"mode", mode},
                                    {"operation", operation},
                                    {"axis", axis},
                                    {"method", method},
                                    {"device", device},
                                    {"dtype", dtype},
                                    {"boundary", boundary},
                                    {"same", same},
                                    {"threads", threads},
                                    {"lags", lags},
                                    {"max_lag", max_lag},
                                    {"separable", separable}}));
      },
      arg("a"), arg("v"), arg("mode") = none, nb::kw_only(), arg("operation") = "convolve", arg("axis") = none,
      arg("method") = "auto", arg("device") = "auto", arg("dtype") = none, arg("boundary") = "zero", arg("same") = none,
      arg("threads") = none, arg("lags") = none, arg("max_lag") = none, arg("separable") = false, kExplainText);
}

}  // namespace gpuconv::python

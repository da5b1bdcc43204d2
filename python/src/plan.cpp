#include "plan.hpp"

#include "documentation.hpp"
#include "dtypes.hpp"
#include "errors.hpp"
#include "task.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace gpuconv::python {
namespace {

// Parameters of Plan and explain that are those of calls, as keywords; None stands for one that is not given.
constexpr std::array<std::pair<Parameter, const char*>, 10> kKeywords{{{Parameter::mode, "mode"},
                                                                       {Parameter::axis, "axis"},
                                                                       {Parameter::method, "method"},
                                                                       {Parameter::device, "device"},
                                                                       {Parameter::dtype, "dtype"},
                                                                       {Parameter::boundary, "boundary"},
                                                                       {Parameter::same, "same"},
                                                                       {Parameter::threads, "threads"},
                                                                       {Parameter::lags, "lags"},
                                                                       {Parameter::max_lag, "max_lag"}}};

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

using Steps = std::array<npy_intp, kMostAxes>;

// The strides of a contiguous array of this shape.
Steps contiguous(Shape const& shape, npy_intp size) {
  Steps strides;
  for (int axis = shape.axes - 1; axis >= 0; --axis) {
    strides[static_cast<std::size_t>(axis)] = size;
    size *= std::max<npy_intp>(shape.counts[static_cast<std::size_t>(axis)], 1);
  }
  return strides;
}

nb::object contiguous_copy(PyArrayObject* array) { return checked(PyArray_NewCopy(array, NPY_CORDER)); }

class PlanObject {
 public:
  PlanObject(nb::object shape, nb::object v, nb::dict keywords) : keywords_(std::move(keywords)) {
    import_numpy();
    signal_ = shape_of(shape);
    const Function function = function_of(keyword(keywords_, "operation").ptr());
    filter_ = operand_of(function, v.ptr());
    filter_.owner = contiguous_copy(filter_.array());
    make_plain(filter_);
    PyArray_CLEARFLAGS(filter_.array(), NPY_ARRAY_WRITEABLE);
    const nb::object type = keyword(keywords_, "signal_dtype");
    signal_number_ = type.is_none() ? filter_.number : number_of_dtype(type.ptr());
    const Values values = values_of(keywords_);
    task_ = task_of(how_of(function, values), signal_, Shape::of(filter_.layout()));
    task_.types = types_of(signal_number_, filter_.number, values[Parameter::dtype], task_.geometry.products());
    walk_ = contiguous_walk();
    if (!task_.geometry.empty) make_plans();
  }

  PlanObject(PlanObject const&) = delete;
  PlanObject& operator=(PlanObject const&) = delete;

  nb::object execute(nb::object x, nb::object out) {
    Operand signal = signal_operand(x);
    Geometry const& g = task_.geometry;
    const nb::object result = out.is_none()
                                  ? new_array(g.result.axes, g.result.counts.data(), task_.types.result_number)
                                  : checked_out(out.ptr(), g, task_.types.result_number);
    nb::object computed = computed_into(task_, result, signal.layout(), filter_.layout());
    if (!g.empty) {
      const Walk walk = walk_as_planned(signal, computed);
      const Places places = places_of(g, signal.layout(), filter_.layout(), layout_of(as_array(computed)));
      const Unlocked unlocked(task_);
      run(walk, places);
    }
    finish(result, computed);
    return result;
  }

  nb::object reduced() const { return nb::make_tuple(checked(shape_tuple(signal_)), filter_.owner, keywords_); }

  std::string explain() const {
    return plans_.empty() ? kNothing : gpuconv::explain(plans_[0].problem(), task_.how.options);
  }

  std::string repr() const {
    if (plans_.empty()) return std::string("<gpuconv.Plan: ") + kNothing + ">";
    return "<gpuconv.Plan: " + to_string(plans_[0].problem()) + ", " + plans_[0].describe() + ">";
  }

  nb::dict info() const {
    nb::dict info;
    info["shape"] = checked(shape_tuple(signal_));
    info["result_shape"] = checked(shape_tuple(task_.geometry.result));
    info["signal_dtype"] = checked(reinterpret_cast<PyObject*>(descriptor(signal_number_)));
    info["dtype"] = checked(reinterpret_cast<PyObject*>(descriptor(task_.types.result_number)));
    info["plans"] = plans_.size();
    std::size_t bytes = 0;
    for (Plan const& plan : plans_) bytes += plan.workspace_bytes();
    info["workspace_bytes"] = bytes;
    if (plans_.empty()) return info;
    info["method"] = name(plans_[0].method());
    info["device"] = name(plans_[0].device());
    info["threads"] = plans_[0].threads();
    info["block"] = plans_[0].block();
    info["wrapping"] = name(plans_[0].wrapping());
    return info;
  }

 private:
  static PyObject* shape_tuple(Shape const& shape) {
    const nb::object tuple = checked(PyTuple_New(shape.axes));
    for (int axis = 0; axis < shape.axes; ++axis)
      PyTuple_SetItem(tuple.ptr(), axis,
                      checked(PyLong_FromSsize_t(shape.counts[static_cast<std::size_t>(axis)])).release().ptr());
    return nb::object(tuple).release().ptr();
  }

  // As signals and results lie that are contiguous, which is what plans are made for.
  Walk contiguous_walk() const {
    const auto size = [](Type type) { return static_cast<npy_intp>(size_of(type)); };
    const npy_intp in = size(task_.types.signal), result = size(task_.types.computed);
    const Steps signal = contiguous(signal_, in), out = contiguous(task_.geometry.result, result);
    return walk_of(task_.geometry, {signal.data(), PyArray_STRIDES(filter_.array()), out.data(), in,
                                    PyArray_ITEMSIZE(filter_.array()), result});
  }

  void make_plans() {
    const Place filter = place_of(filter_.layout(), task_.geometry.filter_axis, task_.geometry.lines.filter_axis);
    const Unlocked unlocked(task_);
    for (int part = 0; part < task_.parts(); ++part) {
      std::int64_t made = -1;
      each_turn(walk_, [&](Loop const& at, std::int64_t filters) {
        if (filters == made) return;
        made = filters;
        plans_.emplace_back(problem_of(task_, walk_, part), task_.how.options);
        set_filter<HostInput>(plans_.back(), task_, walk_, filter, at.filter);
      });
    }
  }

  void run(Walk const& walk, Places const& places) {
    for (int part = 0; part < task_.parts(); ++part)
      each_turn(walk, [&](Loop const& at, std::int64_t filters) {
        const std::int64_t plan = part * walk.filters_around + filters;
        python::execute<HostInput, HostOutput>(plans_[static_cast<std::size_t>(plan)], task_, walk, places, at, part);
      });
  }

  Operand signal_operand(nb::object const& x) const {
    Operand signal = operand_of(task_.how.function, x.ptr());
    if (!is_same_type(signal.number, signal_number_))
      raise(PyExc_ValueError, "the signal is of %U, the plan's of %U", dtype_name(signal.number).ptr(),
            dtype_name(signal_number_).ptr());
    const Shape shape = Shape::of(signal.layout());
    if (shape.axes != signal_.axes ||
        !std::equal(shape.counts.begin(), shape.counts.begin() + shape.axes, signal_.counts.begin()))
      raise(PyExc_ValueError, "the signal has the shape %s, the plan's %s", to_text(shape).c_str(),
            to_text(signal_).c_str());
    make_plain(signal);
    return signal;
  }

  // The walk through these arrays in the way of the plans; those that do not lie so evenly are replaced by contiguous
  // ones.
  Walk walk_as_planned(Operand& signal, nb::object& computed) const {
    const auto walk = [&] {
      return walk_of(task_.geometry, placement_of(signal.layout(), filter_.layout(), layout_of(as_array(computed))));
    };
    const Walk as_it_lies = walk();
    if (same_plans(as_it_lies, walk_)) return as_it_lies;
    signal.owner = contiguous_copy(signal.array());
    if (const Walk of_result = walk(); same_plans(of_result, walk_)) return of_result;
    Geometry const& g = task_.geometry;
    computed = new_array(g.result.axes, g.result.counts.data(), task_.types.computed_number);
    return walk();
  }

  nb::dict keywords_;
  Shape signal_;
  Operand filter_;
  int signal_number_ = 0;
  Task task_;
  Walk walk_;
  std::vector<Plan> plans_;  // for each part of the outputs, one for each filter or set of filters
};

std::string explain(nb::object a, nb::object v, nb::dict keywords) {
  import_numpy();
  const Function function = function_of(keyword(keywords, "operation").ptr());
  Operand signal = operand_of(function, a.ptr()), filter = operand_of(function, v.ptr());
  const Values values = values_of(keywords);
  Task task = task_of(how_of(function, values), Shape::of(signal.layout()), Shape::of(filter.layout()));
  task.types = types_of(signal.number, filter.number, values[Parameter::dtype], task.geometry.products());
  if (task.geometry.empty) return kNothing;
  make_plain(signal);
  make_plain(filter);
  Shape const& shape = task.geometry.result;
  const npy_intp size = static_cast<npy_intp>(size_of(task.types.computed));
  const Steps out = contiguous(shape, size);
  const Walk walk =
      walk_of(task.geometry, {PyArray_STRIDES(signal.array()), PyArray_STRIDES(filter.array()), out.data(),
                              PyArray_ITEMSIZE(signal.array()), PyArray_ITEMSIZE(filter.array()), size});
  return gpuconv::explain(problem_of(task, walk, 0), task.how.options);
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
             Any device, Any dtype, Any boundary, Any same, Any threads, Any lags, Any max_lag) {
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
                                               {"max_lag", max_lag}}));
          },
          arg("shape"), arg("v"), arg("mode") = none, nb::kw_only(), arg("operation") = "convolve",
          arg("signal_dtype") = none, arg("axis") = none, arg("method") = "auto", arg("device") = "auto",
          arg("dtype") = none, arg("boundary") = "zero", arg("same") = none, arg("threads") = none, arg("lags") = none,
          arg("max_lag") = none)
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
         Any threads, Any lags, Any max_lag) {
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
                                    {"max_lag", max_lag}}));
      },
      arg("a"), arg("v"), arg("mode") = none, nb::kw_only(), arg("operation") = "convolve", arg("axis") = none,
      arg("method") = "auto", arg("device") = "auto", arg("dtype") = none, arg("boundary") = "zero", arg("same") = none,
      arg("threads") = none, arg("lags") = none, arg("max_lag") = none, kExplainText);
}

}  // namespace gpuconv::python

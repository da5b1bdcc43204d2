#include "task.hpp"

#include "dtypes.hpp"

#include <algorithm>
#include <cstdlib>

namespace gpuconv::python {
namespace {

[[noreturn]] void raise_unknown(int number) {
  raise(PyExc_NotImplementedError, "gpuconv has no element type %U", dtype_name(number).ptr());
}

Type known(int number) {
  const std::optional<Type> type = type_of_number(number);
  if (!type) raise_unknown(number);
  return *type;
}

// Sums of so many products of two bools, which uint32 holds, are all but those of arrays of 4 GiB and more.
constexpr std::int64_t kMostCounted = UINT32_MAX;

Type type_of_counts(std::int64_t shorter) { return shorter <= kMostCounted ? Type::uint32 : Type::uint64; }

// The type that a result of type `computed` comes from: a real one for complex results of real operands, and the
// library's own where NumPy promotes to a narrower type than it does.
Type sum_type(Types const& types, bool named) {
  const Type least = default_result(types.signal, types.filter);
  if (is_complex(types.computed) && !is_complex(least)) return part_type(types.computed);
  const bool narrower = is_floating(types.computed) && is_floating(least) && size_of(least) > size_of(types.computed);
  return narrower && !named ? least : types.computed;
}

std::size_t at(int axis) { return static_cast<std::size_t>(axis); }

struct Part {
  std::int64_t first, outputs;  // of the result
  bool descends;
};
Part part_of(Task const& task, int part) {
  if (!task.how.lags) return {0, task.geometry.outputs, false};
  LagRun const& run = task.how.lags->runs[at(part)];
  return {run.before, run.count, run.descends};
}

// In the words of the NumPy that there is: which operand they call empty depends on its version.
[[noreturn]] void raise_empty(Function called, Geometry const& g) {
  const Operation operation = called.operation;
  if (called.is_of_images())
    raise(PyExc_ValueError, "the %s of %s cannot be empty", g.samples * g.lines.signal == 0 ? "signal" : "filter",
          name(called).data());
  const nb::object function = numpys_function(name(operation).data());
  const char* const operands = g.samples == 0 && g.taps == 0 ? "([][])" : g.samples == 0 ? "([][i])" : "([i][])";
  nb::steal(PyObject_CallFunction(function.ptr(), operands, 1));
  if (PyErr_Occurred()) nb::raise_python_error();
  raise(PyExc_ValueError, "the operands of %s cannot be empty", name(operation).data());
}

}  // namespace

Types types_of(int signal, int filter, PyObject* dtype, std::int64_t shorter) {
  Types types{known(signal), known(filter), {}, 0, 0};
  types.result_number = dtype ? number_of_dtype(dtype) : promoted(signal, filter);
  types.computed = known(types.result_number);
  types.computed_number = types.result_number;
  if (types.result_number == NPY_BOOL) {
    if (signal != NPY_BOOL || filter != NPY_BOOL)
      raise(PyExc_ValueError, "a result of bool cannot hold the convolution of %U with %U", dtype_name(signal).ptr(),
            dtype_name(filter).ptr());
    types.computed = type_of_counts(shorter);
    types.computed_number = number_of(types.computed);
  } else if (const Type type = sum_type(types, dtype); type != types.computed) {
    types.computed = type;
    types.computed_number = number_of(type);
  }
  return types;
}

double Task::products() const {
  double rows = 1;
  for (int i = 0; i < geometry.repeats; ++i) rows *= static_cast<double>(geometry.repeat[at(i)].count);
  return rows * static_cast<double>(geometry.outputs) * static_cast<double>(geometry.lines.outputs) *
         static_cast<double>(geometry.products());
}

Task task_of(How how, Shape const& signal, Shape const& filter) {
  const Axes axes = how.axes;
  Task task{.how = std::move(how), .geometry = geometry_of(signal, filter, axes), .types = {}};
  Geometry& g = task.geometry;
  if (g.samples == 0 || g.taps == 0 || g.lines.signal == 0 || g.lines.filter == 0) raise_empty(task.how.function, g);
  if (task.how.lags) {
    set_outputs(g, 1, task.how.lags->count);
  } else {
    const Problem problem{.signal = g.samples,
                          .filter = g.taps,
                          .mode = task.how.mode,
                          .same = task.how.same,
                          .operation = task.how.function.operation,
                          .lines = {.signal = g.lines.signal, .filter = g.lines.filter}};
    set_outputs(g, line_slice(problem).length, output_slice(problem).length);
  }
  return task;
}

Place place_of(Layout const& layout, int axis, int line_axis) {
  return {layout.data, axis < 0 ? 1 : elements_of(layout.strides[axis], layout.size),
          line_axis < 0 ? 0 : elements_of(layout.strides[line_axis], layout.size)};
}

Places places_of(Geometry const& g, Layout const& signal, Layout const& filter, Layout const& out) {
  return {place_of(signal, g.signal_axis, g.lines.signal_axis), place_of(filter, g.filter_axis, g.lines.filter_axis),
          place_of(out, g.out_axis, g.lines.out_axis)};
}

Problem problem_of(Task const& task, Walk const& walk, int part) {
  Geometry const& g = task.geometry;
  Problem problem{.signal = g.samples,
                  .filter = g.taps,
                  .batch = walk.batch.count,
                  .filters = walk.filters,
                  .mode = task.how.mode,
                  .same = task.how.same,
                  .type = task.types.signal,
                  .filter_type = task.types.filter,
                  .result_type = task.types.computed,
                  .operation = task.how.function.operation,
                  .boundary = task.how.boundary,
                  .constant = task.how.constant,
                  .bank = walk.bank.count,
                  .lines = {.signal = g.lines.signal, .filter = g.lines.filter, .separable = task.how.separable}};
  if (task.how.lags) {
    LagRun const& run = task.how.lags->runs[at(part)];
    problem.window = lag_window(run.lowest(), run.highest(), g.taps, run.step);
  }
  return problem;
}

// The filters of a plan.
template <class Input>
static Input filter_view(Task const& task, Walk const& walk, Place const& filter, std::int64_t offset) {
  const Type type = task.types.filter;
  Images rows{.images = 1,
              .lines = task.geometry.lines.filter,
              .columns = task.geometry.taps,
              .stride = 0,
              .line_stride = filter.line,
              .element_stride = filter.stride};
  if (walk.filters == Filters::per_row) rows.images = walk.batch.count, rows.stride = walk.batch.filter;
  if (walk.filters == Filters::bank) rows.images = walk.bank.count, rows.stride = walk.bank.filter;
  return Input(filter.data + offset * static_cast<std::int64_t>(size_of(type)), type, rows);
}

void look_at_filters(Task& task, Walk const& walk, Place const& filter) {
  Geometry const& g = task.geometry;
  if (task.how.separable || g.empty || g.lines.filter == 1 || g.taps == 1) return;
  bool products = true;
  std::int64_t last = -1;
  each_turn(walk, [&](Loop const& at, std::int64_t filters) {
    if (products && last != filters) products = is_separable(filter_view<HostInput>(task, walk, filter, at.filter));
    last = filters;
  });
  task.how.separable = products;
}

template <class Input, class... Where>
void set_filter(Plan& plan, Task const& task, Walk const& walk, Place const& filter, std::int64_t offset,
                Where const&... where) {
  plan.set_filter(filter_view<Input>(task, walk, filter, offset), where...);
}

// What one execution reads.
template <class Input>
static Input signal_view(Task const& task, Walk const& walk, Place const& signal, Loop const& turn) {
  const Type type = task.types.signal;
  return Input(signal.data + turn.signal * static_cast<std::int64_t>(size_of(type)), type,
               Images{.images = walk.batch.count,
                      .lines = task.geometry.lines.signal,
                      .columns = task.geometry.samples,
                      .stride = walk.batch.signal,
                      .line_stride = signal.line,
                      .element_stride = signal.stride});
}
// What it writes; to look at, also as an `Input`.
template <class Output>
static Output out_view(Task const& task, Walk const& walk, Place const& out, Loop const& turn, int part) {
  const Type type = task.types.computed;
  const Part outputs = part_of(task, part);
  const std::int64_t first = outputs.first + (outputs.descends ? outputs.outputs - 1 : 0), step = out.stride;
  return Output(out.data + (turn.out + first * step) * static_cast<std::int64_t>(size_of(type)), type,
                Images{.images = walk.batch.count * walk.bank.count,
                       .lines = task.geometry.lines.outputs,
                       .columns = outputs.outputs,
                       .stride = walk.result_stride(),
                       .line_stride = out.line,
                       .element_stride = outputs.descends ? -step : step});
}

template <class Input, class Output, class... Where>
void execute(Plan& plan, Task const& task, Walk const& walk, Places const& places, Loop const& turn, int part,
             Where const&... where) {
  plan.execute(signal_view<Input>(task, walk, places.signal, turn),
               out_view<Output>(task, walk, places.out, turn, part), where...);
}

template void set_filter<HostInput>(Plan&, Task const&, Walk const&, Place const&, std::int64_t);
template void execute<HostInput, HostOutput>(Plan&, Task const&, Walk const&, Places const&, Loop const&, int);
template void set_filter<HostInput>(Plan&, Task const&, Walk const&, Place const&, std::int64_t, Stream const&,
                                    DeviceBytes const&);
template void set_filter<DeviceInput>(Plan&, Task const&, Walk const&, Place const&, std::int64_t, Stream const&,
                                      DeviceBytes const&);
template void execute<DeviceInput, DeviceOutput>(Plan&, Task const&, Walk const&, Places const&, Loop const&, int,
                                                 Stream const&, DeviceBytes const&);

Options on_device(Task const& task, Walk const& walk, Places const& places, Problem const& problem, int part) {
  const Loop first{1, 0, 0, 0};
  Options options = task.how.options;
  options.memory = Memory::device;
  options.across = lies_across(signal_view<DeviceInput>(task, walk, places.signal, first), problem) ||
                   lies_across(out_view<DeviceInput>(task, walk, places.out, first, part), problem);
  return options;
}

// Whether images' lines lie one behind the other, as the library writes them.
bool line_after_line(Geometry const& g, Layout const& out) {
  return g.lines.out_axis < 0 || g.lines.outputs == 1 ||
         std::abs(out.strides[g.lines.out_axis]) >= g.outputs * std::abs(out.strides[g.out_axis]);
}

bool can_be_written(Task const& task, Layout const& out, Layout const& signal, Layout const& filter) {
  return line_after_line(task.geometry, out) && is_of_whole_elements(out) && elements_lie_apart(out) &&
         !ranges_overlap(out, signal) && !ranges_overlap(out, filter);
}

nb::object computed_into(Task const& task, nb::object const& out, Layout const& signal, Layout const& filter) {
  PyArrayObject* const array = as_array(out);
  if (task.types.computed_number == task.types.result_number && PyArray_ISBEHAVED_RO(array) &&
      can_be_written(task, layout_of(array), signal, filter))
    return out;
  return new_array(task.geometry.result.axes, task.geometry.result.counts.data(), task.types.computed_number);
}

void finish(nb::object const& out, nb::object const& computed) {
  if (out.is(computed)) return;
  if (PyArray_CopyInto(as_array(out), as_array(computed)) < 0) nb::raise_python_error();
}

bool has_shape_of_result(Layout const& layout, Geometry const& g) {
  return layout.axes == g.result.axes &&
         std::equal(layout.counts, layout.counts + layout.axes, g.result.counts.begin());
}

nb::object checked_out(PyObject* out, Geometry const& g, int number) {
  if (!PyArray_Check(out)) raise(PyExc_TypeError, "return arrays must be of ArrayType");
  PyArrayObject* const array = reinterpret_cast<PyArrayObject*>(out);
  const nb::object type = checked(reinterpret_cast<PyObject*>(descriptor(number)));
  if (!PyArray_EquivTypes(PyArray_DESCR(array), reinterpret_cast<PyArray_Descr*>(type.ptr())))
    raise(PyExc_ValueError, "out is of %S, the result of %S", reinterpret_cast<PyObject*>(PyArray_DESCR(array)),
          type.ptr());
  if (!has_shape_of_result(layout_of(array), g)) {
    const nb::object shape = checked(PyObject_GetAttrString(out, "shape"));
    raise(PyExc_ValueError, "out has the shape %S, the result %s", shape.ptr(), to_text(g.result).c_str());
  }
  if (!PyArray_ISWRITEABLE(array)) raise(PyExc_ValueError, "output array is read-only");
  return nb::borrow(out);
}

}  // namespace gpuconv::python

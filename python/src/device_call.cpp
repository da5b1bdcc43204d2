#include "device_call.hpp"

#include "device_work.hpp"
#include "dtypes.hpp"
#include "task.hpp"

#include <algorithm>
#include <list>
#include <optional>

namespace gpuconv::python {
namespace {

// A plan with scratch memory from whoever executes it.
struct Kept {
  Problem problem;
  Options options;
  int device;
  Plan plan;
  Event used = {};  // when the last call is done with the filter that it has set

  bool serves(Problem const& p, Options const& o, int d) const {
    return device == d && options.method == o.method && options.across == o.across && problem == p;
  }
};
using Few = std::list<Kept>;

// The plans of the last calls, the latest first: to make one takes many times as long as to use it, and to destroy it
// waits for the device. Who uses a plan has taken it out, under the interpreter's lock, so that no other thread meets
// it. Never destroyed: when the process ends, the CUDA runtime may have gone.
Few& kept_plans() {
  static Few& kept = *new Few;
  return kept;
}
constexpr std::size_t kMostKept = 8;
// Of device memory: plans with more are destroyed by the call that made them, which then waits for the device.
constexpr std::size_t kMostBytes = std::size_t{32} << 20;

// A list of the plan, if there is one that serves.
Few take(Problem const& problem, Options const& options, int device) {
  Few taken, &kept = kept_plans();
  const auto found = std::ranges::find_if(kept, [&](Kept const& k) { return k.serves(problem, options, device); });
  if (found != kept.end()) taken.splice(taken.begin(), kept, found);
  return taken;
}

// Keeps the plan. What is left in the list is not kept any more.
void give_back(Few& used) {
  Few& kept = kept_plans();
  if (used.front().plan.workspace_bytes() > kMostBytes) return;
  kept.splice(kept.begin(), used);
  if (kept.size() > kMostKept) used.splice(used.begin(), kept, std::prev(kept.end()));
}

struct Operands {
  Layout signal, filter, out;
  bool filter_on_host;
};

void compute(Kept& kept, Task const& task, Walk const& walk, Places const& places, int part, bool filter_on_host,
             Stream stream) {
  kept.used.precede(stream);
  DeviceBuffer<std::uint8_t> scratch(static_cast<std::int64_t>(kept.plan.scratch_bytes()), stream);
  std::int64_t set = -1;
  each_turn(walk, [&](Loop const& at, std::int64_t filters) {
    if (set != filters) {
      if (filter_on_host)
        set_filter<HostInput>(kept.plan, task, walk, places.filter, at.filter, stream, scratch.bytes());
      else set_filter<DeviceInput>(kept.plan, task, walk, places.filter, at.filter, stream, scratch.bytes());
    }
    set = filters;
    execute<DeviceInput, DeviceOutput>(kept.plan, task, walk, places, at, part, stream, scratch.bytes());
  });
  kept.used.record(stream);
}

void compute(Task const& task, Operands const& operands, DeviceWork const& work) {
  const Walk walk = walk_of(task.geometry, placement_of(operands.signal, operands.filter, operands.out));
  const Places places = places_of(task.geometry, operands.signal, operands.filter, operands.out);
  for (int part = 0; part < task.parts(); ++part) {
    const Problem problem = problem_of(task, walk, part);
    Options options = on_device(task, walk, places, problem, part);
    options.caller_scratch = true;
    Few plans = take(problem, options, work.device());
    {
      const nb::gil_scoped_release unlocked;  // also small calls may wait for the device
      if (plans.empty()) plans.push_back({problem, options, work.device(), Plan(problem, options)});
      compute(plans.front(), task, walk, places, part, operands.filter_on_host, work.stream());
    }
    give_back(plans);
    const nb::gil_scoped_release unlocked;
    plans.clear();
  }
}

bool is_device_array(PyObject* object) { return is_of_another_library(object) && is_on_device(object); }

// The signal, then the filter and the array for the result where they are in device memory.
std::vector<NamedArray> arrays_of(Values const& values) {
  PyObject* const a = values[Parameter::a];
  PyObject* const v = values[Parameter::v];
  PyObject* const out = values[Parameter::out];
  const bool filter = is_device_array(v);
  if (!is_device_array(a))
    raise(PyExc_TypeError, "the signal is in the memory of the host and %s in that of a CUDA device: copy one of them",
          filter ? "the filter" : "out");
  if (out && !is_device_array(out))
    raise(PyExc_TypeError,
          "the signal is in the memory of a CUDA device and out in that of the host: copy one of them");
  std::vector<NamedArray> arrays{{"signal", a}};
  if (filter) arrays.push_back({"filter", v});
  if (out) arrays.push_back({"out", out});
  return arrays;
}

void check_out(DeviceArray const& out, Task const& task) {
  if (!is_same_type(out.number, task.types.result_number))
    raise(PyExc_ValueError, "out is of %U, the result of %U", dtype_name(out.number).ptr(),
          dtype_name(task.types.result_number).ptr());
  if (!has_shape_of_result(out.layout(), task.geometry))
    raise(PyExc_ValueError, "out has the shape %s, the result %s", to_text(out.shape).c_str(),
          to_text(task.geometry.result).c_str());
  if (out.read_only) raise(PyExc_ValueError, "output array is read-only");
}

}  // namespace

bool any_on_device(Values const& values) {
  return std::ranges::any_of(std::array{Parameter::a, Parameter::v, Parameter::out},
                             [&](Parameter p) { return values[p] && is_device_array(values[p]); });
}

nb::object call_on_device(Function function, Values const& values) {
  const How how = how_of(function, values);
  const std::vector<NamedArray> given = arrays_of(values);
  DeviceWork work(given);
  if (is_captured(work.stream()))
    raise(PyExc_ValueError, "%s makes plans, which no CUDA graph can hold: capture gpuconv.Plan.execute",
          name(function).data());
  const auto at = [&](const char* name) -> DeviceArray* {
    for (std::size_t i = 0; i < given.size(); ++i)
      if (given[i].name == std::string_view(name)) return &work[i];
    return nullptr;
  };
  DeviceArray const &signal = work[0], *const filter = at("filter"), *const out = at("out");
  Operand host;
  if (!filter) host = operand_of(function, values[Parameter::v]), make_plain(host);
  const int filter_number = filter ? filter->number : host.number;
  const Layout signal_layout = signal.layout(), filter_layout = filter ? filter->layout() : host.layout();
  if (keeps_subclasses(function) && (signal_layout.axes == 0 || filter_layout.axes == 0))
    raise(PyExc_ValueError, "object of too small depth for desired array");

  Task task = task_of(how, Shape::of(signal_layout), Shape::of(filter_layout));
  nb::object dtype;
  if (PyObject* const named = values[Parameter::dtype]) dtype = numpys_dtype(named, values[Parameter::a]);
  task.types = types_of(signal.number, filter_number, dtype.ptr(), task.geometry.products());
  for (Layout const& layout : {signal_layout, filter_layout})
    if (!is_of_whole_elements(layout))
      raise(PyExc_ValueError, "elements in device memory have to be aligned, and a whole number of them apart");

  Shape const& shape = task.geometry.result;
  const int result_number = task.types.result_number, computed_number = task.types.computed_number;
  const bool written = work.are_written();
  if (out && !written) raise(PyExc_ValueError, "out is of a library whose arrays nobody may write");
  if (out) check_out(*out, task);
  DeviceArray const& result = out ? *out : work.new_array(shape, written ? result_number : computed_number);
  const bool in_place = is_same_type(result.number, computed_number) &&
                        can_be_written(task, result.layout(), signal_layout, filter_layout);
  DeviceArray const& computed = in_place ? result : work.new_array(shape, computed_number);
  if (!task.geometry.empty) compute(task, {signal_layout, filter_layout, computed.layout(), !filter}, work);
  if (!in_place) work.copy(computed, result);
  work.finish();
  return out ? nb::borrow(out->object) : written ? nb::borrow(result.object) : work.as_result(result, result_number);
}

}  // namespace gpuconv::python

#include "device_call.hpp"

#include "device_operands.hpp"
#include "dtypes.hpp"

#include <gpuconv/error.hpp>

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

// Calls `f` without the interpreter's lock, for it may wait for the device; where that one's memory has run out, once
// more without the kept plans.
template <class F>
void with_all_memory(F&& f) {
  try {
    const nb::gil_scoped_release unlocked;
    return f();
  } catch (OutOfMemory const&) {
    if (kept_plans().empty()) throw;
  }
  Few dropped;
  dropped.swap(kept_plans());
  const nb::gil_scoped_release unlocked;
  dropped.clear();
  f();
}

struct Layouts {
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

void compute(Task const& task, Layouts const& arrays, DeviceWork const& work) {
  const Walk walk = walk_of(task.geometry, placement_of(arrays.signal, arrays.filter, arrays.out));
  const Places places = places_of(task.geometry, arrays.signal, arrays.filter, arrays.out);
  for (int part = 0; part < task.parts(); ++part) {
    const Problem problem = problem_of(task, walk, part);
    Options options = on_device(task, walk, places, problem, part);
    options.caller_scratch = true;
    Few plans = take(problem, options, work.device());
    with_all_memory([&] {
      if (plans.empty()) plans.push_back({problem, options, work.device(), Plan(problem, options)});
      compute(plans.front(), task, walk, places, part, arrays.filter_on_host, work.stream());
    });
    give_back(plans);
    const nb::gil_scoped_release unlocked;
    plans.clear();
  }
}

Operand plain_operand_of(Function function, PyObject* object) {
  Operand operand = operand_of(function, object);
  make_plain(operand);
  return operand;
}

}  // namespace

bool any_on_device(Values const& values) {
  return std::ranges::any_of(std::array{Parameter::a, Parameter::v, Parameter::out},
                             [&](Parameter p) { return values[p] && is_device_array(values[p]); });
}

nb::object call_on_device(Function function, Values const& values) {
  PyObject *const a = values[Parameter::a], *const v = values[Parameter::v];
  const How how = how_of(function, values);
  DeviceOperands operands(a, v, values[Parameter::out]);
  if (is_captured(operands.work().stream()))
    raise(PyExc_ValueError, "%s makes plans, which no CUDA graph can hold: capture gpuconv.Plan.execute",
          name(function).data());
  DeviceArray const &signal = operands.signal(), *const on_device = operands.filter();
  const Operand on_host = on_device ? Operand{} : plain_operand_of(function, v);
  const Layout filter = on_device ? on_device->layout() : on_host.layout();
  if (keeps_subclasses(function) && (signal.shape.axes == 0 || filter.axes == 0))
    raise(PyExc_ValueError, "object of too small depth for desired array");

  Task task = task_of(how, signal.shape, Shape::of(filter));
  PyObject* const named = values[Parameter::dtype];
  const nb::object dtype = named ? numpys_dtype(named, a) : nb::object();
  task.types =
      types_of(signal.number, on_device ? on_device->number : on_host.number, dtype.ptr(), task.geometry.products());
  check_elements(filter);
  operands.set_result(task, filter);
  if (!task.geometry.empty)
    compute(task, {signal.layout(), filter, operands.computed().layout(), !on_device}, operands.work());
  return operands.result(task);
}

}  // namespace gpuconv::python

#include "device_plan.hpp"

#include "device_operands.hpp"
#include "dtypes.hpp"

namespace gpuconv::python {

DevicePlan::DevicePlan(Planned& planned, How how, PyObject* v, PyObject* signal_dtype, PyObject* dtype) {
  DeviceWork work({{"filter", v}});
  filter_ = work[0];
  filter_.object = filter_.owner = nb::object();  // the work has them for as long as they are read
  device_ = work.device();
  used_.emplace();
  planned.signal_number = signal_dtype ? number_of_dtype(numpys_dtype(signal_dtype, v).ptr()) : filter_.number;
  planned.task = task_of(std::move(how), planned.signal, Shape::of(filter_.layout()));
  Task& task = planned.task;
  const nb::object named = dtype ? numpys_dtype(dtype, v) : nb::object();
  task.types = types_of(planned.signal_number, filter_.number, named.ptr(), task.geometry.products());
  check_elements(filter_.layout());
  planned.set_walk(filter_.layout());
  if (task.geometry.empty) return;

  const Place filter = place_of(filter_.layout(), task.geometry.filter_axis, task.geometry.lines.filter_axis);
  const Steps signal = contiguous(planned.signal, static_cast<npy_intp>(size_of(task.types.signal)));
  const Steps out = contiguous(task.geometry.result, static_cast<npy_intp>(size_of(task.types.computed)));
  const auto as_it_will_lie = [&](Shape const& shape, Steps const& strides, Type type) {  // wherever that is
    return Layout{filter_.data, static_cast<npy_intp>(size_of(type)), shape.axes, shape.counts.data(), strides.data()};
  };
  const Places places = places_of(task.geometry, as_it_will_lie(planned.signal, signal, task.types.signal),
                                  filter_.layout(), as_it_will_lie(task.geometry.result, out, task.types.computed));
  task.how.options = on_device(task, planned.walk, places, problem_of(task, planned.walk, 0), 0);
  const nb::gil_scoped_release unlocked;
  planned.make<DeviceInput>(task.how.options, filter, work.stream(), DeviceBytes{});
  synchronize(work.stream());
}

nb::object DevicePlan::execute(Planned& planned, PyObject* x, PyObject* out) {
  Task const& task = planned.task;
  DeviceOperands call(x, nullptr, out);
  DeviceWork& work = call.work();
  if (work.device() >= 0 && device_ >= 0 && work.device() != device_)
    raise(PyExc_ValueError, "the plan's filter is on CUDA device %d, the signal on CUDA device %d", device_,
          work.device());
  planned.check_signal(call.signal().number, call.signal().layout());
  call.set_result(task, filter_.layout());
  if (!task.geometry.empty) {
    const auto walk_now = [&] {
      return walk_of(task.geometry, placement_of(call.signal().layout(), filter_.layout(), call.computed().layout()));
    };
    Walk walk = walk_now();
    if (!planned.takes(walk)) call.copy_signal(), walk = walk_now();
    if (!planned.takes(walk)) call.compute_elsewhere(task), walk = walk_now();
    const Places places = places_of(task.geometry, call.signal().layout(), filter_.layout(), call.computed().layout());
    const nb::gil_scoped_release unlocked;
    const bool captured = is_captured(work.stream());
    if (!captured) used_->precede(work.stream());
    planned.run<DeviceInput, DeviceOutput>(walk, places, work.stream(), DeviceBytes{});
    if (!captured) used_->record(work.stream());
  }
  return call.result(task);
}

}  // namespace gpuconv::python

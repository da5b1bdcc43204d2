// Plans of filters in the memory of a CUDA device, for signals there.
#pragma once

#include "device_array.hpp"
#include "planned.hpp"

namespace gpuconv::python {

/// The part of an object Plan that is on a device. Its executions come after each other, whatever streams they are on.
class DevicePlan {
 public:
  /// Makes the plans of a task, whose signal is known, with the filter `v`. Returns when the filter is prepared. Throws
  /// nb::python_error, and what the library throws.
  DevicePlan(Planned& planned, How how, PyObject* v, PyObject* signal_dtype, PyObject* dtype);

  /// The convolution of `x` into `out`, or where that is null into a new array. Throws as calls do. While a graph is
  /// captured nothing orders this execution after others.
  nb::object execute(Planned& planned, PyObject* x, PyObject* out);

 private:
  DeviceArray filter_;  // how it lay; it is not read any more
  int device_;
  std::optional<Event> used_;  // on the device
};

}  // namespace gpuconv::python

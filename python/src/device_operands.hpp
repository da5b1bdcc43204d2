// The operands and the result of a computation on a CUDA device: in whose memory they are, and what is computed into.
#pragma once

#include "device_work.hpp"
#include "task.hpp"

namespace gpuconv::python {

/// Whether the object is an array of another library in the memory of a CUDA device. Throws nb::python_error.
bool is_device_array(PyObject* object);

/// Throws nb::python_error for an array whose elements are not aligned, or no whole number of them apart.
void check_elements(Layout const& layout);

class DeviceOperands {
 public:
  /// `v`: may be null, or in host memory; `out`: may be null. Throws nb::python_error, TypeError where the signal or
  /// the result is in host memory; as DeviceWork.
  DeviceOperands(PyObject* a, PyObject* v, PyObject* out);

  DeviceWork& work() { return work_; }
  DeviceArray const& signal() const { return *signal_; }
  DeviceArray const* filter() const { return filter_; }  ///< null where it is in host memory
  DeviceArray const& computed() const { return *computed_; }

  /// Checks the caller's array for the result or makes one, then one to compute into where that cannot be written as it
  /// lies. Throws nb::python_error.
  void set_result(Task const& task, Layout const& filter);
  /// Puts contiguous arrays in the place of the signal, and of what is computed into. Throws nb::python_error.
  void copy_signal();
  void compute_elsewhere(Task const& task) {
    computed_ = &work_.new_array(task.geometry.result, task.types.computed_number);
  }
  /// The result for the caller, when everything is enqueued. Throws nb::python_error, CudaError.
  nb::object result(Task const& task);

 private:
  DeviceWork work_;
  DeviceArray *signal_ = nullptr, *filter_ = nullptr, *out_ = nullptr;
  DeviceArray *result_ = nullptr, *computed_ = nullptr;
};

}  // namespace gpuconv::python

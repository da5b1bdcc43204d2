#include "device_operands.hpp"

#include "dtypes.hpp"

namespace gpuconv::python {
namespace {

// The signal, then the filter and the array for the result where they are in device memory.
std::vector<NamedArray> arrays_of(PyObject* a, PyObject* v, PyObject* out) {
  const bool filter = v && is_device_array(v);
  if (!is_device_array(a))
    raise(PyExc_TypeError, "the signal is in the memory of the host and %s in that of a CUDA device: copy one of them",
          filter ? "the filter"
          : v    ? "out"
                 : "the plan's filter");
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

bool is_device_array(PyObject* object) { return is_of_another_library(object) && is_on_device(object); }

void check_elements(Layout const& layout) {
  if (!is_of_whole_elements(layout))
    raise(PyExc_ValueError, "elements in device memory have to be aligned, and a whole number of them apart");
}

DeviceOperands::DeviceOperands(PyObject* a, PyObject* v, PyObject* out) : work_(arrays_of(a, v, out)) {
  std::size_t next = 0;
  signal_ = &work_[next++];
  if (v && is_device_array(v)) filter_ = &work_[next++];
  if (out) out_ = &work_[next];
}

void DeviceOperands::set_result(Task const& task, Layout const& filter) {
  check_elements(signal_->layout());
  const bool written = work_.are_written();
  if (out_) {
    if (!written) raise(PyExc_ValueError, "out is of a library whose arrays nobody may write");
    check_out(*out_, task);
    result_ = out_;
  } else {
    result_ = &work_.new_array(task.geometry.result, written ? task.types.result_number : task.types.computed_number);
  }
  computed_ = result_;
  if (!is_same_type(result_->number, task.types.computed_number) ||
      !can_be_written(task, result_->layout(), signal_->layout(), filter))
    compute_elsewhere(task);
}

void DeviceOperands::copy_signal() {
  if (!work_.are_written())
    raise(PyExc_ValueError, "the signal does not lie as plans take it: in C order, or with axes that join alike");
  DeviceArray& copy = work_.new_array(signal_->shape, signal_->number);
  work_.copy(*signal_, copy);
  signal_ = &copy;
}

nb::object DeviceOperands::result(Task const& task) {
  if (computed_ != result_) work_.copy(*computed_, *result_);
  work_.finish();
  if (out_ || work_.are_written()) return result_->object;
  return work_.as_result(*result_, task.types.result_number);
}

}  // namespace gpuconv::python

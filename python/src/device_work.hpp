// What a call does on a CUDA device, in the order of the streams that its arrays' library works on.
#pragma once

#include "arguments.hpp"
#include "device_array.hpp"

#include <deque>
#include <optional>
#include <utility>
#include <vector>

namespace gpuconv::python {

/// An argument that is an array in device memory, and what to call it in errors.
struct NamedArray {
  const char* name;
  PyObject* object;
};

/// The device and the stream of a call on arrays of one library. The stream is the first one that its arrays' library
/// tells of. Where some array comes from a library that tells of none, work is enqueued on the legacy default stream,
/// and `finish` waits for it. The arrays, also new ones, live as long as this does; their streams wait for the call's.
class DeviceWork {
 public:
  /// Throws nb::python_error: TypeError for arrays of two libraries, ValueError for arrays on two devices;
  /// InvalidArgument; NotImplementedError where this build has no CUDA.
  explicit DeviceWork(std::vector<NamedArray> const& arrays);
  /// Finishes what an error has left.
  ~DeviceWork();
  DeviceWork(DeviceWork const&) = delete;
  DeviceWork& operator=(DeviceWork const&) = delete;

  Stream stream() const { return stream_; }
  int device() const { return device_; }
  /// The `i`th of the arrays that were given.
  DeviceArray& operator[](std::size_t i) { return arrays_[i]; }
  /// An array that is not initialised, in the order of its axes: of the first one's library or, where nobody may write
  /// that one's arrays, memory of gpuconv's, which `as_result` makes an array of it. Throws nb::python_error.
  DeviceArray& new_array(Shape const& shape, int number);
  /// Whether arrays of the first one's library can be written.
  bool are_written() const;
  /// Enqueues a copy, with conversion, by the library. Throws nb::python_error.
  void copy(DeviceArray const& from, DeviceArray const& to);
  /// The array for the caller, of type `number`. After `finish`. Throws nb::python_error.
  nb::object as_result(DeviceArray const& array, int number);
  /// What any of the arrays' streams has to do from now on comes after what was enqueued by now; waits for it where
  /// that is not enough. May be called again. Throws CudaError.
  void finish();

 private:
  DeviceArray& add(Offer const& offer);

  nb::object library_;  // gpuconv._cuda
  std::deque<DeviceArray> arrays_;
  std::vector<Stream> others_;  // than `stream_`
  bool waits_ = false, is_finished_ = true;
  int device_ = -1;
  std::optional<OnDevice> on_;
  Stream stream_;
};

/// What a type or whatever `dtype` is to the array's library is to NumPy. Throws nb::python_error.
nb::object numpys_dtype(PyObject* dtype, PyObject* array);

}  // namespace gpuconv::python

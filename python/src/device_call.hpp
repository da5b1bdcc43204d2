// One-shot calls on arrays in the memory of a CUDA device.
#pragma once

#include "arguments.hpp"

namespace gpuconv::python {

/// Whether the signal, the filter or the array for the result is in the memory of a CUDA device. Throws
/// nb::python_error.
bool any_on_device(Values const& values);

/// Computes a function of such arrays, where they are. The signal and the result are; the filter may be in host memory.
/// Throws nb::python_error, and what the library throws.
nb::object call_on_device(Function function, Values const& values);

}  // namespace gpuconv::python

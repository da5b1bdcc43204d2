// The library's errors as Python's.
#pragma once

namespace gpuconv::python {

/// Sets the Python error that belongs to the C++ exception being handled: call it in a catch block.
void set_error() noexcept;

}  // namespace gpuconv::python

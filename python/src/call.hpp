// One-shot calls: convolve and correlate, by Python's fastest protocol, because for short arrays the call is what
// costs.
#pragma once

#include "numpy.hpp"

namespace gpuconv::python {

/// Adds convolve and correlate to the module. Throws nb::python_error.
void add_calls(nb::module_& module);

}  // namespace gpuconv::python

// gpuconv.Plan, and gpuconv.explain, which describes what a plan would choose.
#pragma once

#include "numpy.hpp"

namespace gpuconv::python {

/// Adds both to the module. Throws nb::python_error.
void add_plans(nb::module_& module);

}  // namespace gpuconv::python

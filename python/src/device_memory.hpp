// Device memory of the package's own, for results in libraries whose arrays nobody may write.
#pragma once

#include "numpy.hpp"

namespace gpuconv::python {

/// Memory of the current device for an array of this shape and type, not initialised, as an object with DLPack's
/// protocol. Its export knows of no streams: it is for work that is finished. Throws nb::python_error, and as
/// DeviceBuffer.
nb::object device_memory(nb::tuple shape, nb::object dtype);

}  // namespace gpuconv::python

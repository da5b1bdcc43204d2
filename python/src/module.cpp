// The extension module, gpuconv._core.
#include "arguments.hpp"
#include "call.hpp"
#include "device_memory.hpp"
#include "documentation.hpp"
#include "errors.hpp"
#include "operand.hpp"
#include "plan.hpp"
#include "streams.hpp"

#include <gpuconv/info.hpp>

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>

namespace gpuconv::python {
namespace {

nb::dict info() {
  nb::dict info;
  info["version"] = version();
  info["simd"] = simd_target();
  info["simd_bits"] = simd_bits();
  info["threads"] = hardware_threads();
  info["memory"] = machine_memory();
  nb::list all;
  for (DeviceInfo const& device : devices()) {
    nb::dict one;
    one["device"] = name(device.device);
    one["available"] = device.available;
    one["detail"] = device.detail;
    all.append(one);
  }
  info["devices"] = all;
  return info;
}

// The outputs of a mode as lags of a correlation, whose filter is reversed in a convolution: the first one, and how
// many.
nb::tuple lags_of_mode(nb::object operation, std::int64_t samples, std::int64_t taps, nb::object mode,
                       nb::object same) {
  Values values;
  values[Parameter::mode] = mode.ptr();
  values[Parameter::same] = same.ptr();
  const How how = how_of(function_of(operation.ptr()), values);
  const Slice outputs = output_slice(samples, taps, how.mode, how.same, how.function.operation);
  return nb::make_tuple(outputs.first - (taps - 1), outputs.length);
}

// For gpuconv._arrays, which asks of each argument of a call by itself.
bool is_others(nb::object x) {
  import_numpy();
  return is_of_another_library(x.ptr());
}

// The number of the stream that a number means, None where nobody waits: for tests of the rules.
std::optional<std::int64_t> stream_numbered(std::string const& by, std::optional<std::int64_t> number) {
  const std::optional<Stream> stream =
      stream_of(by == "dlpack" ? Numbering::dlpack : Numbering::array_interface, number);
  return stream ? std::optional(number_of(*stream)) : std::nullopt;
}

void translate(std::exception_ptr const& error, void*) {
  try {
    std::rethrow_exception(error);
  } catch (std::exception const&) {
    set_error();
  }
}

}  // namespace

NB_MODULE(_core, module) {
  nb::register_exception_translator(translate);
  make_names();
  add_calls(module);
  add_plans(module);
  module.def("_lags_of_mode", &lags_of_mode);  // for gpuconv.dask
  module.def("_is_of_another_library", &is_others);
  module.def("_device_memory", &device_memory);  // for gpuconv._cuda
  module.def("_stream", &stream_numbered, nb::arg("by"), nb::arg("number").none());
  module.def("info", &info, kInfoText);
  module.attr("__version__") = version();
}

}  // namespace gpuconv::python

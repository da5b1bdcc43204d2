#include "command.hpp"

#include <iostream>

namespace tool {
namespace {

void print_info() {
  std::cout << "gpuconv " << gpuconv::version() << '\n';
  for (gpuconv::DeviceInfo const& device : gpuconv::devices())
    std::cout << "device " << name(device.device) << ": " << (device.available ? "" : "none: ") << device.detail
              << '\n';
  std::cout << "vectors: " << gpuconv::simd_bits() << " bits (" << gpuconv::simd_target() << ")\n";
  std::cout << "threads: " << gpuconv::hardware_threads() << '\n';
}

}  // namespace

void add_info(CLI::App& app) {
  app.add_subcommand("info", "Print the version, the devices found, the vector width and the threads")
      ->callback(print_info);
}

}  // namespace tool

// What this build and this machine offer.
#pragma once

#include <gpuconv/problem.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace gpuconv {

/// A device gpuconv knows, found or not.
struct DeviceInfo {
  Device device;
  bool available;
  std::string detail;  ///< what was found, or why it was not
};

/// Version of the library linked, "major.minor.patch".
std::string_view version() noexcept;

/// The CPU, then CUDA. Probes the machine.
std::vector<DeviceInfo> devices();

/// SIMD target that the CPU solvers run on here: "avx512", "avx2" or "portable".
std::string_view simd_target() noexcept;
/// Its vector width in bits.
int simd_bits() noexcept;

/// Threads the machine runs at once: what `Options::threads` 0 stands for.
int hardware_threads() noexcept;

/// Bytes of memory the machine has.
std::int64_t machine_memory() noexcept;

}  // namespace gpuconv

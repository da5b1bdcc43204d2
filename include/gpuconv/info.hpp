// What this build and this machine offer.
#pragma once

#include <gpuconv/export.hpp>
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
GPUCONV_API std::string_view version() noexcept;

/// The CPU, then the calling thread's current CUDA device. Probes the machine.
GPUCONV_API std::vector<DeviceInfo> devices();

/// SIMD target that the CPU solvers run on here: "avx512", "avx2" or "portable".
GPUCONV_API std::string_view simd_target() noexcept;
/// Its vector width in bits.
GPUCONV_API int simd_bits() noexcept;

/// Threads that run at once here, of the CPUs that the process may run on and no more than the CPU quota of its control
/// groups (a container's), rounded up: what `Options::threads` 0 stands for. Found once for a process.
GPUCONV_API int hardware_threads() noexcept;

/// Bytes of memory that the process may use: what the machine has, or what the control groups of the process (its
/// container's) allow where that is less. Found once for a process.
GPUCONV_API std::int64_t machine_memory() noexcept;

}  // namespace gpuconv

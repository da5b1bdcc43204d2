// What a benchmark says of the GPU that it ran on.
#pragma once

#include <nlohmann/json.hpp>

namespace gpuconv::bench {

/// Whether there is a GPU that gpuconv can use, or why not; its name and size, versions of driver, runtime and cuFFT,
/// and how the program was built.
nlohmann::json device_info();

/// Whether the "GPU" is the emulator of tests/emulator, whose times mean nothing.
bool is_emulated();

}  // namespace gpuconv::bench

// Executes kernels: blocks one after another in a seeded random order, the threads of a block as fibers, the next one
// to run drawn from those that can. One launch at a time: callers hold the device's lock.
#pragma once

#include "launch.hpp"

#include <cstdint>

namespace simt {

void run(const Launch& launch);

/// The order of blocks and threads from here on. At first GPUCONV_EMULATOR_SEED of the environment, or 1.
void set_seed(std::uint64_t seed);
/// A random number in [0, limit) from the same generator.
std::uint32_t random_below(std::uint32_t limit);

/// How much has been executed since the program began.
struct Statistics {
  std::uint64_t launches, blocks, threads, switches;
};
Statistics statistics();

// The stand-in runtime's.
bool is_device_memory(const void* p, std::size_t bytes);

}  // namespace simt

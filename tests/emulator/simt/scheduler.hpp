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

// ---- for programs that watch kernels (tests/accesses) --------------------------------------------------------------

/// Where the calling CUDA thread is. `launch` is null outside of kernels; `resumed`: how often the thread has been in
/// its block, that is, the barriers it has passed.
struct Running {
  const Launch* launch;
  unsigned resumed;
};
Running running();
/// Whether all of it belongs to an array of the running block.
bool is_shared_memory(const void* p, std::size_t bytes);

// The stand-in runtime's.
bool is_device_memory(const void* p, std::size_t bytes);

}  // namespace simt

/// Called, where a program defines it, with every asynchronous copy as it is issued, from the place in the kernel.
extern "C" [[gnu::weak]] void simt_copy_issued(const void* place, const void* to, const void* from, std::size_t bytes,
                                               std::size_t zero_fill);

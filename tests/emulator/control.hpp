// What tests ask of the stand-ins for the CUDA runtime and cuFFT. All of it is for one process-wide device, "emulated
// GPU", and may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace standin {

/// Everything below as it was at first: no failure to come, counts at zero, a present device of the default size.
/// Leaves live allocations, handles, enqueued work and the seed alone.
void reset();

// ---- failures ----------------------------------------------------------------------------------------------------

/// The n-th call from now that can fail will, counting the runtime's and cuFFT's together, with the error that it would
/// most likely fail with. 0: none. Calls that free, destroy or read the last error do not fail and do not count.
void fail_call(std::int64_t n);
/// The same, counting only calls of this name ("cudaMalloc"; kernel launches are "cudaLaunchKernelExC"). The error is a
/// cudaError_t or, for names of cuFFT, a cufftResult; 0: the one that it would most likely fail with.
void fail_call(std::int64_t n, std::string_view name, int error = 0);
/// Whether the call that is to fail is still to come.
bool failure_pending();

enum class Machine {
  present,    ///< a driver and a device
  no_driver,  ///< calls answer cudaErrorInsufficientDriver, cuFFT CUFFT_INTERNAL_ERROR
  no_device   ///< calls answer cudaErrorNoDevice, cuFFT CUFFT_INTERNAL_ERROR
};
void set_machine(Machine machine);

// ---- the device --------------------------------------------------------------------------------------------------

/// 1 GiB at first. Allocations beyond it fail, after work that would free memory has been executed.
void set_device_memory(std::size_t bytes);
/// 4 at first: fewer than most grids have blocks.
void set_multiprocessors(int count);
/// The order of blocks, of threads and of independent streams from here on. At first GPUCONV_EMULATOR_SEED, or 1.
void set_seed(std::uint64_t seed);

// ---- what has happened -------------------------------------------------------------------------------------------

/// Calls since the program began or since reset(), those that failed included.
std::int64_t calls();
std::int64_t calls(std::string_view name);
/// Of the calls so far, those that allocate or free memory, device or pinned.
std::int64_t allocation_calls();
/// Those that wait for the device, whether or not there was work to wait for.
std::int64_t synchronizing_calls();

/// Device and pinned memory that has not been freed. Memory freed in a stream's order lives until the stream gets
/// there.
std::int64_t live_allocations();
std::size_t live_device_bytes();
/// Streams, events and cuFFT plans that have not been destroyed.
std::int64_t live_handles();
/// Operations that streams have not executed.
std::int64_t pending_operations();

}  // namespace standin

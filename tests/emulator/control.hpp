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
/// Whether kernels may read and write any memory of the host, as on machines with HMM. Not at first.
void set_pageable_access(bool reachable);
/// Whether cudaMallocAsync and cudaFreeAsync are supported, as they are at first and on some virtual GPUs are not.
void set_memory_pools(bool supported);
/// Makes the allocation that `p` points into that of a second device, to which there is no peer access. It is freed as
/// before.
void move_to_other_device(const void* p);
/// Whether another thread captures a stream that waits for the default stream, in CUDA's global mode. Calls that would
/// break the capture then fail: for a thread in relaxed mode those on the default stream and cudaDeviceSynchronize, for
/// others also those that CUDA calls potentially unsafe.
void set_capture_elsewhere(bool capturing);
/// From now on only kernels that cudaFuncGetAttributes or a launch names are loaded.
void unload_kernels();
/// The order of blocks, of threads and of independent streams from here on. At first GPUCONV_EMULATOR_SEED, or 1.
void set_seed(std::uint64_t seed);

// ---- what has happened -------------------------------------------------------------------------------------------

/// Calls since the program began or since reset(), those that failed included.
std::int64_t calls();
std::int64_t calls(std::string_view name);
/// Calls so far that allocate or free memory, device or pinned.
std::int64_t allocation_calls();
/// Calls so far that wait for the device, whether or not there was work to wait for.
std::int64_t synchronizing_calls();

/// Calls that would have broken the capture in another thread, whether or not their callers looked at the error.
std::int64_t broken_captures();
/// Launches of kernels that were not loaded: in a capture, drivers before CUDA 12.3 refuse them.
std::int64_t lazy_launches();

/// Device and pinned memory that has not been freed. Memory freed in a stream's order lives until the stream gets
/// there.
std::int64_t live_allocations();
std::size_t live_device_bytes();
/// Streams, events and cuFFT plans that have not been destroyed.
std::int64_t live_handles();
/// Operations that streams have not executed.
std::int64_t pending_operations();

}  // namespace standin

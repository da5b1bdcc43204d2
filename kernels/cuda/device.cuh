// The seam between kernels and what runs them, here CUDA itself. A build without nvcc finds tests/emulator/device.cuh
// under the same name instead, so kernels include "device.cuh" and need no #ifdef. Beyond CUDA's own names both offer:
//
//   GPUCONV_SHARED_ARRAY(T, name, count)   a static shared array: the emulator fences what it declares
//   gpuconv::device::dynamic_shared<T>()   the dynamic shared memory of the launch, aligned to 16 bytes
//   gpuconv::device::launch(...)           a launch whose own error is returned
//   gpuconv::device::allow_dynamic_shared  the opt-in for more than 48 KiB of it
#pragma once

#include <cuda_pipeline.h>
#include <cuda_runtime.h>

#include <cstddef>
#include <utility>

#define GPUCONV_SHARED_ARRAY(T, name, count) __shared__ T name[count]

namespace gpuconv::device {

template <class T>
__device__ __forceinline__ T* dynamic_shared() {
  extern __shared__ __align__(16) unsigned char gpuconv_dynamic_shared[];
  return reinterpret_cast<T*>(gpuconv_dynamic_shared);
}

/// Enqueues the kernel. Returns this launch's error; neither reads nor clears the calling thread's last error, which a
/// failing launch sets as every failing call of the runtime does.
template <class... Parameters, class... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t shared_bytes, cudaStream_t stream,
                   Arguments&&... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared_bytes;
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel, std::forward<Arguments>(arguments)...);
}

/// Lets launches of the kernel on the current device use that much dynamic shared memory: needed once, beyond 48 KiB.
template <class... Parameters>
cudaError_t allow_dynamic_shared(void (*kernel)(Parameters...), std::size_t shared_bytes) {
  return cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                              static_cast<int>(shared_bytes));
}

}  // namespace gpuconv::device

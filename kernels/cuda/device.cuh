// The seam between kernels and what runs them, here CUDA itself. A build without nvcc finds tests/emulator/device.cuh
// under the same name instead, so kernels include "device.cuh" and need no #ifdef. Beyond CUDA's own names both offer:
//
//   GPUCONV_SHARED_ARRAY(T, name, count)   a static shared array: the emulator fences what it declares
//   gpuconv::device::dynamic_shared<T>()   the dynamic shared memory of the launch, aligned to 16 bytes
//   gpuconv::device::opaque(i)             i, which the compiler takes for unknown
//   gpuconv::device::low<H>, high<H>       a number of 16 bits of a word, as a float
//   gpuconv::device::packed<H>             two floats, rounded, in a word
//   gpuconv::device::launch(...)           a launch whose own error is returned
//   gpuconv::device::allow_dynamic_shared  the opt-in for more than 48 KiB of it
//   gpuconv::device::load                  the kernel is ready for launches within a capture
#pragma once

#include <gpuconv/half.hpp>

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_pipeline.h>
#include <cuda_runtime.h>

#include <cstddef>
#include <type_traits>
#include <utility>

#define GPUCONV_SHARED_ARRAY(T, name, count) __shared__ T name[count]

namespace gpuconv::device {

template <class T>
__device__ __forceinline__ T* dynamic_shared() {
  extern __shared__ __align__(16) unsigned char gpuconv_dynamic_shared[];
  return reinterpret_cast<T*>(gpuconv_dynamic_shared);
}

/// What is computed from it is computed anew in each turn of a loop.
__device__ __forceinline__ int opaque(int i) {
  asm volatile("" : "+r"(i));
  return i;
}

/// The numbers of type H in the lower and the upper half of a word.
template <class H>
__device__ __forceinline__ float low(unsigned pair) {
  if constexpr (std::is_same_v<H, float16>) return __half2float(__ushort_as_half(static_cast<unsigned short>(pair)));
  else return __uint_as_float(pair << 16);
}
template <class H>
__device__ __forceinline__ float high(unsigned pair) {
  if constexpr (std::is_same_v<H, float16>)
    return __half2float(__ushort_as_half(static_cast<unsigned short>(pair >> 16)));
  else return __uint_as_float(pair & 0xffff0000u);
}
/// Two floats, rounded to nearest, in the lower and the upper half of a word.
template <class H>
__device__ __forceinline__ unsigned packed(float low, float high) {
  if constexpr (std::is_same_v<H, float16>) {
    const __half2 pair = __floats2half2_rn(low, high);
    return __half_as_ushort(__low2half(pair)) | static_cast<unsigned>(__half_as_ushort(__high2half(pair))) << 16;
  } else {
    const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
    return __bfloat16_as_ushort(__low2bfloat16(pair)) |
           static_cast<unsigned>(__bfloat16_as_ushort(__high2bfloat16(pair))) << 16;
  }
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

/// Loads the kernel: left to its first launch, that happens within a capture, which drivers before CUDA 12.3 refuse.
template <class... Parameters>
cudaError_t load(void (*kernel)(Parameters...)) {
  cudaFuncAttributes attributes;
  return cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(kernel));
}

}  // namespace gpuconv::device

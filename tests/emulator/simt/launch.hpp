// Launches: arguments are converted and copied at the call, the kernel runs when its stream gets to it.
#pragma once

#include "qualifiers.hpp"

#include <cstddef>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace simt {

struct Launch {
  const void* kernel;
  dim3 grid, block;
  std::size_t shared_bytes;
  std::function<void()> thread;  ///< what each CUDA thread does
};

// Both are the stand-in runtime's.
cudaError_t enqueue(Launch launch, cudaStream_t stream);
/// Stops the program unless the pointer is null or device memory.
void check_argument(const volatile void* pointer);

template <class T>
void check_if_pointer(const T& argument) {
  if constexpr (std::is_pointer_v<T>) check_argument(argument);
}

}  // namespace simt

namespace gpuconv::device {

template <class... Parameters, class... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t shared_bytes, cudaStream_t stream,
                   Arguments&&... arguments) {
  static_assert(sizeof...(Parameters) == sizeof...(Arguments), "as many arguments as the kernel has parameters");
  static_assert((std::is_trivially_copyable_v<Parameters> && ...), "kernel arguments are copied as bytes");
  std::tuple<Parameters...> values(std::forward<Arguments>(arguments)...);
  std::apply([](const auto&... value) { (simt::check_if_pointer(value), ...); }, values);
  return simt::enqueue({reinterpret_cast<const void*>(kernel), grid, block, shared_bytes,
                        [kernel, values] { std::apply(kernel, values); }},
                       stream);
}

template <class... Parameters>
cudaError_t allow_dynamic_shared(void (*kernel)(Parameters...), std::size_t shared_bytes) {
  return cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                              static_cast<int>(shared_bytes));
}

template <class... Parameters>
cudaError_t load(void (*kernel)(Parameters...)) {
  cudaFuncAttributes attributes;
  return cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(kernel));
}

}  // namespace gpuconv::device

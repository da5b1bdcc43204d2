// Built-in variables, block barriers and shared memory.
#pragma once

#include "kernel.hpp"
#include "qualifiers.hpp"

// There is one device, and it runs one CUDA thread at a time: the scheduler sets these before it resumes a fiber.
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
inline constexpr int warpSize = simt::warp_size;

inline void __syncthreads(SIMT_SITE) { simt::sync_block(SIMT_HERE, true); }
inline int __syncthreads_count(int predicate, SIMT_SITE) {
  return static_cast<int>(simt::sync_block(SIMT_HERE, predicate != 0).yes);
}
inline int __syncthreads_or(int predicate, SIMT_SITE) { return simt::sync_block(SIMT_HERE, predicate != 0).yes != 0; }
inline int __syncthreads_and(int predicate, SIMT_SITE) {
  const simt::Votes votes = simt::sync_block(SIMT_HERE, predicate != 0);
  return votes.yes == votes.threads;
}

namespace simt {

template <class T, std::size_t count>
auto& static_shared_array(const void* declaration) {
  return *static_cast<T(*)[count]>(static_shared(declaration, sizeof(T[count]), alignof(T)));
}

}  // namespace simt

#define GPUCONV_SHARED_ARRAY(T, name, count) \
  static const char name##_declaration{};    \
  auto& name = simt::static_shared_array<T, (count)>(&name##_declaration)

namespace gpuconv::device {

template <class T>
T* dynamic_shared() {
  static_assert(alignof(T) <= 16, "dynamic shared memory is aligned to 16 bytes");
  return static_cast<T*>(simt::dynamic_shared());
}

inline int opaque(int i) { return i; }

}  // namespace gpuconv::device

// Loads and stores with cache hints, atomics, fences and asynchronous copies.
#pragma once

#include "builtins.hpp"

#include <type_traits>

template <class T>
T __ldg(const T* p) {
  return *p;
}
template <class T>
T __ldcg(const T* p) {
  return *p;
}
template <class T>
T __ldca(const T* p) {
  return *p;
}
template <class T>
T __ldcs(const T* p) {
  return *p;
}
template <class T>
void __stcg(T* p, T value) {
  *p = value;
}
template <class T>
void __stcs(T* p, T value) {
  *p = value;
}
template <class T>
void __stwt(T* p, T value) {
  *p = value;
}

namespace simt {

/// Replaces *p by change(*p) and returns what it was: relaxed, as CUDA's atomics are.
template <class T, class Change>
T atomic_update(T* p, Change change) {
  T before, after;
  __atomic_load(p, &before, __ATOMIC_RELAXED);
  do after = change(before);
  while (!__atomic_compare_exchange(p, &before, &after, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  return before;
}

}  // namespace simt

template <class T>
T atomicAdd(T* p, std::type_identity_t<T> value) {
  return simt::atomic_update(p, [=](T old) { return static_cast<T>(old + value); });
}
template <class T>
T atomicSub(T* p, std::type_identity_t<T> value) {
  return simt::atomic_update(p, [=](T old) { return static_cast<T>(old - value); });
}
template <class T>
T atomicOr(T* p, std::type_identity_t<T> value) {
  return simt::atomic_update(p, [=](T old) { return static_cast<T>(old | value); });
}
template <class T>
T atomicAnd(T* p, std::type_identity_t<T> value) {
  return simt::atomic_update(p, [=](T old) { return static_cast<T>(old & value); });
}
template <class T>
T atomicMax(T* p, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T>, "CUDA has atomicMax for integers only");
  return simt::atomic_update(p, [=](T old) { return old < value ? value : old; });
}
template <class T>
T atomicMin(T* p, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T>, "CUDA has atomicMin for integers only");
  return simt::atomic_update(p, [=](T old) { return value < old ? value : old; });
}
template <class T>
T atomicExch(T* p, std::type_identity_t<T> value) {
  return simt::atomic_update(p, [=](T) { return value; });
}
template <class T>
T atomicCAS(T* p, std::type_identity_t<T> expected, std::type_identity_t<T> value) {
  return simt::atomic_update(p, [=](T old) { return old == expected ? value : old; });
}

inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline void __threadfence_block() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

inline void __pipeline_memcpy_async(void* to, const void* from, std::size_t bytes, std::size_t zero_fill = 0,
                                    SIMT_SITE) {
  simt::copy_async(SIMT_HERE, to, from, bytes, zero_fill);
}
inline void __pipeline_commit() { simt::copy_commit(); }
inline void __pipeline_wait_prior(std::size_t groups_left) { simt::copy_wait(groups_left); }

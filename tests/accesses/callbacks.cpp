// The thread sanitizer's interface, as GCC calls it from kernels (libsanitizer's tsan_interface.h), and the emulator's
// hook for asynchronous copies: every access goes to accesses::seen. Not compiled with -fsanitize=thread itself.
#include "accesses.hpp"

#include "simt/scheduler.hpp"

using accesses::seen;

#define PLACE __builtin_return_address(0)
#define ACCESS(bytes)                                                          \
  void __tsan_read##bytes(void* p) { seen(PLACE, p, bytes, false); }           \
  void __tsan_write##bytes(void* p) { seen(PLACE, p, bytes, true); }           \
  void __tsan_unaligned_read##bytes(void* p) { seen(PLACE, p, bytes, false); } \
  void __tsan_unaligned_write##bytes(void* p) { seen(PLACE, p, bytes, true); }
// An atomic read-modify-write, as the emulator's atomics are made of: a store, to memory.
#define ATOMIC(bits, T)                                                                                       \
  T __tsan_atomic##bits##_load(const volatile T* p, int) { return __atomic_load_n(p, __ATOMIC_RELAXED); }     \
  int __tsan_atomic##bits##_compare_exchange_weak(volatile T* p, T* expected, T value, int, int) {            \
    seen(PLACE, const_cast<const T*>(p), sizeof(T), true);                                                    \
    return __atomic_compare_exchange_n(p, expected, value, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED) ? 1 : 0; \
  }

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void*, void*) {}
void __tsan_vptr_read(void*) {}
ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)
void __tsan_read_range(void* p, std::size_t bytes) { seen(PLACE, p, bytes, false); }
void __tsan_write_range(void* p, std::size_t bytes) { seen(PLACE, p, bytes, true); }
ATOMIC(32, std::uint32_t)
ATOMIC(64, std::uint64_t)
void __tsan_atomic_thread_fence(int) {}

void simt_copy_issued(const void* place, const void* to, const void* from, std::size_t bytes, std::size_t zero_fill) {
  seen(place, from, bytes - zero_fill, false, true);
  seen(static_cast<const char*>(place) + 1, to, bytes, true, true);  // another place
}

}  // extern "C"

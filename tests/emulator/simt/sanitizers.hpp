// The sanitizers' own interfaces, as weak symbols: what is not linked is null. The emulator is compiled without
// instrumentation and tells the sanitizers what it does instead, so that its bookkeeping is not checked and a switch
// between fibers does not count as synchronisation between CUDA threads.
#pragma once

#include <cstddef>

extern "C" {
[[gnu::weak]] void __sanitizer_start_switch_fiber(void** frames, const void* stack, std::size_t bytes);
[[gnu::weak]] void __sanitizer_finish_switch_fiber(void* frames, const void** old_stack, std::size_t* old_bytes);
[[gnu::weak]] void __asan_poison_memory_region(const volatile void* p, std::size_t bytes);
[[gnu::weak]] void __asan_unpoison_memory_region(const volatile void* p, std::size_t bytes);
[[gnu::weak]] void* __tsan_create_fiber(unsigned flags);
[[gnu::weak]] void __tsan_destroy_fiber(void* fiber);
[[gnu::weak]] void __tsan_switch_to_fiber(void* fiber, unsigned flags);
[[gnu::weak]] void* __tsan_get_current_fiber();
[[gnu::weak]] void __tsan_acquire(void* p);
[[gnu::weak]] void __tsan_release(void* p);
}

namespace simt {

inline bool under_asan() { return __asan_poison_memory_region != nullptr; }
inline bool under_tsan() { return __tsan_create_fiber != nullptr; }

/// Whoever acquires an address comes after everything done before releases of it.
inline void release(void* p) {
  if (under_tsan()) __tsan_release(p);
}
inline void acquire(void* p) {
  if (under_tsan()) __tsan_acquire(p);
}

/// Who the race detector takes the running code for.
inline void* new_identity() { return under_tsan() ? __tsan_create_fiber(0) : nullptr; }
inline void destroy_identity(void* unused) {
  if (unused) __tsan_destroy_fiber(unused);
}
inline void* identity() { return under_tsan() ? __tsan_get_current_fiber() : nullptr; }
inline void become(void* other) {
  constexpr unsigned no_synchronisation = 1;
  if (under_tsan()) __tsan_switch_to_fiber(other, no_synchronisation);
}

/// While one exists, the running code counts as somebody else's.
class As {
 public:
  explicit As(void* other) : self_(identity()) { become(other); }
  ~As() { become(self_); }
  As(const As&) = delete;
  As& operator=(const As&) = delete;

 private:
  void* self_;
};

}  // namespace simt

#include "support/allocations.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace gpuconv::test {
namespace {

std::atomic<std::int64_t> live{0}, total{0};
std::atomic<std::size_t> largest{0}, limit{0};

struct Failing {
  bool armed = false, and_all_that_follow = false, happened = false;
  std::int64_t remaining = 0;
};
thread_local Failing failing;

bool must_fail(std::size_t size) {
  if (const std::size_t most = limit; most && size > most) return true;
  if (!failing.armed || failing.remaining-- > 0) return false;
  failing.armed = failing.and_all_that_follow;
  return failing.happened = true;
}

void* allocate(std::size_t size, std::size_t alignment) noexcept {
  for (std::size_t seen = largest; size > seen && !largest.compare_exchange_weak(seen, size);) {
  }
  if (must_fail(size)) return nullptr;
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  void* const p = alignment <= alignof(std::max_align_t) ? std::malloc(size ? size : 1)
                                                         : std::aligned_alloc(alignment, rounded ? rounded : alignment);
  if (p) ++live, ++total;
  return p;
}

void* allocate_or_throw(std::size_t size, std::size_t alignment) {
  if (void* const p = allocate(size, alignment)) return p;
  throw std::bad_alloc();
}

void release(void* p) noexcept {
  if (!p) return;
  --live;
  std::free(p);
}

}  // namespace

std::int64_t live_allocations() { return live; }
std::int64_t total_allocations() { return total; }
std::size_t largest_request() { return largest; }
void forget_largest() { largest = 0; }
void set_request_limit(std::size_t bytes) { limit = bytes; }

FailingAllocation::FailingAllocation(std::int64_t number, Then then) {
  failing = {.armed = true, .and_all_that_follow = then == Then::fail, .remaining = number};
}
FailingAllocation::~FailingAllocation() { failing = {}; }
bool FailingAllocation::happened() const { return failing.happened; }

}  // namespace gpuconv::test

using gpuconv::test::allocate;
using gpuconv::test::allocate_or_throw;
using gpuconv::test::release;
constexpr std::size_t kDefault = alignof(std::max_align_t);

void* operator new(std::size_t n) { return allocate_or_throw(n, kDefault); }
void* operator new[](std::size_t n) { return allocate_or_throw(n, kDefault); }
void* operator new(std::size_t n, std::align_val_t a) { return allocate_or_throw(n, static_cast<std::size_t>(a)); }
void* operator new[](std::size_t n, std::align_val_t a) { return allocate_or_throw(n, static_cast<std::size_t>(a)); }
void* operator new(std::size_t n, std::nothrow_t const&) noexcept { return allocate(n, kDefault); }
void* operator new[](std::size_t n, std::nothrow_t const&) noexcept { return allocate(n, kDefault); }
void* operator new(std::size_t n, std::align_val_t a, std::nothrow_t const&) noexcept {
  return allocate(n, static_cast<std::size_t>(a));
}
void* operator new[](std::size_t n, std::align_val_t a, std::nothrow_t const&) noexcept {
  return allocate(n, static_cast<std::size_t>(a));
}
void operator delete(void* p) noexcept { release(p); }
void operator delete[](void* p) noexcept { release(p); }
void operator delete(void* p, std::size_t) noexcept { release(p); }
void operator delete[](void* p, std::size_t) noexcept { release(p); }
void operator delete(void* p, std::align_val_t) noexcept { release(p); }
void operator delete[](void* p, std::align_val_t) noexcept { release(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { release(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { release(p); }
void operator delete(void* p, std::nothrow_t const&) noexcept { release(p); }
void operator delete[](void* p, std::nothrow_t const&) noexcept { release(p); }
void operator delete(void* p, std::align_val_t, std::nothrow_t const&) noexcept { release(p); }
void operator delete[](void* p, std::align_val_t, std::nothrow_t const&) noexcept { release(p); }

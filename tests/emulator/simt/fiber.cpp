#include "fiber.hpp"

#include "sanitizers.hpp"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace simt {
namespace {

using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

// Address space; memory is used as far as a kernel's locals go. Instrumented and unoptimised code needs most.
constexpr std::size_t stack_bytes = 256 << 10;
// Below it, whole pages on every machine: one page is less than an array that a kernel writes from its far end.
constexpr std::size_t guard_bytes = 64 << 10;

// Who resumed the running fiber: a fiber may itself resume others. Only one runs at a time.
struct Resumer {
  boost::context::detail::fcontext_t context = nullptr;
  void* identity = nullptr;
  void* asan_frames = nullptr;
  const void* stack = nullptr;
  std::size_t stack_bytes = 0;
};
Resumer* resumer = nullptr;

struct {
  FiberEntry entry;
  void* argument;
} start;  // of the fiber that is resumed for the first time

void enter(transfer_t from) {
  resumer->context = from.fctx;
  start.entry(start.argument);
}

/// With memory below that nothing may touch: an overflow stops the program instead of changing another thread's stack.
char* map_stack() {
  void* const p = mmap(nullptr, guard_bytes + stack_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED || mprotect(p, guard_bytes, PROT_NONE) != 0) {
    std::perror("simt: no memory for the stacks of CUDA threads");
    std::abort();
  }
  return static_cast<char*>(p) + guard_bytes;
}

}  // namespace

void make_fiber(Fiber& fiber, FiberEntry entry, void* argument) {
  fiber.stack = map_stack();
  fiber.identity = new_identity();
  fiber.context = make_fcontext(fiber.stack + stack_bytes, stack_bytes, enter);
  fiber.entry = entry;
  fiber.argument = argument;
}

void destroy_fiber(Fiber& fiber) {
  destroy_identity(fiber.identity);
  munmap(fiber.stack - guard_bytes, guard_bytes + stack_bytes);
  fiber = {};
}

void* resumer_identity() { return resumer->identity; }

void fiber_began() {
  if (__sanitizer_finish_switch_fiber) __sanitizer_finish_switch_fiber(nullptr, &resumer->stack, &resumer->stack_bytes);
}

void resume(Fiber& fiber) {
  Resumer self;
  Resumer* const outer = std::exchange(resumer, &self);
  self.identity = identity();
  start = {fiber.entry, fiber.argument};
  if (__sanitizer_start_switch_fiber) __sanitizer_start_switch_fiber(&self.asan_frames, fiber.stack, stack_bytes);
  become(fiber.identity);
  fiber.context = jump_fcontext(fiber.context, nullptr).fctx;
  if (__sanitizer_finish_switch_fiber) __sanitizer_finish_switch_fiber(self.asan_frames, nullptr, nullptr);
  resumer = outer;
}

void suspend(Fiber& fiber) {
  if (__sanitizer_start_switch_fiber)
    __sanitizer_start_switch_fiber(&fiber.asan_frames, resumer->stack, resumer->stack_bytes);
  become(resumer->identity);
  resumer->context = jump_fcontext(resumer->context, nullptr).fctx;
  if (__sanitizer_finish_switch_fiber)
    __sanitizer_finish_switch_fiber(fiber.asan_frames, &resumer->stack, &resumer->stack_bytes);
}

}  // namespace simt

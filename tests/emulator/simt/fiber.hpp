// Fibers: a stack to run a CUDA thread on, and the switches to it and back. A fiber is made once and runs its entry for
// ever: a CUDA thread that has returned waits for its next block.
#pragma once

#include <boost/context/detail/fcontext.hpp>

#include <cstddef>

namespace simt {

using FiberEntry = void (*)(void* argument);

struct Fiber {
  boost::context::detail::fcontext_t context = nullptr;  ///< null: not made yet
  char* stack = nullptr;
  FiberEntry entry = nullptr;  ///< never returns
  void* argument = nullptr;
  void* identity = nullptr;     ///< for ThreadSanitizer
  void* asan_frames = nullptr;  ///< AddressSanitizer's copy of the locals, while the fiber does not run
};

/// Aborts if there is no memory for the stack.
void make_fiber(Fiber& fiber, FiberEntry entry, void* argument);
void destroy_fiber(Fiber& fiber);
/// Runs the fiber until it suspends.
void resume(Fiber& fiber);
/// Back to whoever resumed this fiber.
void suspend(Fiber& fiber);
/// Who resumed the running fiber, to the race detector.
void* resumer_identity();

/// Has to be called by fibers at the start of their entry.
void fiber_began();

}  // namespace simt

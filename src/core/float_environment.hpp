// The floating-point environment that the library computes in, whatever the caller's is: results are to have the same
// bits in a program that flushes denormals, rounds upwards or traps what is inexact.
//
// The registers themselves are read and written: fegetenv and fesetenv take ten times as long. Writing is the slow
// part, so a register is only written where it differs.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#else
#include <cfenv>
#endif

#include <cstdint>

namespace gpuconv::detail {

/// As long as it exists, the calling thread rounds to nearest, keeps denormals and traps nothing. The destructor puts
/// everything back: the caller's control bits, and the flags of past exceptions as the caller had left them. Within
/// another one it does nothing: a one-shot call is a plan's constructor, set_filter and execute.
class FloatEnvironment {
 public:
  FloatEnvironment() noexcept : outermost_(!entered) {
    if (!outermost_) return;
    entered = true;
    enter();
  }
  FloatEnvironment(FloatEnvironment const&) = delete;
  FloatEnvironment& operator=(FloatEnvironment const&) = delete;
  ~FloatEnvironment() {
    if (!outermost_) return;
    leave();
    entered = false;
  }

 private:
  static constinit inline thread_local bool entered = false;
  bool outermost_;

#if defined(__x86_64__)
  // MXCSR for float and double; long double has the x87's control and status words, which fesetround and feenableexcept
  // change together with MXCSR.
  void enter() noexcept {
    mxcsr_ = _mm_getcsr();
    asm volatile("fnstcw %0" : "=m"(x87_control_));
    asm volatile("fnstsw %0" : "=a"(x87_status_));
    if ((mxcsr_ & ~kMxcsrFlags) != kMxcsr) _mm_setcsr(kMxcsr);
    if (x87_control_ != kX87Control) asm volatile("fninit" ::: "memory");
    asm volatile("" ::: "memory");
  }
  void leave() noexcept {
    asm volatile("" ::: "memory");
    if (_mm_getcsr() != mxcsr_) _mm_setcsr(mxcsr_);
    std::uint16_t status;
    asm volatile("fnstsw %0" : "=a"(status));
    if (x87_control_ == kX87Control && ((status ^ x87_status_) & kX87Flags) == 0) return;
    // Both words at once: a control word that traps would trap the flags of what was computed here.
    X87Environment now;
    asm volatile("fnstenv %0" : "=m"(now));
    now.control = x87_control_, now.status = x87_status_;
    asm volatile("fldenv %0" ::"m"(now) : "memory");
  }

  struct X87Environment {  // as fnstenv stores it
    std::uint16_t control, unused_1, status, unused_2, tags, unused_3;
    std::uint32_t pointers[4];
  };
  static constexpr unsigned kMxcsrFlags = 0x3F, kMxcsr = 0x1F80;
  static constexpr std::uint16_t kX87Flags = 0xFF, kX87Control = 0x37F;

  unsigned mxcsr_;
  std::uint16_t x87_control_, x87_status_;
#elif defined(__aarch64__)
  void enter() noexcept {
    asm volatile("mrs %0, fpcr" : "=r"(control_));
    asm volatile("mrs %0, fpsr" : "=r"(flags_));
    if (control_ != 0) write(0);
    asm volatile("" ::: "memory");
  }
  void leave() noexcept {
    asm volatile("" ::: "memory");
    if (control_ != 0) write(control_);
    asm volatile("msr fpsr, %0" ::"r"(flags_) : "memory");
  }
  static void write(std::uint64_t control) noexcept { asm volatile("msr fpcr, %0" ::"r"(control) : "memory"); }

  std::uint64_t control_, flags_;
#else
  void enter() noexcept {
    std::fegetenv(&before_);
    std::fesetenv(FE_DFL_ENV);
  }
  void leave() noexcept { std::fesetenv(&before_); }

  std::fenv_t before_;
#endif
};

}  // namespace gpuconv::detail

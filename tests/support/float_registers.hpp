// What programs do to their floating-point environment, and how it stands.
#pragma once

#include <array>
#include <cfenv>
#include <cstdint>
#include <ostream>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace gpuconv::test {

/// The control and status registers, as far as programs set them.
using FloatRegisters = std::array<std::uint64_t, 3>;

inline FloatRegisters float_registers() {
#if defined(__x86_64__)
  std::uint16_t control, status;
  asm volatile("fnstcw %0" : "=m"(control));
  asm volatile("fnstsw %0" : "=a"(status));
  return {_mm_getcsr(), control, status & 0xFFu};
#elif defined(__aarch64__)
  std::uint64_t control, status;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  asm volatile("mrs %0, fpsr" : "=r"(status));
  return {control, status, 0};
#else
  return {static_cast<std::uint64_t>(std::fegetround()), static_cast<std::uint64_t>(std::fetestexcept(FE_ALL_EXCEPT)),
          0};
#endif
}

/// Without the flags of past exceptions.
inline FloatRegisters float_control() {
  FloatRegisters r = float_registers();
#if defined(__x86_64__)
  r[0] &= ~std::uint64_t{0x3F}, r[2] = 0;
#else
  r[1] = 0;
#endif
  return r;
}

enum class Floats : std::uint8_t {
  upward,
  downward,
  towards_zero,
  flushes_denormals,
  traps,
  rounds_early,
  raised_flags
};

inline std::ostream& operator<<(std::ostream& out, Floats f) {
  static constexpr std::array names{"upward", "downward",     "towards zero", "flushes denormals",
                                    "traps",  "rounds early", "raised flags"};
  return out << names[static_cast<std::size_t>(f)];
}

inline constexpr std::array kAllFloats{
    Floats::upward, Floats::downward,     Floats::towards_zero, Floats::flushes_denormals,
    Floats::traps,  Floats::rounds_early, Floats::raised_flags};

/// The thread's environment is changed as long as it exists. Between the two, no other code than what is tested.
class ChangedFloats {
 public:
  explicit ChangedFloats(Floats how) {
    std::fegetenv(&before_);
    std::feclearexcept(FE_ALL_EXCEPT);
    switch (how) {
      case Floats::upward:
        std::fesetround(FE_UPWARD);
        break;
      case Floats::downward:
        std::fesetround(FE_DOWNWARD);
        break;
      case Floats::towards_zero:
        std::fesetround(FE_TOWARDZERO);
        break;
      case Floats::flushes_denormals:
        flush_denormals();
        break;
      case Floats::traps:
        feenableexcept(FE_ALL_EXCEPT);
        break;
      case Floats::rounds_early:
        round_early();
        break;
      case Floats::raised_flags:
        std::feraiseexcept(FE_ALL_EXCEPT);
        break;
    }
  }
  ChangedFloats(ChangedFloats const&) = delete;
  ChangedFloats& operator=(ChangedFloats const&) = delete;
  ~ChangedFloats() { std::fesetenv(&before_); }

 private:
  static void flush_denormals() {
#if defined(__x86_64__)
    _mm_setcsr(_mm_getcsr() | 0x8040);  // flush to zero, and take denormals for zero
#elif defined(__aarch64__)
    asm volatile("msr fpcr, %0" ::"r"(std::uint64_t{1} << 24));
#endif
  }
  // The x87 unit at the precision of float, as some libraries leave it.
  static void round_early() {
#if defined(__x86_64__)
    const std::uint16_t control = 0x7F;
    asm volatile("fldcw %0" ::"m"(control));
#endif
  }

  std::fenv_t before_;
};

}  // namespace gpuconv::test

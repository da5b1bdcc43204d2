// How much of the generated work to do: sanitizers make everything several times slower.
#pragma once

#include <cstdint>

namespace gpuconv::test {

#if defined(__SANITIZE_THREAD__)
inline constexpr std::int64_t kSlowdown = 16;
#elif defined(__SANITIZE_ADDRESS__)
inline constexpr std::int64_t kSlowdown = 4;
#elif !defined(__OPTIMIZE__)
inline constexpr std::int64_t kSlowdown = 4;
#else
inline constexpr std::int64_t kSlowdown = 1;
#endif

#if defined(__SANITIZE_THREAD__)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif

/// `count` cases of a plain build, fewer under a sanitizer.
constexpr std::int64_t cases(std::int64_t count) { return count / kSlowdown > 0 ? count / kSlowdown : 1; }

/// Takes every case of a plain build, fewer under a sanitizer, evenly among them: one in kSlowdown + 3, a prime, which
/// has no factor in common with the usual numbers of choices.
class Thinned {
 public:
  bool takes_next() { return turn_++ % (kSlowdown == 1 ? 1 : kSlowdown + 3) == 0; }

 private:
  std::int64_t turn_ = 0;
};

/// Multiply-adds that one generated case may cost the oracle.
inline constexpr std::int64_t kOracleProducts = (std::int64_t{1} << 20) / kSlowdown;

}  // namespace gpuconv::test

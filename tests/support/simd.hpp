// Which SIMD target a test run is for.
#pragma once

#include <cstdlib>
#include <string_view>

namespace gpuconv::test {

/// The target that GPUCONV_SIMD names; empty if it is not set.
inline std::string_view forced_target() {
  const char* named = std::getenv("GPUCONV_SIMD");
  return named ? named : "";
}

/// Whether the machine can run a target. Unknown names count as present, so that a wrong name fails rather than skips.
inline bool machine_has(std::string_view target) {
#if defined(__x86_64__)
  if (target == "avx2") return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (target == "avx512")
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
#else
  if (target == "avx2" || target == "avx512") return false;
#endif
  return true;
}

}  // namespace gpuconv::test

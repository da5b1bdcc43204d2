#include "simd_target.hpp"

#include "../core/published.hpp"

#include <cstdlib>
#include <string_view>

namespace gpuconv::detail {

// Defined by simd/kernels.cpp, once a target.
namespace portable {
extern const SimdTarget target;
}
#if defined(GPUCONV_HAS_AVX2)
namespace avx2 {
extern const SimdTarget target;
}
#endif
#if defined(GPUCONV_HAS_AVX512)
namespace avx512 {
extern const SimdTarget target;
}
#endif

namespace {

SimdTarget const& choose() noexcept {
  const char* named = std::getenv("GPUCONV_SIMD");
  const auto wanted = [&](SimdTarget const& t) { return !named || std::string_view(named) == t.name; };
  SimdTarget const* best = &portable::target;
  if (named && wanted(*best)) return *best;
#if defined(GPUCONV_HAS_AVX2)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c")) {
    best = &avx2::target;
    if (named && wanted(*best)) return *best;
  }
#endif
#if defined(GPUCONV_HAS_AVX512)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    best = &avx512::target;
#endif
  return *best;
}

}  // namespace

SimdTarget const& simd_target() noexcept {
  static constinit FoundOnce<SimdTarget const*> target;
  return *target.get([] { return &choose(); });
}

}  // namespace gpuconv::detail

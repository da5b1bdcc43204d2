// CUDA's arithmetic that <math.h> does not have. Rounding is the host's; accuracy is at least the device's.
#pragma once

#include "qualifiers.hpp"

#include <math.h>

#include <bit>
#include <cmath>
#include <type_traits>

// CUDA converts mixed arguments to their common type, and prefers a number to a NaN.
template <class A, class B>
constexpr auto min(A a, B b) {
  using T = std::common_type_t<A, B>;
  const T x = static_cast<T>(a), y = static_cast<T>(b);
  if constexpr (std::is_floating_point_v<T>) return std::fmin(x, y);
  else return y < x ? y : x;
}
template <class A, class B>
constexpr auto max(A a, B b) {
  using T = std::common_type_t<A, B>;
  const T x = static_cast<T>(a), y = static_cast<T>(b);
  if constexpr (std::is_floating_point_v<T>) return std::fmax(x, y);
  else return x < y ? y : x;
}

// sin and cos of pi x: x is reduced to [-1, 1] first, which is exact.
inline double sinpi(double x) { return std::sin(3.141592653589793238 * std::remainder(x, 2.0)); }
inline double cospi(double x) { return std::cos(3.141592653589793238 * std::remainder(x, 2.0)); }
inline float sinpif(float x) { return static_cast<float>(sinpi(static_cast<double>(x))); }
inline float cospif(float x) { return static_cast<float>(cospi(static_cast<double>(x))); }
inline void sincospi(double x, double* sine, double* cosine) { *sine = sinpi(x), *cosine = cospi(x); }
inline void sincospif(float x, float* sine, float* cosine) { *sine = sinpif(x), *cosine = cospif(x); }

inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline double rsqrt(double x) { return 1.0 / std::sqrt(x); }
inline float __fdividef(float x, float y) { return x / y; }
inline float __frcp_rn(float x) { return 1.0f / x; }

// Rounded once each: never contracted into a multiply-add, on the device. The host compiler is told by the barrier.
namespace simt {
template <class T>
T rounded(T x) {
  asm volatile("" : "+x"(x));
  return x;
}
}  // namespace simt
inline float __fadd_rn(float x, float y) { return simt::rounded(x + y); }
inline float __fsub_rn(float x, float y) { return simt::rounded(x - y); }
inline float __fmul_rn(float x, float y) { return simt::rounded(x * y); }
inline float __fmaf_rn(float x, float y, float z) { return std::fma(x, y, z); }
inline double __dadd_rn(double x, double y) { return simt::rounded(x + y); }
inline double __dsub_rn(double x, double y) { return simt::rounded(x - y); }
inline double __dmul_rn(double x, double y) { return simt::rounded(x * y); }
inline double __fma_rn(double x, double y, double z) { return std::fma(x, y, z); }

inline int __popc(unsigned x) { return std::popcount(x); }
inline int __popcll(unsigned long long x) { return std::popcount(x); }
inline int __clz(int x) { return std::countl_zero(static_cast<unsigned>(x)); }
inline int __clzll(long long x) { return std::countl_zero(static_cast<unsigned long long>(x)); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline unsigned __brev(unsigned x) {
  unsigned reversed = 0;
  for (int bit = 0; bit < 32; ++bit) reversed |= (x >> bit & 1u) << (31 - bit);
  return reversed;
}
inline unsigned __umulhi(unsigned x, unsigned y) {
  return static_cast<unsigned>(static_cast<unsigned long long>(x) * y >> 32);
}

inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
inline long long __double_as_longlong(double x) { return std::bit_cast<long long>(x); }
inline double __longlong_as_double(long long x) { return std::bit_cast<double>(x); }

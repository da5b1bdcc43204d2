// Floating-point numbers of 16 bits, as they are stored: what is computed from them is computed in float.
#pragma once

#include <gpuconv/export.hpp>

#include <bit>
#include <cstdint>
#include <type_traits>

// CUDA's own, which are elements too (cuda_fp16.h, cuda_bf16.h).
struct __half;
struct __nv_bfloat16;

namespace gpuconv {

namespace detail {

// The float nearest to x whose bits below the lowest 16-bit ones say on which side of it x lies ("round to odd"), so
// that rounding it once more is rounding x.
constexpr float to_odd(double x) noexcept {
  const auto nearest = static_cast<float>(x);
  const double back = nearest;
  if (back == x || back != back || back - back != 0) return nearest;
  const auto bits = std::bit_cast<std::uint32_t>(nearest);
  if (bits & 1) return nearest;
  const bool away = (back > x) == (back > 0);  // from zero: one step back, else one further; both are odd
  return std::bit_cast<float>(away ? bits - 1 : bits + 1);
}

constexpr std::uint16_t half_bits(float x) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(x), sign = bits >> 16 & 0x8000u, size = bits & 0x7fffffffu;
  if (size > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u | (size >> 13 & 0x1ffu));
  if (size >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00u);  // 65520 and more
  if (size < 0x38800000u) {
    // Denormals: added to 0.5 the number stands in steps of 2^-24, rounded to nearest.
    const float sum = std::bit_cast<float>(size) + 0.5f;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(sum) - 0x3f000000u));
  }
  return static_cast<std::uint16_t>(sign | ((size - 0x38000000u + 0xfffu + (size >> 13 & 1u)) >> 13));
}

constexpr float half_value(std::uint16_t half) noexcept {
  const std::uint32_t sign = std::uint32_t{half & 0x8000u} << 16, size = half & 0x7fffu;
  // The exponent's bias is 112 less: multiplied back, which makes denormals right as well.
  const float value = std::bit_cast<float>(size << 13) * 0x1p112f;
  const std::uint32_t bits = size >= 0x7c00u ? 0x7f800000u | size << 13 : std::bit_cast<std::uint32_t>(value);
  return std::bit_cast<float>(sign | bits);
}

constexpr std::uint16_t bfloat_bits(float x) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>(bits >> 16 | 0x40u);
  return static_cast<std::uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

}  // namespace detail

/// IEEE 754's binary16: 5 bits of exponent and 11 of precision, the largest number is 65504. Rounded to nearest, ties
/// to even; what is too large becomes infinite. The same bits as NumPy's float16 and CUDA's __half.
struct float16 {
  std::uint16_t bits = 0;

  constexpr float16() noexcept = default;
  constexpr explicit float16(float x) noexcept : bits(detail::half_bits(x)) {}
  /// Rounds once. Integers beyond 2^53 are rounded to double first.
  template <class T>
  requires(std::is_arithmetic_v<T>) constexpr explicit float16(T x) noexcept
      : float16(detail::to_odd(static_cast<double>(x))) {}
  constexpr operator float() const noexcept { return detail::half_value(bits); }
};

/// The upper half of a float: 8 bits of exponent and 8 of precision. The same bits as CUDA's __nv_bfloat16.
struct bfloat16 {
  std::uint16_t bits = 0;

  constexpr bfloat16() noexcept = default;
  constexpr explicit bfloat16(float x) noexcept : bits(detail::bfloat_bits(x)) {}
  /// Rounds once. Integers beyond 2^53 are rounded to double first.
  template <class T>
  requires(std::is_arithmetic_v<T>) constexpr explicit bfloat16(T x) noexcept
      : bfloat16(detail::to_odd(static_cast<double>(x))) {}
  constexpr operator float() const noexcept { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
};

}  // namespace gpuconv

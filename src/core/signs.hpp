// What products of infinite samples and taps add to a convolution, and where zero times infinity makes a NaN, from sets
// of the samples and taps by sign. For host and device.
#pragma once

#include "bit_set.hpp"

namespace gpuconv::detail {

/// The kinds of values that samples and taps are gathered by. Infinities are positive or negative besides.
enum class Sign { nan, plus_infinity, minus_infinity, positive, negative, zero };
inline constexpr int kSigns = 6;

template <class C>
constexpr bool has_sign(C x, C largest, Sign sign) {
  switch (sign) {
    case Sign::nan:
      return x != x;
    case Sign::plus_infinity:
      return x > largest;
    case Sign::minus_infinity:
      return x < -largest;
    case Sign::positive:
      return x > 0;
    case Sign::negative:
      return x < 0;
    case Sign::zero:
      return x == 0;
  }
  return false;
}

/// The products of a sample and a tap that are not finite: four each that are NaN, infinite and minus infinity.
struct InfiniteProduct {
  Sign sample, tap;
};
inline constexpr InfiniteProduct kInfiniteProducts[] = {
    {Sign::plus_infinity, Sign::zero},      {Sign::minus_infinity, Sign::zero},
    {Sign::zero, Sign::plus_infinity},      {Sign::zero, Sign::minus_infinity},
    {Sign::plus_infinity, Sign::positive},  {Sign::minus_infinity, Sign::negative},
    {Sign::positive, Sign::plus_infinity},  {Sign::negative, Sign::minus_infinity},
    {Sign::plus_infinity, Sign::negative},  {Sign::minus_infinity, Sign::positive},
    {Sign::positive, Sign::minus_infinity}, {Sign::negative, Sign::plus_infinity}};

// The same, for kernels: they have no array to look into, so the signs are four bits each of a number.
constexpr Word packed_signs(bool taps) {
  Word bits = 0;
  for (int i = 0; i < 12; ++i) {
    const InfiniteProduct p = kInfiniteProducts[i];
    bits |= static_cast<Word>(taps ? p.tap : p.sample) << 4 * i;
  }
  return bits;
}
inline constexpr Word kSampleSigns = packed_signs(false), kTapSigns = packed_signs(true);

constexpr InfiniteProduct infinite_product(int i) {
  return {static_cast<Sign>(kSampleSigns >> 4 * i & 15), static_cast<Sign>(kTapSigns >> 4 * i & 15)};
}

/// The infinite products of 64 outputs, a bit for each.
struct Infinities {
  Word nan, plus, minus;
};

/// The infinities that products with an infinite factor add to the `wanted` outputs among the 64 of which the first is
/// the sum of samples i times taps first - i; where one is NaN the others are not looked for. `samples` and `taps` give
/// the BitSet of a sign, which may be empty where it meets no infinity.
template <class Samples, class Taps, class Index>
constexpr Infinities infinities(Samples samples, Taps taps, Index first, Word wanted) {
  Infinities found{};
  Word now = 0;
  for (int i = 0; i < 12; ++i) {
    const InfiniteProduct p = infinite_product(i);
    now |= sums(samples(p.sample), taps(p.tap), first, wanted & ~now);
    if (i % 4 != 3) continue;
    if (i == 3) found.nan = now, wanted &= ~now;
    else if (i == 7) found.plus = now;
    else found.minus = now;
    now = 0;
  }
  return found;
}

}  // namespace gpuconv::detail

// The one tolerance table: how far an output may be from the exact sum of products, by method and type.
//
// Direct summation of m products: (m + 2) u sum|h||x| over the output's own window, u the unit roundoff (Higham,
// "Accuracy and Stability of Numerical Algorithms", 2002, section 3.1; the 2 is for rounding the operands' products
// and the oracle's own result). Long sums run in pieces of p products with a compensated total, whose own error is of
// second order (section 4.3): (p + 4) u and the square of u times the number of pieces, whatever m is.
//
// Transforms: c u log2(N) |h|_2 |x|_2 with x the block of N samples. Every value of a transform is off by a multiple of
// u log2(N) of its root mean square (Gentleman and Sande, 1966), and Cauchy's inequality carries that through the
// product: the error is relative to the block's largest values, not to the output.
//
// Where a float32 result is asked of integers that only float64 holds, these are the bounds of float64, and the result
// is rounded once more. So are results of 16 bits, whose sums are in float32.
//
// A part of a complex output is a sum of two real ones, of twice as many products; |h|_2 and |x|_2 are of both parts.
//
// Both get what gradual underflow loses: of a direct sum each product may be off by the smallest denormal; a transform,
// which is scaled where its numbers are small, by two of them in all.
#pragma once

#include <gpuconv/problem.hpp>

#include <array>

namespace gpuconv::test {

struct Tolerance {
  Type type;
  long double unit;       // u
  long double smallest;   // denormal
  long double wider = 0;  // u of the oracles, one precision up, twice, relative to u
  long double c = 0;      // of the transforms; test_tolerance.cpp measures 0.08 to 0.45
};

inline constexpr std::array kTolerances{
    Tolerance{Type::float32, 0x1p-24L, 0x1p-149L, 0x1p-28L, 1},
    Tolerance{Type::float64, 0x1p-53L, 0x1p-1074L, 0x1p-10L, 1},
    Tolerance{Type::float16, 0x1p-11L, 0x1p-24L},  // of what is stored: sums are in float32
    Tolerance{Type::bfloat16, 0x1p-8L, 0x1p-133L},
};

/// The tolerance of a floating type, or of the parts of a complex one.
constexpr Tolerance const& tolerance(Type type) {
  for (Tolerance const& t : kTolerances)
    if (t.type == part_type(type)) return t;
  __builtin_unreachable();
}

/// The type whose bounds hold for sums that are not integers: float64 where an operand or the result needs it.
constexpr Type sum_type(Problem const& p) {
  for (const Type type : {p.type, filter_type(p), result_type(p)})
    if (is_integer(type) ? size_of(type) >= 4 : part_type(type) == Type::float64) return Type::float64;
  return Type::float32;
}

/// The bound of a sum, off by `bound` so far, once it is rounded to `type`.
constexpr long double rounded_bound(Type type, long double value, long double bound) {
  const Tolerance t = tolerance(type);
  return bound + t.unit * ((value < 0 ? -value : value) + bound) + t.smallest;
}

inline constexpr std::int64_t kPiece = 512;  // p

/// Bound for a direct sum of `terms` products whose magnitudes add up to `sum`.
constexpr long double direct_bound(Type type, std::int64_t terms, long double sum) {
  const Tolerance t = tolerance(type);
  const long double count = static_cast<long double>(terms) + 2;
  const long double pieces = static_cast<long double>(terms / kPiece) + 2;  // the first and the last may be short
  const long double relative =
      terms <= kPiece ? count * t.unit : (kPiece + 4) * t.unit + pieces * t.unit * (pieces * t.unit);
  return relative * sum + count * t.smallest;
}

/// Bound for `Method::reference`: the exact result, rounded once.
constexpr long double reference_bound(Type type, std::int64_t terms, long double sum, long double value) {
  const Tolerance t = tolerance(type);
  const auto roundings = static_cast<long double>(terms < kPiece ? terms : kPiece + terms / kPiece);
  return t.unit * (value < 0 ? -value : value) + t.smallest + roundings * t.wider * t.unit * sum;
}

/// Bound for an output of a block of `size` samples, with the 2-norms of the filter and of the block.
inline long double transform_bound(Type type, std::int64_t size, long double filter_norm, long double block_norm) {
  const Tolerance t = tolerance(type);
  const long double n = static_cast<long double>(size);
  return t.c * t.unit * __builtin_log2l(n) * filter_norm * block_norm + 2 * t.smallest;
}

}  // namespace gpuconv::test

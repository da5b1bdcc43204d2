// The problems of a record: shapes, types, values and places in memory, drawn from a seed and from nothing else, so
// that every revision gets the same ones.
#pragma once

#include "random.hpp"

#include <gpuconv/problem.hpp>

#include <cstdint>
#include <string_view>

namespace gpuconv::revisions {

/// What the elements of floating-point arrays are like. Integers are of their whole range, or small.
enum class Values : std::uint8_t {
  plain,      // in [-1, 1)
  small,      // whole numbers up to 8, whose sums are exact
  wide,       // of many magnitudes
  tiny,       // one operand around the smallest normal number
  huge,       // one operand near the largest number: sums overflow
  not_finite  // a few NaNs and infinities
};
std::string_view name(Values) noexcept;

/// Where rows lie: `offset` elements past a 64-byte boundary, `stride` (at least 1) elements from one to the next.
struct Place {
  std::int64_t offset = 0;
  std::int64_t stride = 1;
};

struct Case {
  Problem problem;
  Values values = Values::plain;
  bool first_operand = true;  // the signal is the operand that is tiny or huge, not the filter
  Place signal, filter, out;
};

/// Problem `number` of the record with this seed, whose operands have `longest` elements at most. The rest of what the
/// problem needs is drawn from `rng`, which it leaves where the data begin.
Case make_case(Rng& rng, std::int64_t number, std::int64_t longest);

/// Multiply-adds of the direct sum.
std::int64_t products(Problem const& problem);

}  // namespace gpuconv::revisions

// A pattern, and samples about their mean, in the form in which correlation coefficients lose no digits.
#pragma once

#include "checks.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace gpuconv::recipes {

/// Windows whose deviation is so much less than their stretch's: rounding errors, which are relative to the stretch in
/// transforms and where its mean is taken off, may be beyond 1e-7 of the score. They are summed by themselves.
inline constexpr double kDrowned = 0x1p-26;

/// The pattern about its mean, of norm 1, line after line, and what its rounded numbers add up to.
struct Pattern {
  std::vector<double> numbers;
  double sum;
};
/// Of one row or image. Throws InvalidArgument for a flat one and for what is not finite.
Pattern pattern_of(HostInput const& view);

/// Brings the numbers of a stretch to about 1 and about their mean; what is not finite stays so. Gives their norm.
double prepare(double* numbers, std::int64_t count);

inline double clamped(double score) { return std::clamp(score, -1.0, 1.0); }

/// The score of a window by its own numbers alone, in two passes.
double score_by_itself(Pattern const& pattern, double const* window);

}  // namespace gpuconv::recipes

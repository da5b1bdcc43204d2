// Random numbers of the suite: one printed seed, from which every test derives its own.
#pragma once

#include "support/array.hpp"

#include <cstdint>
#include <random>
#include <string_view>

namespace gpuconv::test {

using Rng = std::mt19937_64;

/// GPUCONV_TEST_SEED of the environment: a number, or "random"; a fixed number where it is not set.
std::uint64_t suite_seed();

/// The generator of the running test: the same for a seed and a test's name, whichever other tests run.
Rng test_rng();

/// A number in [low, high], low and high included.
std::int64_t pick(Rng& rng, std::int64_t low, std::int64_t high);
/// The same, every order of magnitude equally likely; low is at least 1.
std::int64_t pick_size(Rng& rng, std::int64_t low, std::int64_t high);

/// Fills every row: floating-point types with numbers in [-1, 1], integers with numbers of their whole range.
void fill_random(Array& array, Rng& rng);
/// Fills every row with small integers, whose convolutions are exact in every type of 32 bits and more.
void fill_small(Array& array, Rng& rng);

}  // namespace gpuconv::test

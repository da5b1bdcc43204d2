// Sums of many products with data whose rounding errors do not average out: all ones, all tenths.
#include "support/scale.hpp"
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <complex>
#include <limits>

namespace gpuconv::test {
namespace {

void fill(Array& array, double value) {
  visit_part(array.type(),
             [&]<class T>(std::type_identity<T>) { std::ranges::fill(array.parts<T>(0), static_cast<T>(value)); });
}

class LongSums : public SolverTest {
 protected:
  // Filters whose last piece is whole, short, one product; few outputs of many taps; both operands long.
  void expect_bounded(Type type, double sample, double tap) const {
    constexpr std::int64_t shapes[][2] = {{1100, 1024}, {1100, 1023}, {1100, 1025},     {513, 513},
                                          {600, 5000},  {5050, 5000}, {100000, 100000}, {1000000, 1000000}};
    Rng rng = test_rng();
    for (auto const& [n, m] : shapes) {
      const Problem problem{.signal = n, .filter = m, .mode = Mode::valid, .type = type};
      if (!takes(problem) || output_slice(problem).length * std::min(n, m) * parts_of(type) > 2 * kOracleProducts)
        continue;
      Workload w = random_workload(problem, rng);
      fill(w.signal, sample), fill(w.filter, tap);
      EXPECT_TRUE(is_right(w, options()));
    }
  }
};

constexpr Type kTypes[] = {Type::float32, Type::float64, Type::complex64, Type::complex128};

TEST_P(LongSums, OfOnes) {
  for (Type const type : kTypes) expect_bounded(type, 1, 1);
}
TEST_P(LongSums, OfTenths) {
  for (Type const type : kTypes) expect_bounded(type, 0.1, 0.1);
}
TEST_P(LongSums, OfTenthsByOnes) {
  for (Type const type : kTypes) expect_bounded(type, 0.1, 1);
}

// A total that is not finite has no error to add to it.
TEST_P(LongSums, ThatOverflow) {
  const Problem problem{.signal = 1600, .filter = 1500, .mode = Mode::valid};
  for (double const tap : {1.0, -1.0}) {
    Rng rng = test_rng();
    Workload w = random_workload(problem, rng);
    fill(w.signal, std::numeric_limits<float>::max()), fill(w.filter, tap);
    EXPECT_TRUE(is_right(w, options()));
  }
}
TEST_P(LongSums, WithOneInfinity) {
  const Problem problem{.signal = 1600, .filter = 1500, .mode = Mode::valid};
  for (std::size_t const at : {0U, 50U, 700U, 1599U}) {
    Rng rng = test_rng();
    Workload w = random_workload(problem, rng);
    fill(w.filter, 1);
    w.signal.row<float>(0)[at] = std::numeric_limits<float>::infinity();
    EXPECT_TRUE(is_right(w, options()));
  }
}
GPUCONV_OVER_SOLVERS(LongSums);

// A sum that a float32 counter cannot count to. Too long for slowed-down builds and for the emulator.
TEST(LongSum, OfTwentyMillionProducts) {
  if (kSlowdown > 1) GTEST_SKIP() << "takes too long in this build";
  constexpr std::size_t count = 20'000'000;
  const std::vector<float> ones(count, 1.0F), tenths(count, 0.1F);
  const CallOptions direct{.mode = Mode::valid, .method = Method::direct, .device = Device::cpu};
  EXPECT_EQ(convolve(ones, ones, direct).at(0), 20'000'000.0F);
  EXPECT_NEAR(convolve(tenths, ones, direct).at(0), 2'000'000.0298, 12);

  // (1 + i)(1 + i) is 2i, a sum of two products.
  const std::vector<std::complex<float>> complex_ones(count / 2, {1, 1});
  EXPECT_EQ(convolve(complex_ones, complex_ones, direct).at(0), std::complex<float>(0, 20'000'000));
  EXPECT_EQ(convolve(ones, std::vector<std::complex<float>>(count, {1, 1}), direct).at(0),
            std::complex<float>(20'000'000, 20'000'000));
}

}  // namespace
}  // namespace gpuconv::test

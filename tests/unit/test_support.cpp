// The tests' own tools: a comparator that cannot fail proves nothing.
#include "support/simd.hpp"
#include "support/tolerance.hpp"
#include "support/workload.hpp"

#include <gtest/gtest.h>

namespace gpuconv::test {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();

bool accepts(std::vector<float> const& got, std::vector<Expected> const& want) {
  return is_close(std::span<float const>(got), std::span<Expected const>(want));
}

TEST(SimdTarget, TheForcedOneRuns) {
  if (forced_target().empty()) GTEST_SKIP() << "GPUCONV_SIMD names none";
  EXPECT_EQ(simd_target(), forced_target());
  EXPECT_EQ(simd_bits(), forced_target() == "avx512" ? 512 : forced_target() == "avx2" ? 256 : 128);
}

TEST(Comparator, AcceptsWhatIsWithinTheBound) {
  EXPECT_TRUE(accepts({1, 2.5f}, {{1, 0}, {2, 0.5L}}));
  EXPECT_TRUE(accepts({}, {}));
}

TEST(Comparator, RefusesOneWrongValueAmongMany) {
  std::vector<float> got(1000, 1);
  const std::vector<Expected> want(1000, {1, 1e-6L});
  EXPECT_TRUE(accepts(got, want));
  for (std::size_t const at : {0u, 499u, 999u}) {
    got[at] = 1.00001f;
    EXPECT_FALSE(accepts(got, want)) << at;
    got[at] = 1;
  }
}

TEST(Comparator, RefusesWrongLengths) {
  EXPECT_FALSE(accepts({1}, {{1, 0}, {1, 0}}));
  EXPECT_FALSE(accepts({1, 1}, {{1, 0}}));
  EXPECT_FALSE(accepts({}, {{1, 0}}));
}

TEST(Comparator, RefusesNaNAndInfinityWhereNumbersAreExpected) {
  EXPECT_FALSE(accepts({kNan}, {{1, 1e30L}}));
  EXPECT_FALSE(accepts({kInfinity}, {{1, INFINITY}}));
  EXPECT_FALSE(accepts({1}, {{1, NAN}}));
  EXPECT_FALSE(accepts({1}, {{NAN, 1}}));
}

TEST(Comparator, TellsTheClassesApart) {
  const std::vector<float> values{1, kNan, kInfinity, -kInfinity};
  const std::vector<unsigned> classes{finite, nan, plus_infinity, minus_infinity};
  for (std::size_t v = 0; v < 4; ++v)
    for (std::size_t c = 0; c < 4; ++c) EXPECT_EQ(accepts({values[v]}, {{1, 0, classes[c]}}), v == c);
}

TEST(Comparator, ComparesIntegersExactly) {
  const std::vector<std::int64_t> a{INT64_MAX, -1}, b{INT64_MAX - 1, -1};
  EXPECT_TRUE(is_equal(std::span(a), std::span(a)));
  EXPECT_FALSE(is_equal(std::span(a), std::span(b)));
  EXPECT_FALSE(is_equal(std::span(a), std::span(a).first(1)));
}

TEST(Guards, SeeEveryWriteOutsideTheRows) {
  for (int const at : {-1, 5, 6, 12, 13}) {  // before, in the gap, after the second row
    Array a(Type::float32, 2, 5, {.offset = 3, .gap = 2});
    std::fill(a.row<float>(0).begin(), a.row<float>(0).end(), 0.0f);
    std::fill(a.row<float>(1).begin(), a.row<float>(1).end(), 0.0f);
    EXPECT_TRUE(a.guards_intact());
    a.row<float>(0).data()[at] = 0;
    EXPECT_FALSE(a.guards_intact()) << at;
  }
}

TEST(Arrays, StartWhereTheLayoutSays) {
  Array a(Type::int16, 3, 4, {.offset = 1, .gap = 5});
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a.input().data()) % 64, 2u);
  EXPECT_EQ(a.row<std::int16_t>(2).data() - a.row<std::int16_t>(1).data(), 9);
}

class OracleTest : public testing::Test {
 protected:
  Workload workload_ = workload_of<float>({1, 2, 3, 4, 5}, {1, 1, 1});
  Outcome outcome_{array_of<float>({1, 3, 6, 9, 12, 9, 5}), "by hand", Method::direct};
};

TEST_F(OracleTest, AcceptsNumPysNumbers) { EXPECT_TRUE(Oracle(workload_).accepts(outcome_)); }

TEST_F(OracleTest, RefusesASingleWrongOutputAndPrintsTheProblem) {
  outcome_.out.row<float>(0)[3] = std::nextafter(9.0f, 10.0f) + 1e-5f;
  const auto result = Oracle(workload_).accepts(outcome_);
  EXPECT_FALSE(result);
  EXPECT_NE(std::string(result.message()).find(to_string(workload_.problem)), std::string::npos);
  EXPECT_NE(std::string(result.message()).find("by hand"), std::string::npos);
}

TEST_F(OracleTest, RefusesAnotherShape) {
  outcome_.out = array_of<float>({1, 3, 6, 9, 12, 9});
  EXPECT_FALSE(Oracle(workload_).accepts(outcome_));
  outcome_.out = Array(Type::float32, 2, 7);
  EXPECT_FALSE(Oracle(workload_).accepts(outcome_));
}

TEST_F(OracleTest, RefusesOutputsThatWereNeverWritten) {
  outcome_.out = Array(Type::float32, 1, 7);
  EXPECT_FALSE(Oracle(workload_).accepts(outcome_));
}

TEST_F(OracleTest, KnowsWhatBelongsToAWindow) {
  workload_.signal.row<float>(0)[1] = kNan;
  workload_.filter.row<float>(0)[2] = 0;
  outcome_.out = array_of<float>({1, kNan, kNan, kNan, 7, 9, 5});
  // Windows: {1}, {2,1}, {3,2,1}, {4,3,2}, {5,4,3}, {5,4}, {5}; the last tap is 0.
  outcome_.out.row<float>(0)[4] = 9, outcome_.out.row<float>(0)[5] = 5, outcome_.out.row<float>(0)[6] = 0;
  EXPECT_TRUE(Oracle(workload_).accepts(outcome_));
  outcome_.out.row<float>(0)[4] = kNan;
  EXPECT_FALSE(Oracle(workload_).accepts(outcome_));
}

TEST_F(OracleTest, WrapsIntegers) {
  const Workload w = workload_of<std::int64_t>({INT64_MIN, INT64_MAX}, {2});
  EXPECT_TRUE(Oracle(w).accepts({array_of<std::int64_t>({0, -2}), "by hand", Method::direct}));
  EXPECT_FALSE(Oracle(w).accepts({array_of<std::int64_t>({0, -1}), "by hand", Method::direct}));
}

TEST(Tolerances, AreStatedForBothTypes) {
  EXPECT_EQ(tolerance(Type::float32).unit, std::numeric_limits<float>::epsilon() / 2);
  EXPECT_EQ(tolerance(Type::float64).unit, std::numeric_limits<double>::epsilon() / 2);
  EXPECT_EQ(tolerance(Type::float32).smallest, std::numeric_limits<float>::denorm_min());
  EXPECT_EQ(tolerance(Type::float64).smallest, std::numeric_limits<double>::denorm_min());
}

TEST(Randoms, SameSeedSameNumbers) {
  Rng a = test_rng(), b = test_rng();
  EXPECT_EQ(a(), b());
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t size = pick_size(a, 3, 70);
    EXPECT_TRUE(3 <= size && size <= 70);
  }
}

}  // namespace
}  // namespace gpuconv::test

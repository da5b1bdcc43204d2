// Integers: exact modulo 2^64, widened by default, wrapped to a narrow type only where it is named.
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpuconv::test {
namespace {

using testing::ElementsAre;
using I64 = std::vector<std::int64_t>;
using U64 = std::vector<std::uint64_t>;

class Integers : public SolverTest {
 protected:
  void SetUp() override {
    if (takes({.signal = 5, .filter = 5, .type = Type::int64})) return;
    EXPECT_THROW(Plan({.signal = 5, .filter = 5, .type = Type::int64}, options()), Unsupported);
    refuses_ = true;
  }
  template <class A, class B>
  auto conv(std::vector<A> const& a, std::vector<B> const& b) const {
    return convolve(a, b, call(Mode::full));
  }
  bool refuses_ = false;  // as transforms do: they are not exact
};

TEST_P(Integers, ExactAtTheExtremes) {
  if (refuses_) return;
  EXPECT_THAT(conv(I64{INT64_MIN, INT64_MAX}, I64{1}), ElementsAre(INT64_MIN, INT64_MAX));
  EXPECT_THAT(conv(I64{INT64_MIN}, I64{-1}), ElementsAre(INT64_MIN));  // 2^63 modulo 2^64
  EXPECT_THAT(conv(I64{INT64_MAX, 1}, I64{1, 1}), ElementsAre(INT64_MAX, INT64_MIN, 1));
  EXPECT_THAT(conv(I64{INT64_MAX}, I64{INT64_MAX}), ElementsAre(1));
  EXPECT_THAT(conv(U64{UINT64_MAX}, U64{UINT64_MAX}), ElementsAre(1u));
  EXPECT_THAT(conv(U64{UINT64_MAX, 1}, U64{1, 1}), ElementsAre(UINT64_MAX, 0u, 1u));
}

TEST_P(Integers, NarrowTypesDoNotOverflow) {
  if (refuses_) return;
  const std::vector<std::int8_t> a(1000, -128);
  const auto result = conv(a, a);
  static_assert(std::is_same_v<decltype(result)::value_type, std::int64_t>);
  EXPECT_EQ(*std::max_element(result.begin(), result.end()), 1000 * 128 * 128);
  const std::vector<std::uint32_t> b(3, UINT32_MAX);
  EXPECT_THAT(conv(b, std::vector<std::uint8_t>{255}), ElementsAre(1095216660225u, 1095216660225u, 1095216660225u));
}

TEST_P(Integers, SignedWithUnsigned) {
  if (refuses_) return;
  EXPECT_THAT(conv(std::vector<std::int8_t>{-1, 2}, std::vector<std::uint8_t>{255}), ElementsAre(-255, 510));
  EXPECT_THAT(conv(std::vector<std::uint16_t>{65535}, std::vector<std::int32_t>{INT32_MIN}),
              ElementsAre(-140735340871680));
}

TEST_P(Integers, UnsignedWithSigned64StaysAnInteger) {
  if (refuses_) return;
  const auto result = conv(U64{UINT64_MAX, std::uint64_t{1} << 63}, I64{-1});
  static_assert(std::is_same_v<decltype(result)::value_type, std::int64_t>);
  EXPECT_THAT(result, ElementsAre(1, INT64_MIN));
}

TEST_P(Integers, WrapOnlyIntoATypeThatIsNamed) {
  if (refuses_) return;
  const std::vector<std::int8_t> a{100, 100}, b{2, 3};
  EXPECT_THAT(conv(a, b), ElementsAre(200, 500, 300));
  EXPECT_THAT(convolve<std::int8_t>(a, b, call(Mode::full)), ElementsAre(-56, -12, 44));
  EXPECT_THAT(convolve<std::uint8_t>(a, b, call(Mode::full)), ElementsAre(200, 244, 44));
  EXPECT_THAT(convolve<std::int16_t>(a, b, call(Mode::full)), ElementsAre(200, 500, 300));
}

TEST_P(Integers, EveryResultTypeAtFullRange) {
  if (refuses_) return;
  Rng rng = test_rng();
  for (int s = 0; s < 8; ++s)
    for (int r = 0; r < 8; ++r) {
      const Problem p{.signal = 300, .filter = 40, .type = static_cast<Type>(s), .result_type = static_cast<Type>(r)};
      EXPECT_TRUE(is_right(random_workload(p, rng), options()));
    }
}
GPUCONV_OVER_SOLVERS(Integers);

class IntegersAsFloats : public SolverTest {};

TEST_P(IntegersAsFloats, WhereAFloatingResultIsNamed) {
  Rng rng = test_rng();
  for (int s = 0; s < 8; ++s)
    for (Type const result : {Type::float32, Type::float64}) {
      const Problem p{.signal = 500, .filter = 30, .type = static_cast<Type>(s), .result_type = result};
      if (!takes(p)) continue;
      EXPECT_TRUE(is_right(random_workload(p, rng), options()));
    }
}

// A transform rounds, but small integers come out exact once rounded.
TEST_P(IntegersAsFloats, SmallIntegersAreExactOnceRounded) {
  Rng rng = test_rng();
  for (Type const type : {Type::float32, Type::float64}) {
    Workload w = empty_workload({.signal = 5000, .filter = 64, .type = type});
    fill_small(w.signal, rng);
    fill_small(w.filter, rng);
    Workload exact = empty_workload({.signal = 5000, .filter = 64, .type = Type::int64});
    std::ranges::copy(w.signal.as<std::int64_t>(0), exact.signal.row<std::int64_t>(0).begin());
    std::ranges::copy(w.filter.as<std::int64_t>(0), exact.filter.row<std::int64_t>(0).begin());
    const auto want = run(exact, {}).out.as<double>(0), got = run(w, options()).out.as<double>(0);
    for (std::size_t i = 0; i < want.size(); ++i) ASSERT_EQ(std::round(got[i]), want[i]) << i;
  }
}
GPUCONV_OVER_SOLVERS(IntegersAsFloats);

}  // namespace
}  // namespace gpuconv::test

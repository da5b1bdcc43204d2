// The measuring code of bench/: statistics, fits and errors with known answers.
#include "support/accuracy.hpp"
#include "support/copy.hpp"
#include "support/data.hpp"
#include "support/fit.hpp"
#include "support/timing.hpp"

#include <gpuconv/convolve.hpp>

#include <gmock/gmock.h>

using namespace gpuconv;
using namespace gpuconv::bench;

TEST(Timing, SummaryIsMedianQuartilesAndLeast) {
  const Spread s = summarize({5, 1, 3, 2, 4});
  EXPECT_EQ(s.median, 3);
  EXPECT_EQ(s.lower, 2);
  EXPECT_EQ(s.upper, 4);
  EXPECT_EQ(s.least, 1);
  EXPECT_EQ(s.samples, 5);
}

TEST(Timing, CallsTakeTurns) {
  std::string order;
  const auto wait = [](double seconds) {
    for (const double end = now() + seconds; now() < end;) {
    }
  };
  const std::function<void()> calls[] = {[&] { order += 'a', wait(3e-3); }, [&] { order += 'b', wait(3e-3); }};
  const std::vector<Spread> times = measure(calls, {.seconds = 0, .least = 3});
  EXPECT_EQ(order, "abababab");  // a warm-up each, then three rounds
  EXPECT_EQ(times[0].samples, 3);
  EXPECT_GE(times[1].least, 3e-3);
}

TEST(Fit, FindsTheCoefficients) {
  std::vector<Observation> observations;
  for (const double x : {1.0, 10.0, 100.0, 1000.0}) observations.push_back({{1, x}, 3 + 0.5 * x});
  const Fit f = fit(observations);
  EXPECT_NEAR(f.coefficients[0], 3, 1e-9);
  EXPECT_NEAR(f.coefficients[1], 0.5, 1e-9);
  EXPECT_LT(f.worst, 1e-9);
}

TEST(Fit, CountsMeasurementsByTheirPercentage) {
  const Fit f = fit({{{1}, 1}, {{1}, 1}, {{1}, 1000}});
  EXPECT_LT(f.coefficients[0], 2);  // the mean would be 334
}

TEST(DataOfAProblem, LargeOnesRotatePastTheCacheAndSmallOnesStay) {
  EXPECT_EQ(Data({.signal = 100, .filter = 5}).sets(), 1U);
  Data large({.signal = 1 << 20, .filter = 5});
  EXPECT_GE(static_cast<std::int64_t>(large.sets()) * (std::int64_t{8} << 20), 2 * cache_bytes());
  EXPECT_NE(large.signal(0).data(), large.signal(1).data());
}

class ErrorsOf : public testing::TestWithParam<Type> {};

TEST_P(ErrorsOf, ARightResultAreSmallAndAWrongOneLarge) {
  const Problem problem{.signal = 5000, .filter = 33, .batch = 2, .type = GetParam()};
  Data data(problem);
  convolve(data.signal(0), data.filter(), data.out(0));
  const Errors right = errors(problem, data.signal(0), data.filter(), data.out(0));
  EXPECT_LT(right.relative_l2, is_floating(problem.type) ? 1e-6 : 1e-300);

  auto* const last = static_cast<char*>(data.out(0).data()) + (2 * 5032 - 1) * size_of(result_type(problem));
  visit_type(result_type(problem), [&]<class T>(std::type_identity<T>) { *reinterpret_cast<T*>(last) += T(1); });
  EXPECT_GT(errors(problem, data.signal(0), data.filter(), data.out(0)).max, 0.99);
}

INSTANTIATE_TEST_SUITE_P(Types, ErrorsOf, testing::Values(Type::float32, Type::float64, Type::int32),
                         [](auto const& p) { return std::string(name(p.param)); });

TEST(StreamingCopy, RunsOnSeveralThreadsAndRoundsUpToWholePieces) {
  Copy copy(1, 2);
  EXPECT_GT(copy.bytes(), 1);
  for (int i = 0; i < 3; ++i) copy.run(2);
}

// The measuring code of bench/: statistics, fits and errors with known answers.
#include "support/accuracy.hpp"
#include "support/copy.hpp"
#include "support/data.hpp"

#include <gpuconv/convolve.hpp>

#include <gtest/gtest.h>

#include <chrono>

using namespace gpuconv;
using namespace gpuconv::bench;

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
  EXPECT_LT(right.relative_l2, is_integer(problem.type) ? 1e-300 : 1e-6);

  auto* const last = static_cast<char*>(data.out(0).data()) + (2 * 5032 - 1) * size_of(result_type(problem));
  detail::visit_part(result_type(problem), [&]<class T>(std::type_identity<T>) {
    T& value = *reinterpret_cast<T*>(last);
    value = static_cast<T>(value + T(1));
  });
  EXPECT_GT(errors(problem, data.signal(0), data.filter(), data.out(0)).max, 0.99);
}

INSTANTIATE_TEST_SUITE_P(Types, ErrorsOf, testing::Values(Type::float32, Type::float64, Type::int32, Type::complex64),
                         [](auto const& p) { return std::string(name(p.param)); });

// Every stretch lies at an edge, or beyond both ends of the signal.
TEST_P(ErrorsOf, FiltersThatAreLongerThanTheSignal) {
  for (Problem const& problem : {Problem{.signal = 40, .filter = 700, .mode = Mode::full, .type = GetParam()},
                                 Problem{.signal = 1, .filter = 2000, .mode = Mode::full, .type = GetParam()}}) {
    Data data(problem);
    convolve(data.signal(0), data.filter(), data.out(0));
    EXPECT_LT(errors(problem, data.signal(0), data.filter(), data.out(0)).relative_l2,
              is_integer(problem.type) ? 1e-300 : 1e-6);
  }
}

// The cost of a check grows with the outputs that it looks at, not with the square of the taps.
TEST(ErrorsOfLongFilters, TakeSecondsNotMinutes) {
  const Problem problem{.signal = 1 << 18, .filter = 1 << 17};
  Data data(problem);
  convolve(data.signal(0), data.filter(), data.out(0));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_LT(errors(problem, data.signal(0), data.filter(), data.out(0)).relative_l2, 1e-5);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
}

TEST(StreamingCopy, RunsOnSeveralThreadsAndRoundsUpToWholePieces) {
  Copy copy(1, 2);
  EXPECT_GT(copy.bytes(), 1);
  for (int i = 0; i < 3; ++i) copy.run(2);
}

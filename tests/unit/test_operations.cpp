// What a problem says besides sizes, types and mode: the operation, a window of outputs, what is beyond the ends. What
// comes out is in the golden values and the generated problems; here is how calls and plans ask for it.
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include <gpuconv/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace gpuconv::test {
namespace {

using testing::ElementsAre;

class Operations : public SolverTest {
 protected:
  template <class T>
  std::vector<T> correlated(std::vector<T> const& x, std::vector<T> const& h, CallOptions how) const {
    how.method = solver()->method, how.device = solver()->device;
    return correlate(x, h, how);
  }
};

TEST_P(Operations, SwappedOperandsCorrelateAsNumPyAndAsSciPy) {
  const std::vector<double> a{1, 2, 3, 4}, v{1, 2, 3, 4, 5};
  const auto near = [](std::vector<double> values) {
    std::vector<testing::Matcher<double>> out;
    for (double const value : values) out.push_back(testing::DoubleNear(value, 1e-12));
    return testing::ElementsAreArray(out);
  };
  EXPECT_THAT(correlated(a, v, {.mode = Same::numpy}), near({26, 40, 30, 20, 11}));
  EXPECT_THAT(correlated(a, v, {.mode = Same::scipy}), near({26, 40, 30, 20}));
  EXPECT_THAT(correlated(a, v, {.mode = Mode::valid}), near({40, 30}));
  EXPECT_THAT(correlated(v, a, {.mode = Mode::valid}), near({30, 40}));
}

// The lags around 0 of two long arrays, of which nothing else is computed.
TEST_P(Operations, AWindowOfLagsIsThatPartOfTheFullCorrelation) {
  Rng rng = test_rng();
  const std::int64_t n = 5000, m = 4000;
  const Workload w = random_workload({.signal = n, .filter = m}, rng);
  const std::vector<float> x = w.signal.as<float>(0), h = w.filter.as<float>(0);
  const std::vector<float> full = correlated(x, h, {});
  const std::vector<std::int64_t> lags = correlation_lags(n, m);
  for (std::int64_t const step : {1, 7}) {
    const Slice window = lag_window(-100, 100, m, step);
    const std::vector<float> some = correlated(x, h, {.window = window});
    ASSERT_EQ(std::ssize(some), 200 / step + 1);
    for (std::int64_t i = 0; i < std::ssize(some); ++i) {
      const auto at = static_cast<std::size_t>(window.first + i * step);
      EXPECT_EQ(lags[at], -100 + i * step);
      EXPECT_NEAR(some[static_cast<std::size_t>(i)], full[at], 1e-3);
    }
  }
}

TEST_P(Operations, NothingIsSummedFarFromTheSignal) {
  const std::vector<float> x(20, 1), h(5, 1);
  const CallOptions how{.method = solver()->method, .device = solver()->device, .window = Slice{-1000, 40, 50}};
  const std::vector<float> y = convolve(x, h, how);
  for (std::size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], i == 20 ? 1 : 0, 1e-6) << i;
  CallOptions wrapped = how;
  wrapped.boundary = Boundary::wrap;
  EXPECT_THAT(convolve(x, h, wrapped), testing::Each(testing::FloatNear(5, 1e-5f)));
}

// However far: the numbers of products, samples and taps of such outputs must not be negative, or beyond 32 bits.
TEST_P(Operations, OutputsFarFromTheSignalAreZero) {
  Rng rng = test_rng();
  for (const std::int64_t far :
       {std::int64_t{1} << 31, std::int64_t{1} << 32, std::int64_t{1'000'000'000'000}, std::int64_t{1} << 60})
    for (const std::int64_t first : {far, -far})
      for (const Type type : {Type::float32, Type::float64, Type::int16, Type::int64, Type::complex64, Type::float16})
        for (auto const& [taps, outputs] : {std::pair<std::int64_t, std::int64_t>{300, 1}, {300, 9}, {3, 700}, {1, 1}})
          for (const std::int64_t step : {1, 3}) {
            const Problem p{.signal = 5000,
                            .filter = taps,
                            .batch = 2,
                            .type = type,
                            .window = Slice{.first = first, .length = outputs, .step = step}};
            if (!takes(p)) continue;
            const Outcome outcome = run(random_workload(p, rng), options());
            detail::visit_part(outcome.out.type(), [&]<class T>(std::type_identity<T>) {
              for (std::int64_t r = 0; r < p.batch; ++r)
                for (const T part : outcome.out.parts<T>(r))
                  ASSERT_EQ(static_cast<double>(part), 0) << to_string(p) << outcome.plan;
            });
            if (HasFailure()) return;
          }
}

// They take time by their number, not by what lies between them, in which a machine would not come to an end.
TEST_P(Operations, OutputsFarApartAreComputedEachByItself) {
  Rng rng = test_rng();
  const std::int64_t n = 50, period = 2 * n * (2 * n - 2);  // of every boundary's extension
  for (const std::int64_t taps : {1, 9, 700})
    for (Boundary const boundary :
         {Boundary::zero, Boundary::constant, Boundary::nearest, Boundary::reflect, Boundary::mirror, Boundary::wrap})
      for (const std::int64_t first : {std::int64_t{20}, -period * (std::int64_t{1} << 45)}) {
        const Workload w = random_workload({.signal = n, .filter = taps}, rng);
        const std::vector<float> x = w.signal.as<float>(0), h = w.filter.as<float>(0);
        CallOptions how{.method = solver()->method, .device = solver()->device, .boundary = boundary, .constant = 3};
        how.window = Slice{first, 3, period * (std::int64_t{1} << 45)};
        const std::vector<float> some = convolve(x, h, how);
        ASSERT_EQ(some.size(), 3);
        for (std::size_t i = 0; i < 3; ++i) {
          how.window = Slice{how.window->first, 1, 1};
          EXPECT_NEAR(some[i], convolve(x, h, how)[0], 1e-3) << static_cast<int>(boundary) << taps << ' ' << i;
          how.window->first += period * (std::int64_t{1} << 45);
        }
        const bool goes_on =
            boundary == Boundary::reflect || boundary == Boundary::mirror || boundary == Boundary::wrap;
        if (goes_on) {
          EXPECT_NEAR(some[2], some[0], 1e-3) << static_cast<int>(boundary);
        }
      }
}

// Some of them beyond the full convolution, of one row and of several, short ones too.
TEST_P(Operations, OutputsApartAreRight) {
  Rng rng = test_rng();
  for (const Type type : {Type::int32, Type::float32, Type::complex64})
    for (const std::int64_t batch : {1, 3})
      for (const std::int64_t taps : {9, 150})
        for (Boundary const boundary : {Boundary::zero, Boundary::mirror}) {
          Problem p{.signal = 100, .filter = taps, .batch = batch, .type = type, .boundary = boundary};
          p.window = Slice{-900, 7, 300};
          if (!takes(p)) continue;
          EXPECT_TRUE(is_right(random_workload(p, rng), options())) << to_string(p);
        }
}

// Many times around a short signal: one reflection would not do.
TEST_P(Operations, ReflectionsGoOnForLongFilters) {
  for (Boundary const boundary : {Boundary::nearest, Boundary::reflect, Boundary::mirror, Boundary::wrap})
    for (std::int64_t const n : {1, 2, 3, 17, 18, 19}) {
      Rng rng = test_rng();
      Problem p{.signal = n, .filter = 2000, .batch = 2, .mode = Mode::same, .same = Same::scipy};
      p.boundary = boundary;
      p.type = n == 18 ? Type::complex64 : n == 19 ? Type::complex128 : Type::float32;
      if (!takes(p)) continue;
      EXPECT_TRUE(is_right(random_workload(p, rng), options(2)));
    }
}

// What is beyond the ends is samples like others: an infinity there meets every tap, a zero does not.
TEST_P(Operations, WhatIsBeyondTheEndsMayBeInfinite) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Rng rng = test_rng();
  for (Boundary const boundary : {Boundary::constant, Boundary::wrap, Boundary::nearest}) {
    Problem p{.signal = 3000, .filter = 40, .mode = Mode::same, .boundary = boundary, .constant = kInfinity};
    Workload w = random_workload(p, rng);
    w.signal.row<float>(0)[2999] = std::numeric_limits<float>::infinity();
    w.filter.row<float>(0)[3] = 0;
    EXPECT_TRUE(is_right(w, options(1)));
    w.filter.row<float>(0)[39] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_TRUE(is_right(w, options(1)));
  }
}
GPUCONV_OVER_SOLVERS(Operations);

TEST(CorrelationLags, AreSciPys) {
  EXPECT_THAT(correlation_lags(3, 2), ElementsAre(-1, 0, 1, 2));
  EXPECT_THAT(correlation_lags(2, 4), ElementsAre(-3, -2, -1, 0, 1));
  EXPECT_THAT(correlation_lags(4, 2, Mode::valid), ElementsAre(0, 1, 2));
  EXPECT_THAT(correlation_lags(2, 4, Mode::valid), ElementsAre(-2, -1, 0));
  EXPECT_THAT(correlation_lags(4, 4, Mode::same, Same::scipy), ElementsAre(-2, -1, 0, 1));
  EXPECT_THAT(correlation_lags(5, 3, Mode::same), ElementsAre(-1, 0, 1, 2, 3));
  EXPECT_THROW(correlation_lags(0, 4), InvalidArgument);
  EXPECT_THROW(correlation_lags(std::int64_t{1} << 60, 4), OutOfMemory);
}

TEST(LagWindow, RefusesLagsThatAreNone) {
  EXPECT_EQ(lag_window(-3, 4, 10, 3).length, 3);
  EXPECT_EQ(lag_window(5, 5, 10).length, 1);
  EXPECT_THROW(lag_window(1, 0, 10), InvalidArgument);
  EXPECT_THROW(lag_window(0, 1, 10, 0), InvalidArgument);
  EXPECT_THROW(lag_window(0, 1, 0), InvalidArgument);
  EXPECT_THROW(lag_window(INT64_MIN, INT64_MAX, 10), InvalidArgument);
  EXPECT_THROW(lag_window(INT64_MAX - 2, INT64_MAX, 10), InvalidArgument);
}

TEST(Windows, RefuseWhatIsNone) {
  const auto plan = [](Slice window) {
    Problem p{.signal = 10, .filter = 3};
    p.window = window;
    return Plan(p).output_length();
  };
  EXPECT_EQ(plan({.first = 4, .length = 2}), 2);
  EXPECT_THROW(plan({.first = 0, .length = 0}), InvalidArgument);
  EXPECT_THROW(plan({.first = 0, .length = 2, .step = 0}), InvalidArgument);
  EXPECT_THROW(plan({.first = 0, .length = 2, .step = -1}), InvalidArgument);
  EXPECT_THROW(plan({.first = INT64_MIN, .length = 2}), InvalidArgument);
  EXPECT_THROW(plan({.first = INT64_MAX, .length = 2}), InvalidArgument);
  EXPECT_THROW(plan({.first = 0, .length = std::int64_t{1} << 40, .step = std::int64_t{1} << 40}), InvalidArgument);
}

// Where every thousandth output is kept, the others are not computed.
TEST(Windows, DirectComputesWhatIsKept) {
  const auto seconds = [](std::int64_t length, std::int64_t step) {
    Problem p{.signal = 1'000'000, .filter = 100};
    p.window = Slice{0, length, step};
    return estimates(p, {.method = Method::direct, .device = Device::cpu, .threads = 1}).front().seconds;
  };
  EXPECT_LT(seconds(1000, 1000), seconds(1'000'000, 1) / 20);
}

TEST(Boundaries, RefuseWhatHasNoUseForThem) {
  Problem p{.signal = 10, .filter = 3, .mode = Mode::full, .boundary = Boundary::wrap};
  EXPECT_THROW(Plan{p}, InvalidArgument);
  p.mode = Mode::valid;
  EXPECT_THROW(Plan{p}, InvalidArgument);
  p.window = Slice{0, 3};
  EXPECT_EQ(Plan(p).output_length(), 3);
  p.boundary = static_cast<Boundary>(6);
  EXPECT_THROW(Plan{p}, InvalidArgument);
  p.boundary = Boundary::zero, p.operation = static_cast<Operation>(2);
  EXPECT_THROW(Plan{p}, InvalidArgument);
}

TEST(Boundaries, RefuseConstantsThatAreNoElements) {
  const auto plan = [](Type type, double constant) {
    return Plan({.signal = 10,
                 .filter = 3,
                 .mode = Mode::same,
                 .type = type,
                 .boundary = Boundary::constant,
                 .constant = constant});
  };
  EXPECT_NO_THROW(plan(Type::int8, -128));
  EXPECT_NO_THROW(plan(Type::float32, std::nan("")));
  EXPECT_NO_THROW(plan(Type::float32, 0.1));
  EXPECT_THROW(plan(Type::int8, 128), InvalidArgument);
  EXPECT_THROW(plan(Type::uint8, -1), InvalidArgument);
  EXPECT_THROW(plan(Type::int32, 0.5), InvalidArgument);
  EXPECT_THROW(plan(Type::int64, 0x1p63), InvalidArgument);
  EXPECT_THROW(plan(Type::uint16, std::nan("")), InvalidArgument);
  EXPECT_THROW(plan(Type::float32, 1e300), InvalidArgument);
}

TEST(Texts, OfOperationsWindowsAndBoundaries) {
  Problem p{.signal = 8, .filter = 3, .mode = Mode::same, .operation = Operation::correlate};
  p.boundary = Boundary::reflect;
  EXPECT_EQ(to_string(p), "1 x 8 float32 (reflect) (*) 3 float32 -> same 8 float32");
  p.window = Slice{-2, 4, 3};
  EXPECT_EQ(to_string(p), "1 x 8 float32 (reflect) (*) 3 float32 -> from -2 on every 3 4 float32");
}

class Steps : public SolverTest {};
TEST_P(Steps, OfAnySizeKeepTheRightOutputs) {
  Rng rng = test_rng();
  for (std::int64_t const taps : {31, 64, 65, 257, 700})
    for (std::int64_t const step : {2, 3, 7, 64, 513, 2000}) {
      Problem p{.signal = 6000, .filter = taps, .batch = 2, .filters = Filters::per_row};
      p.type = pick(rng, 0, 2) ? Type::float32 : Type::float64;
      p.window = Slice{pick(rng, -taps, taps), 5000 / step + 1, step};
      if (pick(rng, 0, 2) == 0) p.boundary = Boundary::reflect;
      Workload w = random_workload(p, rng, {{.offset = 1, .gap = 3}, {.gap = 1}, {}});
      EXPECT_TRUE(is_right(w, options(static_cast<int>(pick(rng, 1, 3)))));
      if (p.type != Type::float32) continue;
      w.filter.row<float>(1)[static_cast<std::size_t>(pick(rng, 0, taps - 1))] = INFINITY;
      w.signal.row<float>(0)[static_cast<std::size_t>(pick(rng, 0, 5999))] = NAN;
      EXPECT_TRUE(is_right(w, options(1), {.offset = 1}));
    }
}
GPUCONV_OVER_SOLVERS(Steps);

TEST(Windows, WithStepsAndManyTapsCostLessThanAllOutputs) {
  const auto seconds = [](std::int64_t step) {
    Problem p{.signal = 1 << 20, .filter = 257};
    p.window = Slice{256, ((1 << 20) - 257) / step + 1, step};
    return estimates(p, {.method = Method::direct, .device = Device::cpu, .threads = 1}).front().seconds;
  };
  EXPECT_LT(seconds(4), 0.6 * seconds(1));
}

}  // namespace
}  // namespace gpuconv::test

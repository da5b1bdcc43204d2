// Smoothing, slopes and filters with given taps, against formulas that do without a convolution.
#include "unit/recipes.hpp"

#include <gpuconv/gpuconv.hpp>

#include <gmock/gmock.h>

#include <complex>
#include <numbers>

namespace gpuconv::test {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::Pointwise;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN(), kInfinity = std::numeric_limits<double>::infinity();

template <class T>
class RecipesOfType : public testing::Test {};
using Floating = testing::Types<float, double>;
TYPED_TEST_SUITE(RecipesOfType, Floating);

TYPED_TEST(RecipesOfType, AMovingAverageIsTheMeanOfWhatIsThere) {
  for (const auto& [n, window] : std::vector<std::pair<int, int>>{{1, 1}, {5, 5}, {6, 5}, {700, 31}, {3000, 701}}) {
    const auto x = noise<TypeParam>(n, 1, 3);
    std::vector<long double> want;
    for (int k = 0; k < n; ++k) {
      const int first = std::max(0, k - window / 2), end = std::min(n, k + window / 2 + 1);
      long double sum = 0;
      for (int i = first; i < end; ++i) sum += x[static_cast<std::size_t>(i)];
      want.push_back(sum / (end - first));
    }
    EXPECT_TRUE(is_near(recipes::moving_average(x, {.window = window}), want, 40)) << n << ' ' << window;
  }
}

TYPED_TEST(RecipesOfType, GradientsHaveNumPysBits) {
  const auto x = noise<TypeParam>(500, 2, 1e6);  // a large offset costs nothing
  const TypeParam width = static_cast<TypeParam>(2 * 0.3), dx = static_cast<TypeParam>(0.3);
  const auto got = recipes::gradient(x, {.spacing = 0.3});
  for (std::size_t k = 1; k + 1 < x.size(); ++k) ASSERT_EQ(got[k], (x[k + 1] - x[k - 1]) / width) << k;
  EXPECT_EQ(got.front(), (x[1] - x[0]) / dx);
  EXPECT_EQ(got.back(), (x[499] - x[498]) / dx);
}

TYPED_TEST(RecipesOfType, GaussiansOfAnImpulseAreTheirDerivatives) {
  const double sigma = 6;
  std::vector<TypeParam> x(101);
  x[50] = 1;
  const auto density = [&](double t) {
    return std::exp(-t * t / (2 * sigma * sigma)) / (sigma * std::sqrt(2 * std::numbers::pi));
  };
  const auto check = [&](int order, auto const& formula) {
    std::vector<double> want;
    for (int k = -50; k <= 50; ++k) want.push_back(formula(k / sigma) * density(k) / std::pow(sigma, order));
    const auto got = recipes::gaussian(x, {.sigma = sigma, .order = order, .truncate = 9, .boundary = Boundary::zero});
    EXPECT_TRUE(is_near(got, want, 100)) << order;
  };
  check(0, [](double) { return 1; });
  check(1, [](double u) { return -u; });
  check(2, [](double u) { return u * u - 1; });
  check(3, [](double u) { return u * (3 - u * u); });
}

TYPED_TEST(RecipesOfType, APolynomialPassesSavitzkyAndGolayUnchangedEndsIncluded) {
  std::vector<TypeParam> x, slope, bend;
  for (int i = 0; i < 200; ++i) {
    const auto t = static_cast<TypeParam>(i - 100) / 50;
    x.push_back(1 + t * (2 + t * (-3 + t)));
    slope.push_back(2 + t * (-6 + t * 3));
    bend.push_back(-6 + 6 * t);
  }
  const double dt = 1.0 / 50;
  EXPECT_TRUE(is_near(recipes::savitzky_golay(x, {.window = 31, .degree = 3}), x, 100));
  EXPECT_TRUE(
      is_near(recipes::savitzky_golay(x, {.window = 31, .degree = 4, .derivative = 1, .spacing = dt}), slope, 1e3));
  EXPECT_TRUE(
      is_near(recipes::savitzky_golay(x, {.window = 61, .degree = 3, .derivative = 2, .spacing = dt}), bend, 1e4));
}

TEST(Recipes, TapsOfTheBooks) {
  EXPECT_THAT(recipes::box_taps(4 + 1), ElementsAre(0.2, 0.2, 0.2, 0.2, 0.2));
  EXPECT_THAT(recipes::central_difference_taps(0.25), ElementsAre(2, 0, -2));
  std::vector<double> quadratic = recipes::savgol_taps(7, 2);
  for (double& tap : quadratic) tap *= 21;
  EXPECT_THAT(quadratic, Pointwise(DoubleNear(1e-13), {-2., 3., 6., 7., 6., 3., -2.}));
  // Convolved, which reverses them: the slope rises with the samples.
  EXPECT_THAT(recipes::savgol_taps(5, 1, 1), Pointwise(DoubleNear(1e-15), {.2, .1, 0., -.1, -.2}));
  EXPECT_THAT(recipes::savgol_taps(3, 1, 2), ElementsAre(0, 0, 0));
  EXPECT_EQ(recipes::gaussian_taps(2).size(), 17u);
  EXPECT_EQ(recipes::gaussian_taps(0.1, 0, 1).size(), 1u);
}

TEST(Recipes, APlanTakesTheTaps) {
  const auto x = noise(300, 3);
  const std::vector<double> taps = recipes::gaussian_taps(3, 1);
  const CallOptions how{.mode = Same::scipy, .boundary = Boundary::reflect};
  EXPECT_EQ(recipes::gaussian(x, {.sigma = 3, .order = 1}), convolve(x, taps, how));
}

// Both methods that a plan may take: the edges are mended after either.
TEST(Recipes, LongWindowsAreRightByBlocksToo) {
  const auto x = noise(5000, 4, 2);
  for (const Method method : {Method::direct, Method::overlap_save, Method::fft}) {
    const Options options{.method = method};
    EXPECT_TRUE(is_near(recipes::savitzky_golay(x, {.window = 501, .degree = 3, .options = options}),
                        recipes::savitzky_golay(x, {.window = 501, .degree = 3}), 1e3));
    EXPECT_TRUE(is_near(recipes::moving_average(x, {.window = 501, .options = options}),
                        recipes::moving_average(x, {.window = 501}), 1e3));
  }
}

TEST(Recipes, IntegersAndHalvesBecomeFloatsThatHoldThem) {
  const std::vector<std::int16_t> small{1, 2, 4, 30000, 30000};
  const std::vector<std::int64_t> large{1, 2, 4, 1ll << 40, 1ll << 40};
  const std::vector<float16> half{float16(1.f), float16(2.f), float16(4.f)};
  static_assert(std::is_same_v<decltype(recipes::gradient(small)), std::vector<float>>);
  static_assert(std::is_same_v<decltype(recipes::gradient(large)), std::vector<double>>);
  static_assert(std::is_same_v<decltype(recipes::gradient(half)), std::vector<float>>);
  EXPECT_THAT(recipes::gradient(small), ElementsAre(1, 1.5f, 14999, 14998, 0));
  EXPECT_THAT(recipes::gradient(half), ElementsAre(1, 1.5f, 2));
  EXPECT_THAT(recipes::moving_average(half, {.window = 3}), ElementsAre(1.5f, testing::FloatEq(7 / 3.f), 3));
  const double big = std::ldexp(1, 40);
  EXPECT_THAT(recipes::gradient(large, {.edge_order = 2}),
              ElementsAre(0.5, 1.5, big / 2 - 1, big / 2 - 2, -big / 2 + 2));
}

TEST(Recipes, ComplexSignalsAreSmoothedPartByPart) {
  const auto re = noise(90, 5), im = noise(90, 6);
  std::vector<std::complex<double>> x;
  for (std::size_t i = 0; i < re.size(); ++i) x.emplace_back(re[i], im[i]);
  const auto expect_parts = [&](auto const& recipe) {
    const auto got = recipe(x);
    const auto real = recipe(re), imaginary = recipe(im);
    for (std::size_t i = 0; i < got.size(); ++i) {
      EXPECT_NEAR(got[i].real(), real[i], 1e-14) << i;
      EXPECT_NEAR(got[i].imag(), imaginary[i], 1e-14) << i;
    }
  };
  expect_parts([](auto const& v) { return recipes::gradient(v, {.spacing = 0.5, .edge_order = 2}); });
  expect_parts([](auto const& v) { return recipes::moving_average(v, {.window = 7}); });
  expect_parts([](auto const& v) { return recipes::savitzky_golay(v, {.window = 9, .degree = 2}); });
  expect_parts([](auto const& v) { return recipes::gaussian(v, {.sigma = 1.5}); });
}

// Rows of any stride, and each by itself: columns of a matrix in the other order.
TEST(Recipes, RowsAtStridesAreRowsByThemselves) {
  constexpr std::int64_t rows = 4, n = 50;
  const auto x = noise(rows * n, 7);
  std::vector<double> out(x.size());
  const Rows columns{.rows = rows, .columns = n, .stride = 1, .element_stride = rows};
  const auto expect_each = [&](auto const& recipe, auto const& how) {
    recipe(HostView(x.data(), columns), HostView(out.data(), columns), how);
    for (std::int64_t row = 0; row < rows; ++row) {
      std::vector<double> one(n), want(n), got(n);
      for (std::int64_t i = 0; i < n; ++i) {
        one[static_cast<std::size_t>(i)] = x[static_cast<std::size_t>(i * rows + row)];
        got[static_cast<std::size_t>(i)] = out[static_cast<std::size_t>(i * rows + row)];
      }
      recipe(one, want, how);
      EXPECT_TRUE(is_near(got, want, 4)) << row;
    }
  };
  const auto call = [](auto recipe) {
    return [recipe](HostInput s, HostOutput o, auto const& how) { recipe(s, o, how); };
  };
  expect_each(call([](auto... a) { recipes::moving_average(a...); }), recipes::MovingAverage{.window = 5});
  expect_each(call([](auto... a) { recipes::gradient(a...); }), recipes::Gradient{.edge_order = 2});
  expect_each(call([](auto... a) { recipes::savitzky_golay(a...); }), recipes::SavitzkyGolay{.window = 7, .degree = 2});
  expect_each(call([](auto... a) { recipes::gaussian(a...); }), recipes::Gaussian{.sigma = 2});
}

TEST(Recipes, WhatIsNotANumberStaysInItsWindow) {
  auto x = noise(40, 8);
  x[20] = kNaN;
  const auto expect_between = [](std::vector<double> const& y, std::size_t first, std::size_t last) {
    for (std::size_t k = 0; k < y.size(); ++k) EXPECT_EQ(std::isnan(y[k]), k >= first && k <= last) << k;
  };
  expect_between(recipes::moving_average(x, {.window = 5}), 18, 22);
  expect_between(recipes::savitzky_golay(x, {.window = 7, .degree = 2}), 17, 23);
  expect_between(recipes::gaussian(x, {.sigma = 1}), 16, 24);
}

TEST(Fir, TheGroupDelayIsTakenOff) {
  // A slow wave passes a low-pass filter where it was.
  std::vector<double> x;
  for (int i = 0; i < 400; ++i) x.push_back(std::cos(2 * std::numbers::pi * i / 100.0));
  const auto y = recipes::fir(x, recipes::gaussian_taps(3));
  const double gain = std::exp(-0.5 * std::pow(2 * std::numbers::pi * 3 / 100, 2));  // the Gaussian's transform
  for (std::size_t i = 20; i < 380; ++i) EXPECT_NEAR(y[i], gain * x[i], 1e-4) << i;
}

TEST(Fir, OneTapAndTheDelayByHandAndEverySecondOutput) {
  const std::vector<double> x{1, 2, 3, 4, 5};
  EXPECT_EQ(recipes::fir(x, std::vector{1.0}), x);
  EXPECT_THAT(recipes::fir(x, std::vector{1., 10.}, {.delay = 0}), ElementsAre(1, 12, 23, 34, 45));
  EXPECT_THAT(recipes::fir(x, std::vector{1., 10.}, {.delay = 1, .step = 2}), ElementsAre(12, 34, 50));
  EXPECT_THAT(recipes::fir(x, std::vector{1., 10.}, {.delay = -1}), ElementsAre(0, 1, 12, 23, 34));
  EXPECT_THAT(recipes::fir(std::vector{1, 2, 3}, std::vector{1, 2, 1}), ElementsAre(4, 8, 8));  // integers stay
}

TEST(Fir, DelaysThatAreNoWholeNumberAreAskedFor) {
  const std::vector<double> x(20, 1.0);
  const auto refused = [&](auto const& taps) { EXPECT_THROW(recipes::fir(x, taps), InvalidArgument); };
  refused(std::vector{1., 1.});
  refused(std::vector{1., 2., 3.});
  refused(std::vector{1., kNaN, 1.});
  refused(std::vector<double>{});
  const auto taken = [&](auto const& taps) { EXPECT_EQ(recipes::fir(x, taps).size(), x.size()); };
  taken(std::vector{1., 0., -1.});
  taken(std::vector{1., 2., 1. + 1e-15});
  using Complex = std::complex<double>;
  taken(std::vector{Complex(1, 2), Complex(3, 0), Complex(1, -2)});
}

TEST(Recipes, BadWindowsAndNumbersAreRefused) {
  const std::vector<double> x(10);
  const auto refused = [](auto const& call) { EXPECT_THROW(call(), InvalidArgument); };
  for (const std::int64_t window : {std::int64_t{0}, std::int64_t{-3}, std::int64_t{4}, std::int64_t{11}, INT64_MIN}) {
    refused([&] { recipes::moving_average(x, {.window = window}); });
    refused([&] { recipes::savitzky_golay(x, {.window = window, .degree = 1}); });
  }
  EXPECT_THROW(recipes::box_taps(INT64_MAX), OutOfMemory);
  EXPECT_NO_THROW(recipes::moving_average(x, {.window = 11, .boundary = Boundary::wrap}));
  for (const double bad : {0.0, -1.0, kNaN, kInfinity}) {
    refused([&] { recipes::gaussian(x, {.sigma = bad}); });
    refused([&] { recipes::gaussian(x, {.sigma = 1, .truncate = bad}); });
  }
  for (const double bad : {0.0, kNaN, kInfinity}) {
    refused([&] { recipes::gradient(x, {.spacing = bad}); });
    refused([&] { recipes::savitzky_golay(x, {.window = 3, .degree = 1, .spacing = bad}); });
    refused([&] { recipes::central_difference_taps(bad); });
  }
  refused([&] { recipes::gaussian(x, {.sigma = 1e300}); });
  refused([&] { recipes::gaussian(x, {.sigma = 1, .order = -1}); });
  refused([&] { recipes::gaussian(x, {.sigma = 1, .order = 31}); });
  refused([&] { recipes::savitzky_golay(x, {.window = 5, .degree = 5}); });
  refused([&] { recipes::savitzky_golay(x, {.window = 5, .degree = -1}); });
  refused([&] { recipes::savitzky_golay(x, {.window = 5, .degree = 2, .derivative = -1}); });
  refused([&] { recipes::savgol_taps(5, 2, 0, 1, 5); });
  refused([&] { recipes::savgol_taps(5, 2, 0, 1, -1); });
  refused([&] { recipes::gradient(x, {.edge_order = 3}); });
  refused([&] { recipes::gradient(std::vector{1.0, 2.0}, {.edge_order = 2}); });
  refused([&] { recipes::gradient(std::vector<double>{}); });
  refused([&] { recipes::moving_average(std::vector<double>{}, {.window = 1}); });
  refused([&] { recipes::fir(x, std::vector{1.0}, {.step = 0}); });
}

TEST(Recipes, BadOutputsAreRefused) {
  const std::vector<double> x(10);
  const std::vector<std::complex<double>> z(10);
  std::vector<double> out(10), shorter(9);
  std::vector<float> narrow(10);
  std::vector<int> integers(10);
  const auto refused = [](HostInput signal, HostOutput to) {
    EXPECT_THROW(recipes::gradient(signal, to), InvalidArgument);
    EXPECT_THROW(recipes::moving_average(signal, to, {.window = 3}), InvalidArgument);
    EXPECT_THROW(recipes::savitzky_golay(signal, to, {.window = 3, .degree = 1}), InvalidArgument);
    EXPECT_THROW(recipes::gaussian(signal, to, {.sigma = 1}), InvalidArgument);
  };
  refused(x, shorter);
  refused(x, narrow);
  refused(x, integers);
  refused(z, out);
  refused(out, out);
  refused(HostView<const double>(nullptr, 10), out);
}

}  // namespace
}  // namespace gpuconv::test

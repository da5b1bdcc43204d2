// Convolution around missing samples, against sums of the samples that are there.
#include "unit/recipes.hpp"

#include <gpuconv/gpuconv.hpp>

#include <gmock/gmock.h>

#include <complex>

namespace gpuconv::test {
namespace {

using recipes::Gaps;
using recipes::Missing;
using testing::NanSensitiveDoubleNear;
using testing::Pointwise;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN(), kInfinity = std::numeric_limits<double>::infinity();

// The definition, for a boundary of zero, where there is nothing.
template <class T>
std::vector<long double> interpolated(std::vector<T> const& x, std::vector<T> const& taps, bool normalise = true) {
  const std::int64_t n = std::ssize(x), m = std::ssize(taps);
  long double all = 0;
  for (const T tap : taps) all += tap;
  std::vector<long double> out;
  for (std::int64_t k = 0; k < n; ++k) {
    long double sum = 0, weight = 0;
    for (std::int64_t j = 0; j < m; ++j) {
      const std::int64_t i = k + m / 2 - j;
      if (i < 0 || i >= n || std::isnan(x[static_cast<std::size_t>(i)])) continue;
      sum += static_cast<long double>(taps[static_cast<std::size_t>(j)]) * x[static_cast<std::size_t>(i)];
      weight += taps[static_cast<std::size_t>(j)];
    }
    out.push_back(weight == 0 ? std::numeric_limits<long double>::quiet_NaN() : sum / weight * (normalise ? 1 : all));
  }
  return out;
}

// Numbers about 5, each of which is missing with this probability, and all of a run.
template <class T>
std::vector<T> with_gaps(std::int64_t n, double probability, std::int64_t run) {
  auto x = noise<T>(n, 1, 5);
  const auto chance = noise(n, 2);
  for (std::size_t i = 0; i < x.size(); ++i)
    if (0.5 * std::erfc(chance[i] / std::sqrt(2.0)) < probability) x[i] = static_cast<T>(kNaN);
  std::fill_n(x.begin() + n / 2, std::min(run, n - n / 2), static_cast<T>(kNaN));
  return x;
}

template <class T>
class GapsOfType : public testing::Test {};
using Floating = testing::Types<float, double>;
TYPED_TEST_SUITE(GapsOfType, Floating);

TYPED_TEST(GapsOfType, InterpolatedOutputsAreMeansOfWhatIsThere) {
  using T = TypeParam;
  const auto gaussian = recipes::gaussian_taps(8);
  for (auto const& taps : {std::vector<T>{1}, std::vector<T>{1, 2, 1}, std::vector<T>(gaussian.begin(), gaussian.end()),
                           std::vector<T>(501, T{1})})
    for (const std::int64_t n : {1, 3, 100, 8192, 17000})
      for (const double probability : {0.0, 1e-4, 0.3, 0.98}) {
        const auto x = with_gaps<T>(n, probability, probability == 0 ? 0 : 200);
        for (const bool normalise : {true, false})
          ASSERT_TRUE(
              is_near(recipes::convolve_gaps(x, taps, {.normalise = normalise}), interpolated(x, taps, normalise), 300))
              << taps.size() << " taps, " << n << " samples, " << probability;
      }
}

// Where nothing is missing it is a convolution.
TYPED_TEST(GapsOfType, WithoutGapsItIsAConvolution) {
  using T = TypeParam;
  const auto x = noise<T>(50000, 3);
  const std::vector<T> taps{1, 2, 4, 2, -1};
  for (const Boundary boundary : {Boundary::zero, Boundary::nearest, Boundary::wrap, Boundary::mirror}) {
    const auto want = convolve(x, taps, CallOptions{.mode = Same::scipy, .boundary = boundary});
    const Gaps how{.missing = Missing::fill, .normalise = false, .boundary = boundary};
    EXPECT_TRUE(is_near(recipes::convolve_gaps(x, taps, how), want, 8)) << name(boundary);
    auto halved = want;
    for (T& v : halved) v /= 8;
    const auto normalised = recipes::convolve_gaps(x, taps, {.missing = Missing::fill, .boundary = boundary});
    EXPECT_TRUE(is_near(normalised, halved, 8)) << name(boundary);
  }
}

TEST(Gaps, SmallCasesByHand) {
  const std::vector<double> x{1, kNaN, 3, 4}, box{1, 1, 1};
  const auto expect = [&](Gaps const& how, std::vector<double> const& want) {
    EXPECT_THAT(recipes::convolve_gaps(x, box, how), Pointwise(NanSensitiveDoubleNear(1e-14), want));
  };
  expect({}, {1, 2, 3.5, 3.5});
  expect({.normalise = false}, {3, 6, 10.5, 10.5});
  expect({.missing = Missing::fill, .fill = 2, .normalise = false}, {3, 6, 9, 7});
  expect({.keep = true}, {1, kNaN, 3.5, 3.5});
  expect({.boundary = Boundary::wrap}, {2.5, 2, 3.5, 8 / 3.0});
  expect({.boundary = Boundary::constant, .constant = 7}, {4, 2, 3.5, 14 / 3.0});
  const std::vector<std::int16_t> integers{1, 100, 3, 4};
  const std::vector<std::uint8_t> mask{0, 9, 0, 0};
  EXPECT_THAT(recipes::convolve_gaps(integers, std::vector{1, 2, 1}, {.mask = mask}),
              Pointwise(testing::FloatNear(1e-6f), {1.f, 2.f, 10 / 3.f, 11 / 3.f}));
}

TEST(Gaps, OnlyWindowsWithoutSamplesAreNaNAndInfinitiesAreThere) {
  std::vector<double> x(200, 1.0);
  std::fill_n(x.begin() + 50, 40, kNaN);
  x[150] = kInfinity;
  const auto y = recipes::convolve_gaps(x, recipes::gaussian_taps(3));  // 12 samples on either side
  for (std::size_t k = 0; k < y.size(); ++k) {
    ASSERT_EQ(std::isnan(y[k]), k >= 62 && k < 78) << k;
    ASSERT_EQ(std::isinf(y[k]), k >= 138 && k <= 162) << k;
    if (std::isfinite(y[k])) {
      ASSERT_NEAR(y[k], 1, 1e-14) << k;
    }
  }
}

TEST(Gaps, RowsAtStridesEachWithItsMask) {
  constexpr std::int64_t rows = 3, n = 60;
  const auto x = noise(rows * n, 4);
  std::vector<std::uint8_t> mask(x.size());
  for (std::size_t i = 0; i < mask.size(); i += 5) mask[i] = 1;
  std::vector<double> out(x.size());
  const Rows columns{.rows = rows, .columns = n, .stride = 1, .element_stride = rows};
  const std::vector<double> taps{1, 3, 1};
  recipes::convolve_gaps(HostView(x.data(), columns), taps, HostView(out.data(), columns),
                         {.mask = HostView(mask.data(), columns)});
  for (std::size_t row = 0; row < rows; ++row) {
    std::vector<double> one, got;
    for (std::size_t i = row; i < x.size(); i += rows) one.push_back(mask[i] ? kNaN : x[i]), got.push_back(out[i]);
    EXPECT_TRUE(is_near(got, interpolated(one, taps), 20)) << row;
  }
}

TEST(Gaps, BitsDoNotDependOnThreadsOrTheBatch) {
  const auto x = with_gaps<float>(200000, 0.001, 9000);
  const auto taps = noise<float>(65, 5, 3);
  const auto one = recipes::convolve_gaps(x, taps, {.options = {.threads = 1}});
  std::vector<float> twice(2 * x.size());
  recipes::convolve_gaps(HostView(x.data(), {.rows = 2, .columns = std::ssize(x), .stride = 0}), taps,
                         HostView(twice.data(), {.rows = 2, .columns = std::ssize(x)}), {.options = {.threads = 4}});
  for (std::size_t i = 0; i < twice.size(); ++i) {
    const float want = one[i % one.size()];
    ASSERT_TRUE(twice[i] == want || (std::isnan(twice[i]) && std::isnan(want))) << i;
  }
}

TEST(Gaps, WhatHasNoAnswerIsRefused) {
  const std::vector<double> x(10), taps{1, 2, 1};
  std::vector<double> out(10), wrong(9);
  std::vector<float> narrow(10);
  const std::vector<std::complex<double>> z(10);
  const std::vector<std::uint8_t> mask(9);
  const auto refused = [](auto const& call) { EXPECT_THROW(call(), InvalidArgument); };
  for (auto const& bad : {std::vector<double>{}, std::vector{1.0, 1.0}, std::vector{1.0, 0.0, -1.0},
                          std::vector{1.0, kNaN, 1.0}, std::vector{1.0, kInfinity, 1.0}, std::vector{0.0}})
    refused([&] { recipes::convolve_gaps(x, bad); });
  refused([&] { recipes::convolve_gaps(std::vector<double>{}, taps); });
  refused([&] { recipes::convolve_gaps(x, taps, {.mask = mask}); });
  refused([&] { recipes::convolve_gaps(x, taps, {.mask = x}); });
  refused([&] { recipes::convolve_gaps(x, taps, {.options = {.threads = -1}}); });
  refused([&] { recipes::convolve_gaps(x, taps, wrong); });
  refused([&] { recipes::convolve_gaps(x, taps, narrow); });
  refused([&] { recipes::convolve_gaps(z, taps, out); });
  refused([&] { recipes::convolve_gaps(out, taps, out); });
  refused([&] { recipes::convolve_gaps(HostView<const double>(nullptr, 10), taps, out); });
  // A filter whose sum is not divided by may have none.
  EXPECT_NO_THROW(
      recipes::convolve_gaps(x, std::vector{1.0, 0.0, -1.0}, {.missing = Missing::fill, .normalise = false}));
}

}  // namespace
}  // namespace gpuconv::test

// Patterns in signals: matched filters, and correlation coefficients that large numbers beside a window do not touch.
#include "recipes/moments.hpp"
#include "unit/recipes.hpp"

#include <gpuconv/gpuconv.hpp>

#include <gmock/gmock.h>

#include <complex>

namespace gpuconv::test {
namespace {

using testing::ElementsAre;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN(), kInfinity = std::numeric_limits<double>::infinity();

// The definition, in two passes and long double.
template <class T, class U>
std::vector<long double> coefficients(std::vector<T> const& x, std::vector<U> const& pattern) {
  const std::size_t m = pattern.size();
  const auto about_mean = [m](auto const* v) {
    std::vector<long double> out(v, v + m);
    long double sum = 0;
    for (const long double number : out) sum += number;
    for (long double& number : out) number -= sum / static_cast<long double>(m);
    return out;
  };
  const auto dot = [](std::vector<long double> const& a, std::vector<long double> const& b) {
    long double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
  };
  const auto p = about_mean(pattern.data());
  std::vector<long double> out;
  for (std::size_t k = 0; k + m <= x.size(); ++k) {
    const auto w = about_mean(x.data() + k);
    out.push_back(dot(w, w) > 0 ? dot(w, p) / std::sqrt(dot(w, w) * dot(p, p)) : 0);
  }
  return out;
}

template <class T>
void expect_scores(std::vector<T> const& x, std::vector<T> const& pattern, double room) {
  const auto got = recipes::match(x, pattern);
  const auto want = coefficients(x, pattern);
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t k = 0; k < got.size(); ++k) {
    ASSERT_NEAR(got[k], static_cast<double>(want[k]), room) << k;
    ASSERT_LE(std::abs(got[k]), 1) << k;
  }
}

TEST(Match, ScoresAreCorrelationCoefficients) {
  for (const auto& [n, m] :
       std::vector<std::pair<int, int>>{{2, 2}, {3, 2}, {50, 7}, {50, 50}, {9000, 33}, {20000, 300}})
    expect_scores(noise(n, 1), noise(m, 2), 1e-12);
  expect_scores(noise<float>(9000, 1), noise<float>(33, 2), 1e-7);
}

TEST(Match, ALargeOffsetAndALargeScaleCostNothing) {
  expect_scores(noise<float>(9000, 3, 1e6, 1), noise<float>(40, 4, -1e6, 1), 2e-7);
  expect_scores(noise(9000, 3, 1e9, 1e-3), noise(40, 4), 1e-9);
  for (const double size : {1e-300, 1e-160, 1e160, 1e300})
    expect_scores(noise(9000, 3, 0, size), noise(40, 4, 0, size), 1e-12);
}

TEST(Match, ADriftAndASpikeCostNothingElsewhere) {
  auto drifting = noise(20000, 5, 0, 1e-3);
  for (std::size_t i = 0; i < drifting.size(); ++i) drifting[i] += 1e3 * static_cast<double>(i);
  expect_scores(drifting, noise(30, 6), 1e-7);
  auto spiked = noise(20000, 7);
  std::fill(spiked.begin() + 9100, spiked.begin() + 9200, 0.1);
  for (const double size : {1e9, 1e15, 1e200}) {
    spiked[9000] = size;
    expect_scores(spiked, noise(30, 8), 1e-7);
  }
}

TEST(Match, AWindowThatIsThePatternScoresOneWhateverItsOffsetAndScale) {
  const auto pattern = noise<float>(25, 9);
  auto x = noise<float>(500, 10);
  for (std::size_t j = 0; j < pattern.size(); ++j) {
    x[100 + j] = 3 + 0.5f * pattern[j];
    x[300 + j] = 1000 - 8 * pattern[j];
  }
  const auto scores = recipes::match(x, pattern);
  EXPECT_NEAR(scores[100], 1, 1e-6);
  EXPECT_NEAR(scores[300], -1, 1e-6);
  EXPECT_EQ(recipes::match(pattern, pattern).at(0), 1);
}

TEST(Match, FlatWindowsScoreZeroAndWhatIsNotFiniteStaysInItsWindows) {
  auto x = noise(300, 11);
  std::fill(x.begin() + 50, x.begin() + 80, 0.1);
  x[150] = kNaN;
  x[200] = kInfinity;
  const auto pattern = noise(10, 12);
  const auto scores = recipes::match(x, pattern);
  for (std::size_t k = 0; k < scores.size(); ++k) {
    const bool bad = (k > 140 && k <= 150) || (k > 190 && k <= 200), flat = k >= 50 && k <= 70;
    ASSERT_EQ(std::isnan(scores[k]), bad) << k;
    ASSERT_EQ(scores[k] == 0, flat) << k;
  }
  for (const double level : {0.0, 0.1, -1e300}) {
    const std::vector<double> flat(100, level);
    EXPECT_THAT(recipes::match(flat, pattern), testing::Each(0)) << level;
  }
}

TEST(Match, RowsAndStridesAndIntegers) {
  const auto numbers = noise(400, 13, 0, 50);
  const std::vector<std::int16_t> x(numbers.begin(), numbers.end()), pattern{1, 5, -3, 0, 2};
  std::vector<float> out(4 * 96);
  const Rows columns{.rows = 4, .columns = 100, .stride = 1, .element_stride = 4};
  recipes::match(HostView(x.data(), columns), pattern, HostView(out.data(), {.rows = 4, .columns = 96}));
  for (std::size_t row = 0; row < 4; ++row) {
    std::vector<double> one;
    for (std::size_t i = 0; i < 100; ++i) one.push_back(x[4 * i + row]);
    const auto want = coefficients(one, pattern);
    for (std::size_t k = 0; k < want.size(); ++k) ASSERT_NEAR(out[row * 96 + k], static_cast<double>(want[k]), 1e-7);
  }
}

TEST(Match, BitsDoNotDependOnThreadsOrTheBatch) {
  const auto x = noise(100000, 14), pattern = noise(64, 15);
  const auto one = recipes::match(x, pattern, {.threads = 1});
  EXPECT_EQ(one, recipes::match(x, pattern, {.threads = 4}));
  std::vector<double> twice(2 * one.size());
  recipes::match(HostView(x.data(), {.rows = 2, .columns = std::ssize(x), .stride = 0}), pattern,
                 HostView(twice.data(), {.rows = 2, .columns = std::ssize(one)}));
  EXPECT_TRUE(std::equal(one.begin(), one.end(), twice.begin() + std::ssize(one)));
}

TEST(Find, PlacesAreTheBestOnesApart) {
  const std::vector<double> pattern{0, 1, 3, 1, 0};
  std::vector<double> x(60);
  const auto add = [&](std::size_t at, double size) {
    for (std::size_t j = 0; j < pattern.size(); ++j) x[at + j] += size * pattern[j];
  };
  add(7, 2), add(30, 1), add(50, 1e-3);
  x[31] += 0.3;  // not quite
  const auto found = recipes::find(x, pattern);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].index, 7);
  EXPECT_NEAR(found[0].score, 1, 1e-12);
  EXPECT_EQ(found[1].index, 30);
  EXPECT_LT(found[1].score, 0.9999);
  EXPECT_EQ(found[2].index, 50);
  EXPECT_EQ(recipes::find(x, pattern, {.threshold = 0.9999}).size(), 2u);
  EXPECT_EQ(recipes::find(x, pattern, {.apart = 100}).size(), 1u);
  EXPECT_GT(recipes::find(x, pattern, {.threshold = -1, .apart = 1}).size(), 50u);
}

TEST(MatchedFilter, NoiseKeepsItsSizeAndThePatternGivesTheRootOfItsEnergy) {
  using Complex = std::complex<double>;
  std::vector<Complex> pulse;
  for (int i = 0; i < 40; ++i) pulse.push_back(std::polar(1 + 0.01 * i, 0.02 * i * i));
  double energy = 0;
  for (Complex const& v : pulse) energy += std::norm(v);
  std::vector<Complex> x(500);
  for (std::size_t i = 0; i < pulse.size(); ++i) x[123 + i] = Complex(0, 2) * pulse[i];
  const auto y = recipes::matched_filter(x, pulse);
  ASSERT_EQ(y.size(), 461u);
  EXPECT_NEAR(std::abs(y[123] - Complex(0, 2) * std::sqrt(energy)), 0, 1e-12);
  for (std::size_t k = 0; k < y.size(); ++k) EXPECT_LE(std::abs(y[k]), std::abs(y[123]));

  const auto white = recipes::matched_filter(noise<float>(100000, 16), noise<float>(50, 17));
  double squares = 0;
  for (const float v : white) squares += v * v;
  EXPECT_NEAR(squares / static_cast<double>(white.size()), 1, 0.02);
}

TEST(Search, WhatHasNoAnswerIsRefused) {
  const std::vector<double> x(10), pattern{1, 2, 3};
  std::vector<double> out(8), wrong(9);
  std::vector<int> integers(8);
  const std::vector<std::complex<double>> z(3, {1, 2});
  const auto refused = [](auto const& call) { EXPECT_THROW(call(), InvalidArgument); };
  for (auto const& bad : {std::vector<double>{}, std::vector<double>(11, 1.0), std::vector{5.0},
                          std::vector{2.0, 2.0, 2.0}, std::vector{1.0, kNaN}, std::vector{1.0, kInfinity}}) {
    refused([&] { recipes::match(x, bad); });
    refused([&] { recipes::find(x, bad); });
  }
  for (auto const& bad :
       {std::vector<double>{}, std::vector<double>(11, 1.0), std::vector<double>(3), std::vector{1.0, kNaN}})
    refused([&] { recipes::matched_filter(x, bad); });
  refused([&] { recipes::match(x, pattern, wrong); });
  refused([&] { recipes::match(x, pattern, integers); });
  refused([&] { recipes::match(x, z, out); });
  refused([&] { recipes::matched_filter(x, z, out); });
  refused([&] { recipes::match(out, std::vector{1., 2., 3.}, std::span(out).first(6)); });
  refused([&] { recipes::match(HostView<const double>(nullptr, 10), pattern, out); });
  refused([&] {
    recipes::match(HostView(x.data(), {.rows = 0, .columns = 10}), pattern,
                   HostView(out.data(), {.rows = 0, .columns = 8}));
  });
  refused([&] { recipes::find(x, pattern, {.threshold = kNaN}); });
  refused([&] { recipes::find(x, pattern, {.apart = 0}); });
}

TEST(Moments, OfEveryWindow) {
  for (const std::int64_t size : {1, 2, 3, 7, 64})
    for (const std::int64_t windows : {1, 2, 6, 7, 8, 63, 64, 65, 200}) {
      const auto x = noise(windows + size - 1, 18, 5);
      std::vector<recipes::Moments> got(static_cast<std::size_t>(windows));
      recipes::WindowMoments of_windows(size);
      of_windows(x.data(), windows, got.data());
      for (std::size_t k = 0; k < got.size(); ++k) {
        long double mean = 0, squares = 0;
        for (std::int64_t j = 0; j < size; ++j) mean += x[k + static_cast<std::size_t>(j)];
        mean /= static_cast<long double>(size);
        for (std::int64_t j = 0; j < size; ++j) squares += std::pow(x[k + static_cast<std::size_t>(j)] - mean, 2);
        ASSERT_NEAR(got[k].mean, static_cast<double>(mean), 1e-13) << size << ' ' << windows << ' ' << k;
        ASSERT_NEAR(got[k].squares, static_cast<double>(squares), 1e-11) << size << ' ' << windows << ' ' << k;
        ASSERT_GE(got[k].squares, 0);
      }
    }
}

}  // namespace
}  // namespace gpuconv::test

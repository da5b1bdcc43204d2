// Recipes of images, against formulas of their pixels.
#include "unit/recipes.hpp"

#include <gpuconv/gpuconv.hpp>

#include <gmock/gmock.h>

#include <complex>

namespace gpuconv::test {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

template <class T>
struct Picture {
  std::int64_t lines, columns;
  std::vector<T> pixels = std::vector<T>(static_cast<std::size_t>(lines * columns));

  T& at(std::int64_t l, std::int64_t k) { return pixels[static_cast<std::size_t>(l * columns + k)]; }
  HostView<T> view() { return {pixels.data(), Images{.lines = lines, .columns = columns}}; }
};

template <class T>
class RecipesOfImages : public testing::Test {};
using Floating = testing::Types<float, double>;
TYPED_TEST_SUITE(RecipesOfImages, Floating);

TYPED_TEST(RecipesOfImages, SlopesAndCurvatureOfAParaboloid) {
  using T = TypeParam;
  Picture<T> x{9, 11}, out{9, 11};
  for (int l = 0; l < 9; ++l)
    for (int k = 0; k < 11; ++k) x.at(l, k) = static_cast<T>(l * l + 3 * k * k);
  const auto inside = [&](auto const& want) {
    for (int l = 1; l < 8; ++l)
      for (int k = 1; k < 10; ++k) ASSERT_NEAR(out.at(l, k), want(l, k), 1e-4) << l << ' ' << k;
  };
  recipes::sobel(x.view(), out.view(), {.axis = 0});
  inside([](int l, int) { return 8 * 2 * l; });
  recipes::sobel(x.view(), out.view(), {.axis = 1});
  inside([](int, int k) { return 8 * 6 * k; });
  recipes::sobel(x.view(), out.view());
  inside([](int l, int k) { return 16 * std::hypot(l, 3 * k); });
  recipes::laplacian(x.view(), out.view());
  inside([](int, int) { return 2 + 6; });
}

TYPED_TEST(RecipesOfImages, ABlurIsAProductOfTwo) {
  using T = TypeParam;
  Picture<T> x{41, 37}, out{41, 37};
  x.at(20, 18) = 1;
  const std::vector<double> taps = recipes::gaussian_taps(2);
  recipes::gaussian_blur(x.view(), out.view(), {.sigma = 2});
  for (int l = -8; l <= 8; ++l)
    for (int k = -8; k <= 8; ++k)
      ASSERT_NEAR(out.at(20 + l, 18 + k), taps[static_cast<std::size_t>(8 + l)] * taps[static_cast<std::size_t>(8 + k)],
                  1e-7);
  recipes::unsharp_mask(x.view(), out.view(), {.sigma = 2, .amount = 3});
  ASSERT_NEAR(out.at(20, 18), 1 + 3 * (1 - taps[8] * taps[8]), 1e-6);
  ASSERT_NEAR(out.at(20, 19), -3 * taps[8] * taps[9], 1e-6);
}

// A crop of one channel of interleaved photographs, into every second line.
TEST(ImageRecipes, CropsChannelsAndBatchesAreImagesByThemselves) {
  const auto numbers = noise(2 * 12 * 30, 1, 100, 40);
  std::vector<std::uint8_t> photos;
  for (const double v : numbers) photos.push_back(static_cast<std::uint8_t>(std::clamp(v, 0.0, 255.0)));
  const HostView crop(
      photos.data() + 31,
      Images{.images = 2, .lines = 8, .columns = 7, .stride = 360, .line_stride = 30, .element_stride = 3});
  std::vector<float> out(2 * 16 * 7);
  const HostView spread(out.data(), Images{.images = 2, .lines = 8, .columns = 7, .stride = 112, .line_stride = 14});
  const auto expect_each = [&](auto const& recipe) {
    recipe(crop, spread);
    for (std::int64_t i = 0; i < 2; ++i) {
      Picture<std::uint8_t> one{8, 7};
      Picture<float> want{8, 7};
      for (std::int64_t l = 0; l < 8; ++l)
        for (std::int64_t k = 0; k < 7; ++k)
          one.at(l, k) = photos[static_cast<std::size_t>(31 + i * 360 + l * 30 + k * 3)];
      recipe(one.view(), want.view());
      for (std::int64_t l = 0; l < 8; ++l)
        for (std::int64_t k = 0; k < 7; ++k)
          ASSERT_NEAR(out[static_cast<std::size_t>(i * 112 + l * 14 + k)], want.at(l, k), 1e-3)
              << i << ' ' << l << ' ' << k;
    }
  };
  expect_each([](HostInput in, HostOutput to) { recipes::sobel(in, to); });
  expect_each([](HostInput in, HostOutput to) { recipes::laplacian(in, to, {.boundary = Boundary::wrap}); });
  expect_each([](HostInput in, HostOutput to) { recipes::gaussian_blur(in, to, {.sigma = 1.5}); });
  expect_each([](HostInput in, HostOutput to) { recipes::unsharp_mask(in, to); });
}

// By the definition, in long double.
double coefficient(Picture<double>& x, Picture<double>& t, std::int64_t l, std::int64_t k) {
  long double mx = 0, mt = 0, xx = 0, tt = 0, xt = 0;
  const auto each = [&](auto const& f) {
    for (std::int64_t i = 0; i < t.lines; ++i)
      for (std::int64_t j = 0; j < t.columns; ++j)
        f(static_cast<long double>(x.at(l + i, k + j)), static_cast<long double>(t.at(i, j)));
  };
  const auto count = static_cast<long double>(t.lines * t.columns);
  each([&](long double a, long double b) { mx += a / count, mt += b / count; });
  each([&](long double a, long double b) {
    xx += (a - mx) * (a - mx), tt += (b - mt) * (b - mt), xt += (a - mx) * (b - mt);
  });
  return xx == 0 ? 0 : static_cast<double>(xt / std::sqrt(xx * tt));
}

TEST(ImageRecipes, TemplatesScoreAsTheDefinitionSaysWithOffsetsAndSpikesBesideThem) {
  for (const auto& [tl, tc] : std::vector<std::pair<int, int>>{{1, 2}, {2, 1}, {5, 4}, {30, 9}}) {
    Picture<double> x{110, 40}, t{tl, tc}, out{110 - tl + 1, 40 - tc + 1};
    x.pixels = noise(110 * 40, 2, 1e6);
    t.pixels = noise(tl * tc, 3);
    x.at(55, 20) = 1e15;
    recipes::match_template(x.view(), t.view(), out.view());
    for (std::int64_t l = 0; l < out.lines; ++l)
      for (std::int64_t k = 0; k < out.columns; ++k) {
        ASSERT_NEAR(out.at(l, k), coefficient(x, t, l, k), 1e-7) << tl << ' ' << tc << ' ' << l << ' ' << k;
        ASSERT_LE(std::abs(out.at(l, k)), 1);
      }
  }
}

TEST(ImageRecipes, ATemplateIsFoundWhereItIsFlatWindowsScoreZeroAndNaNStays) {
  Picture<float> x{60, 50}, t{6, 7}, out{55, 44};
  x.pixels = noise<float>(60 * 50, 4);
  t.pixels = noise<float>(6 * 7, 5);
  for (std::int64_t i = 0; i < 6; ++i)
    for (std::int64_t j = 0; j < 7; ++j) x.at(33 + i, 11 + j) = 1000 - 20 * t.at(i, j);
  for (std::int64_t i = 0; i < 10; ++i)
    for (std::int64_t j = 0; j < 10; ++j) x.at(5 + i, 30 + j) = 0.3f;
  x.at(50, 40) = static_cast<float>(kNaN);
  recipes::match_template(x.view(), t.view(), out.view());
  EXPECT_NEAR(out.at(33, 11), -1, 1e-6);
  for (std::int64_t l = 0; l < out.lines; ++l)
    for (std::int64_t k = 0; k < out.columns; ++k) {
      const bool flat = l >= 5 && l <= 9 && k >= 30 && k <= 33;
      ASSERT_EQ(out.at(l, k) == 0, flat) << l << ' ' << k;
      ASSERT_EQ(std::isnan(out.at(l, k)), l > 44 && l <= 50 && k > 33 && k <= 40) << l << ' ' << k;
    }
}

TEST(ImageRecipes, WhatHasNoAnswerIsRefused) {
  Picture<double> x{8, 9}, out{8, 9}, small{7, 9}, t{3, 3}, scores{6, 7}, wide{3, 10}, flat{3, 3};
  Picture<std::complex<double>> z{8, 9};
  Picture<float> narrow{8, 9};
  t.pixels = noise(9, 6);
  const auto refused = [](auto const& call) { EXPECT_THROW(call(), InvalidArgument); };
  for (const double bad : {0.0, -1.0, kNaN}) {
    refused([&] { recipes::gaussian_blur(x.view(), out.view(), {.sigma = bad}); });
    refused([&] { recipes::unsharp_mask(x.view(), out.view(), {.sigma = bad}); });
  }
  refused([&] { recipes::unsharp_mask(x.view(), out.view(), {.amount = kNaN}); });
  refused([&] { recipes::sobel(x.view(), out.view(), {.axis = 2}); });
  refused([&] { recipes::sobel(z.view(), z.view()); });
  refused([&] { recipes::unsharp_mask(z.view(), z.view()); });
  const auto both = [&](HostInput in, HostOutput to) {
    refused([&] { recipes::sobel(in, to); });
    refused([&] { recipes::laplacian(in, to); });
    refused([&] { recipes::gaussian_blur(in, to, {.sigma = 1}); });
    refused([&] { recipes::unsharp_mask(in, to); });
  };
  both(x.view(), small.view());
  both(x.view(), narrow.view());
  both(out.view(), out.view());
  both(HostView<const double>(nullptr, Images{.lines = 8, .columns = 9}), out.view());
  refused([&] { recipes::match_template(x.view(), wide.view(), scores.view()); });
  refused([&] { recipes::match_template(x.view(), flat.view(), scores.view()); });
  refused([&] { recipes::match_template(x.view(), t.view(), out.view()); });
  refused([&] { recipes::match_template(z.view(), t.view(), scores.view()); });
  refused([&] { recipes::match(x.pixels, t.view(), scores.view()); });
}

}  // namespace
}  // namespace gpuconv::test

// Saturated results, by every solver: the nearest value of an integer type, whatever the operands.
#include "support/pictures.hpp"
#include "support/solvers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace gpuconv::test {
namespace {

template <class R, class X, class H>
std::vector<R> saturated(std::vector<X> const& x, std::vector<H> const& h, CallOptions how) {
  how.saturate = true;
  return convolve<R>(x, h, how);
}

class Saturated : public SolverTest {
 protected:
  bool serves(Type signal, Type filter, Type result) const {
    return takes(
        {.signal = 9, .filter = 1, .type = signal, .filter_type = filter, .result_type = result, .saturate = true});
  }
};

TEST_P(Saturated, SumsOfFloatsAreRoundedToTheNearestPixel) {
  if (!serves(Type::float32, Type::float32, Type::uint8)) return;
  if (solver()->method == Method::overlap_save || solver()->method == Method::fft) return;  // ties may go either way
  using Bytes = std::vector<std::uint8_t>;
  const std::vector<float> x{0.5F, 1.5F, 2.5F, -3, 254.5F, 254.6F, 255.5F, 1e30F, -1e30F}, one{1};
  EXPECT_EQ(saturated<std::uint8_t>(x, one, call()), (Bytes{0, 2, 2, 0, 254, 255, 255, 255, 0}));
  EXPECT_EQ(saturated<std::int8_t>(x, one, call()), (std::vector<std::int8_t>{0, 2, 2, -3, 127, 127, 127, 127, -128}));
  const std::vector<float> strange{NAN, INFINITY, -INFINITY, 7};
  EXPECT_EQ(saturated<std::uint8_t>(strange, one, call()), (Bytes{0, 255, 0, 7}));
  EXPECT_EQ(saturated<std::int32_t>(strange, one, call()), (std::vector<std::int32_t>{0, INT32_MAX, INT32_MIN, 7}));
  EXPECT_EQ(saturated<std::uint8_t>(Bytes{1, 3, 5, 255}, std::vector<double>{0.5}, call()), (Bytes{0, 2, 2, 128}));
}

TEST_P(Saturated, SumsOfIntegersAreTheNearestValue) {
  if (!serves(Type::int16, Type::int16, Type::int8)) return;
  const std::vector<std::int16_t> x{100, -100, 30000, -30000}, h{2};
  EXPECT_EQ(saturated<std::int8_t>(x, h, call()), (std::vector<std::int8_t>{127, -128, 127, -128}));
  EXPECT_EQ(saturated<std::uint8_t>(x, h, call()), (std::vector<std::uint8_t>{200, 0, 255, 0}));
  EXPECT_EQ(saturated<std::int16_t>(x, h, call()), (std::vector<std::int16_t>{200, -200, INT16_MAX, INT16_MIN}));
  EXPECT_EQ(saturated<std::uint64_t>(x, h, call()), (std::vector<std::uint64_t>{200, 0, 60000, 0}));
  const std::vector<std::uint64_t> large{UINT64_MAX, 1};
  EXPECT_EQ(saturated<std::int64_t>(large, std::vector<std::uint64_t>{1}, call()),
            (std::vector<std::int64_t>{INT64_MAX, 1}));
}

// The same as a plan's in float64, which is rounded here.
template <class T>
void expect_rounded(Scene const& got, Scene const& exact) {
  got.out.each([&](int64_t b, int64_t l, int64_t c) {
    const double sum = exact.out.get<double>(b, l, c, 0);
    if (std::abs(std::abs(sum - std::floor(sum)) - 0.5) < 1e-3) return;  // either neighbour, for a transform
    const double want = std::clamp(std::nearbyint(sum), static_cast<double>(std::numeric_limits<T>::min()),
                                   static_cast<double>(std::numeric_limits<T>::max()));
    ASSERT_EQ(got.out.get<double>(b, l, c, 0), want) << sum << " in " << to_string(got.problem);
  });
}

TEST_P(Saturated, ImagesAndRowsInAnyPlace) {
  Rng rng = test_rng();
  int turn = 0;
  for (const Type type : {Type::uint8, Type::int16, Type::float32, Type::uint16})
    for (const Type result : {Type::uint8, Type::int8, Type::uint16, Type::int16})
      for (auto const& [lines, filter_lines, step] :
           {std::array<int64_t, 3>{1, 1, 1}, {1, 1, 3}, {12, 3, 1}, {12, 1, 2}, {9, 4, 2}, {40, 5, 1}}) {
        Problem p{.signal = 60,
                  .filter = 5,
                  .batch = 2,
                  .type = type,
                  .filter_type = Type::float32,
                  .result_type = result,
                  .saturate = true,
                  .lines = {.signal = lines, .filter = filter_lines}};
        if (step > 1) p.window = {0, 20, step};
        const auto placing = [&](int q) { return static_cast<Placing>((turn + q) % placings); };
        ++turn;
        if (!takes(p)) continue;
        Scene s(p, rng, {placing(0), placing(1), placing(turn)});
        s.filter.each([&](int64_t b, int64_t l, int64_t c) {
          s.filter.set(b, l, c, 0, static_cast<double>(pick(rng, -999, 999)) / 64);
        });
        s.run(options(turn % 3 + 1));
        EXPECT_TRUE(s.out.rest_is_untouched());
        Problem wide = p;
        wide.saturate = false, wide.result_type = Type::float64;
        Scene exact(wide, rng);
        exact.signal.each(
            [&](int64_t b, int64_t l, int64_t c) { exact.signal.set(b, l, c, 0, s.signal.get<double>(b, l, c, 0)); });
        exact.filter.each(
            [&](int64_t b, int64_t l, int64_t c) { exact.filter.set(b, l, c, 0, s.filter.get<double>(b, l, c, 0)); });
        exact.run({.method = Method::reference, .device = Device::cpu});
        visit_type(result, [&]<class T>(std::type_identity<T>) {
          if constexpr (is_integer(type_of<T>)) expect_rounded<T>(s, exact);
        });
      }
}
GPUCONV_OVER_SOLVERS(Saturated);

TEST(Saturation, IsForIntegersOfRealNumbers) {
  Problem p{.signal = 9, .filter = 3, .saturate = true};
  EXPECT_THROW(Plan{p}, InvalidArgument);
  p.result_type = Type::uint8;
  EXPECT_NO_THROW(Plan{p});
  EXPECT_THAT(to_string(p), testing::HasSubstr("saturated uint8"));
  p.saturate = false;
  EXPECT_THROW(Plan{p}, InvalidArgument) << "a narrower result has to be asked for";
  p.saturate = true, p.type = Type::complex64;
  EXPECT_THROW(Plan{p}, InvalidArgument);
}

TEST(Saturation, WrapsWhereSumsOf64BitsDo) {
  const auto of = [](auto tap, Type type, bool saturate) {
    Plan plan({.signal = 9, .filter = 1, .type = type, .result_type = Type::uint8, .saturate = saturate});
    plan.set_filter(std::vector{tap});
    return plan.wrapping();
  };
  EXPECT_EQ(of(std::uint8_t{2}, Type::uint8, false), Wrapping::possible);
  EXPECT_EQ(of(std::uint8_t{2}, Type::uint8, true), Wrapping::never);
  EXPECT_EQ(of(std::uint64_t{2}, Type::uint64, true), Wrapping::possible);
}

}  // namespace
}  // namespace gpuconv::test

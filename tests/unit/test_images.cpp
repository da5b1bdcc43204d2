// Convolution of images by every solver, against sums of products by their definition.
#include "support/pictures.hpp"
#include "support/solvers.hpp"

#include <gpuconv/gpuconv.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

namespace gpuconv::test {
namespace {

class ImagesOf : public SolverTest {
 protected:
  testing::AssertionResult is_right(Scene const& s) const {
    return test::is_right(s, solver()->method == Method::overlap_save || solver()->method == Method::fft);
  }

  void expect_right(Problem const& p, Rng& rng, Placings const& how = {}, int threads = 1) const {
    if (!takes(p)) return;
    Scene s(p, rng, how);
    const std::string text = s.run(options(threads));
    EXPECT_TRUE(is_right(s)) << text;
  }
};

Problem images(int64_t lines, int64_t columns, int64_t filter_lines, int64_t taps, Mode mode = Mode::full) {
  return {.signal = columns, .filter = taps, .mode = mode, .lines = {.signal = lines, .filter = filter_lines}};
}

// To the only one.
void copy_image(Pictures const& from, int64_t image, Pictures& to) {
  to.each([&](int64_t, int64_t l, int64_t c) { to.set(0, l, c, 0, from.get<double>(image, l, c, 0)); });
}

// ---- tests --------------------------------------------------------------------------------------------------------
TEST_P(ImagesOf, SizesAtEdgesInAllModes) {
  Rng rng = test_rng();
  constexpr std::array<int64_t, 4> kSizes[] = {{1, 1, 1, 1},   {1, 9, 1, 3},     {9, 1, 3, 1},    {1, 40, 3, 3},
                                               {40, 1, 3, 5},  {7, 11, 3, 3},    {5, 3, 4, 2},    {2, 3, 5, 7},
                                               {3, 20, 7, 2},  {13, 17, 1, 5},   {13, 17, 5, 1},  {31, 37, 6, 5},
                                               {4, 300, 3, 3}, {9, 260, 5, 70},  {20, 129, 2, 2}, {3, 2100, 3, 3},
                                               {64, 64, 9, 9}, {37, 41, 15, 15}, {23, 29, 30, 31}};
  for (auto const& [lines, columns, filter_lines, taps] : kSizes)
    for (const Mode mode : {Mode::full, Mode::same, Mode::valid}) {
      Problem p = images(lines, columns, filter_lines, taps, mode);
      const bool contained = (filter_lines <= lines && taps <= columns) || (filter_lines >= lines && taps >= columns);
      if (mode == Mode::valid && !contained) {
        EXPECT_THROW(Plan{p}, InvalidArgument);
        continue;
      }
      for (const Same same : {Same::numpy, Same::scipy, Same::matlab}) {
        p.same = same;
        expect_right(p, rng);
        if (mode != Mode::same) break;
      }
      p.operation = Operation::correlate;
      expect_right(p, rng);
    }
}

TEST_P(ImagesOf, BoundariesHoldAlongBothAxes) {
  Rng rng = test_rng();
  for (int b = 1; b < 6; ++b)
    for (auto const& [lines, columns, filter_lines, taps] :
         {std::array<int64_t, 4>{6, 150, 3, 5}, {3, 2, 9, 7}, {1, 30, 3, 4}, {30, 1, 4, 3}, {12, 17, 1, 4}}) {
      Problem p = images(lines, columns, filter_lines, taps, Mode::same);
      p.boundary = static_cast<Boundary>(b), p.constant = 3, p.same = Same::scipy;
      for (const Operation operation : {Operation::convolve, Operation::correlate}) {
        p.operation = operation;
        expect_right(p, rng);
      }
      p.window = {-7, columns + 13}, p.lines.window = {-4, lines + 9};
      expect_right(p, rng);
    }
}

TEST_P(ImagesOf, EveryPairOfTypes) {
  Rng rng = test_rng();
  for (int a = 0; a < type_count; ++a)
    for (int b = 0; b < type_count; ++b) {
      Problem p = images(5, 9, 3, 2, Mode::same);
      p.type = static_cast<Type>(a), p.filter_type = static_cast<Type>(b);
      expect_right(p, rng);
      p.operation = Operation::correlate;
      p.boundary = Boundary::mirror;
      expect_right(p, rng);
    }
}

// To values of which most are the largest and the smallest of the type, or close to those of 64 bits.
void fill_with_extremes(Pictures& pictures, Rng& rng) {
  const double largest = std::ldexp(1, std::min(62, 8 * static_cast<int>(size_of(pictures.type())) - 1));
  const bool sign = is_signed(pictures.type());
  pictures.each([&](int64_t image, int64_t l, int64_t c) {
    const double values[] = {largest - 1, sign ? -largest : 2 * (largest - 1), static_cast<double>(pick(rng, 0, 100))};
    pictures.set(image, l, c, 0, values[pick(rng, 0, 2)]);
  });
}

TEST_P(ImagesOf, EveryPairOfIntegersAtFullRange) {
  Rng rng = test_rng();
  for (int a = 0; a < type_count; ++a)
    for (int b = 0; b < type_count; ++b) {
      Problem p = images(9, 150, 4, 5, Mode::same);
      p.type = static_cast<Type>(a), p.filter_type = static_cast<Type>(b);
      if (!is_integer(p.type) || !is_integer(*p.filter_type) || !takes(p)) continue;
      Scene s(p, rng);
      fill_with_extremes(s.signal, rng), fill_with_extremes(s.filter, rng);
      const std::string text = s.run(options());
      EXPECT_TRUE(is_right(s)) << text;
    }
}

// 16-bit products of some lines are added up in 32 bits, of so many taps and lines at a time.
TEST_P(ImagesOf, IntegersAroundPiecesOfTaps) {
  Rng rng = test_rng();
  for (auto const& [filter_lines, taps] : {std::pair<int64_t, int64_t>{2, 127},
                                           {2, 128},
                                           {2, 129},
                                           {3, 300},
                                           {16, 16},
                                           {17, 16},
                                           {31, 3},
                                           {32, 3},
                                           {33, 3},
                                           {70, 2},
                                           {40, 9}}) {
    Problem p = images(filter_lines + 2, taps + 140, filter_lines, taps, Mode::valid);
    p.type = Type::int16;
    if (!takes(p)) continue;
    Scene s(p, rng);
    fill_with_extremes(s.signal, rng), fill_with_extremes(s.filter, rng);
    const std::string text = s.run(options());
    EXPECT_TRUE(is_right(s)) << text;
    s.filter.each(
        [&](int64_t f, int64_t l, int64_t c) { s.filter.set(f, l, c, 0, static_cast<double>(pick(rng, -90, 90))); });
    s.run(options());
    EXPECT_TRUE(is_right(s)) << text;
  }
}

TEST_P(ImagesOf, TapsOfAWideTypeWithValuesOfAnyWidth) {
  if (solver()->device != Device::cpu) return;
  Rng rng = test_rng();
  for (Type const signal : {Type::uint8, Type::int16, Type::int32})
    for (bool const product : {false, true}) {
      Problem p = images(20, 150, 7, 9, Mode::same);
      p.type = signal, p.filter_type = Type::int64;
      if (!takes(p)) continue;
      Scene s(p, rng);
      Plan plan(p, options());
      for (double const widest : {9.0, 32767.0, 32768.0, -32769.0, 2147483648.0, 1.0}) {
        s.filter.each([&](int64_t f, int64_t l, int64_t c) {
          s.filter.set(f, l, c, 0,
                       product ? static_cast<double>((l % 3 - 1) * (c + 1)) : static_cast<double>(pick(rng, -9, 9)));
        });
        if (!product) s.filter.set(0, 6, 8, 0, widest);
        plan.set_filter(s.filter.input());
        plan.execute(s.signal.input(), s.out.output());
        EXPECT_TRUE(is_right(s)) << to_string(p) << ", a tap of " << widest;
      }
    }
}

TEST_P(ImagesOf, BatchesAndBanksInAnyPlace) {
  Rng rng = test_rng();
  int turn = 0;
  for (const Filters filters : {Filters::shared, Filters::per_row, Filters::bank})
    for (auto const& [filter_lines, taps] : {std::pair<int64_t, int64_t>{3, 3}, {1, 4}, {5, 1}, {4, 6}})
      for (const Type type : {Type::float32, Type::uint8, Type::complex64, Type::float64})
        for (int64_t batch : {1, 3}) {
          Problem p = images(8, 140, filter_lines, taps, turn % 2 == 0 ? Mode::same : Mode::full);
          p.batch = batch, p.filters = filters, p.bank = 2, p.type = type;
          const auto placing = [&](int q) { return static_cast<Placing>((turn + q) % placings); };
          expect_right(p, rng, {placing(0), placing(turn / 4), placing(turn / 16 + 1)}, turn % 3 + 1);
          ++turn;
        }
}

TEST_P(ImagesOf, LinesThatNoSampleIsInAreZero) {
  Rng rng = test_rng();
  for (const Type type : {Type::float32, Type::uint64, Type::complex64}) {
    Problem p = images(7, 300, 2, 5);
    p.type = type, p.window = {-6, 320}, p.lines.window = {-4, 17};
    expect_right(p, rng);
  }
}

// The loop over lines has one turn, and that over images does not.
TEST_P(ImagesOf, OneLineOrColumnOfEachImage) {
  Rng rng = test_rng();
  Problem line{.signal = 40, .filter = 5, .batch = 3, .lines = {.signal = 6, .filter = 1, .window = Slice{2, 1}}};
  Problem column{.signal = 6, .filter = 1, .batch = 3, .window = Slice{2, 1}, .lines = {.signal = 40, .filter = 5}};
  for (Filters const filters : {Filters::shared, Filters::per_row}) {
    line.filters = column.filters = filters;
    expect_right(line, rng), expect_right(column, rng);
  }
}

TEST_P(ImagesOf, WindowsWithSteps) {
  Rng rng = test_rng();
  for (const Boundary boundary : {Boundary::zero, Boundary::reflect})
    for (auto const& [line_step, step] : {std::pair<int64_t, int64_t>{2, 1}, {1, 3}, {2, 2}, {4, 5}, {9, 1}}) {
      Problem p = images(19, 40, 3, 5);
      p.boundary = boundary;
      p.window = {2, 30 / step, step}, p.lines.window = {1, 18 / line_step, line_step};
      expect_right(p, rng);
      p.lines.window = {-3, 24 / line_step + 1, line_step};
      expect_right(p, rng);
      p.lines.filter = 1, p.lines.window = {1, 17 / line_step, line_step};
      expect_right(p, rng);
      p.lines.filter = 3, p.filter = 1;
      expect_right(p, rng);
    }
}

TEST_P(ImagesOf, NotFiniteValuesStayInTheirWindows) {
  Rng rng = test_rng();
  for (const float value : {NAN, INFINITY, -INFINITY})
    for (const bool tap : {false, true})
      for (const Boundary boundary : {Boundary::zero, Boundary::nearest})
        for (auto const& [filter_lines, taps] : {std::pair<int64_t, int64_t>{3, 3}, {5, 4}, {1, 3}, {4, 70}}) {
          Problem p = images(13, 260, filter_lines, taps, Mode::same);
          p.boundary = boundary, p.same = Same::scipy;
          if (!takes(p)) continue;
          Scene s(p, rng);
          if (tap) s.filter.set(0, pick(rng, 0, filter_lines - 1), pick(rng, 0, taps - 1), 0, value);
          else s.signal.set(0, pick(rng, 0, 12), pick(rng, 0, 259), 0, value);
          const std::string text = s.run(options());
          EXPECT_TRUE(is_right(s)) << text;
        }
}

TEST_P(ImagesOf, BitsDependOnTheImageAlone) {
  Rng rng = test_rng();
  for (auto const& [lines, columns, filter_lines, taps] :
       {std::array<int64_t, 4>{70, 700, 3, 3}, {70, 700, 7, 20}, {150, 90, 31, 25}, {40, 300, 5, 1}}) {
    Problem p = images(lines, columns, filter_lines, taps, Mode::same);
    p.batch = 3;
    if (!takes(p)) continue;
    Scene batch(p, rng, {dense, dense, crop});
    round_sums(batch, rng);
    const std::string text = batch.run(options(1));
    const std::vector<std::byte> all = batch.out.elements();
    Scene threads(batch);
    threads.run(options(3));
    EXPECT_EQ(threads.out.elements(), all) << "threads";
    p.batch = 1;
    Scene one(p, rng, {interleaved, turned, dense});
    copy_image(batch.filter, 0, one.filter), copy_image(batch.signal, 2, one.signal);
    one.run(options(2));
    const std::vector<std::byte> own = one.out.elements();
    EXPECT_TRUE(are_same_bits(std::span(all).last(own.size()), own, text));
  }
}

// Lines that follow each other may be summed together, lines that are apart are not: each has the same bits.
TEST_P(ImagesOf, DirectSumsOfALineDependOnNoOther) {
  if (solver()->method != Method::direct) GTEST_SKIP() << "blocks of several lines are transformed together";
  Rng rng = test_rng();
  for (const Type type : {Type::float32, Type::float64, Type::uint8, Type::float16})
    for (auto const& [lines, columns, filter_lines, taps] :
         {std::array<int64_t, 4>{23, 300, 3, 3}, {40, 150, 7, 7}, {30, 70, 2, 16}, {50, 90, 31, 5}, {9, 200, 5, 1}})
      for (const Boundary boundary : {Boundary::zero, Boundary::mirror})
        for (const Placing placing : {dense, interleaved}) {
          Problem p = images(lines, columns, filter_lines, taps, Mode::same);
          p.type = type, p.same = Same::scipy, p.boundary = boundary;
          if (type != Type::float64) p.filter_type = Type::float32;
          if (!takes(p)) continue;
          Scene all(p, rng, {placing, dense, dense});
          round_sums(all, rng);
          const std::string text = all.run(options());
          const std::vector<std::byte> bits = all.out.elements();
          const std::size_t line_bytes = bits.size() / static_cast<std::size_t>(lines);
          const std::int64_t first = line_slice(p).first;
          p.window = output_slice(p), p.mode = Mode::full;
          for (const std::int64_t begin : {0, 1}) {
            p.lines.window = {first + begin, (lines - begin + 1) / 2, 2};
            Scene some(p, rng, {dense, dense, dense});
            copy_image(all.filter, 0, some.filter), copy_image(all.signal, 0, some.signal);
            some.run(options());
            std::vector<std::byte> expected;
            for (std::int64_t l = begin; l < lines; l += 2)
              expected.insert(expected.end(), bits.begin() + l * static_cast<std::int64_t>(line_bytes),
                              bits.begin() + (l + 1) * static_cast<std::int64_t>(line_bytes));
            EXPECT_TRUE(are_same_bits(expected, some.out.elements(), text));
          }
        }
}

// Several in both directions, of which one has a sample that is not finite.
TEST_P(ImagesOf, BlocksSideBySide) {
  Rng rng = test_rng();
  Problem with_steps = images(190, 200, 8, 12);
  with_steps.batch = 2;
  with_steps.window = {5, 60, 3}, with_steps.lines.window = {-2, 96, 2};
  Problem with_bank = images(150, 110, 8, 12, Mode::same);
  with_bank.type = Type::complex64, with_bank.filters = Filters::bank, with_bank.bank = 2;
  with_bank.boundary = Boundary::reflect, with_bank.same = Same::scipy;
  Problem with_far_lines = images(6'000, 120, 8, 12);  // blocks between them have no outputs
  with_far_lines.lines.window = {3, 4, 1'900};
  for (Problem const& p : {with_steps, with_bank, with_far_lines}) {
    if (!takes(p)) continue;
    Scene s(p, rng);
    s.signal.set(p.batch - 1, 120, 90, 0, INFINITY);
    const std::string text = s.run(options());
    EXPECT_TRUE(is_right(s)) << text;
  }
}

TEST_P(ImagesOf, LongSumsOfManyLines) {
  Rng rng = test_rng();
  Problem p = images(40, 36, 40, 33, Mode::same);  // 1320 products: more than a piece
  expect_right(p, rng);
  p.type = Type::complex64;
  p.lines.filter = 20;
  expect_right(p, rng);
}

// ---- products of a column and a row -------------------------------------------------------------------------------
TEST_P(ImagesOf, FiltersThatAreProducts) {
  Rng rng = test_rng();
  int turn = 0;
  for (const Type type : {Type::float32, Type::float64, Type::int16, Type::uint8, Type::float16, Type::int64})
    for (auto const& [lines, columns, filter_lines, taps] :
         {std::array<int64_t, 4>{40, 150, 5, 5}, {13, 2, 9, 4}, {2, 300, 4, 7}, {130, 40, 31, 3}, {9, 9, 20, 20}})
      for (int b = 0; b < 6; b += 1 + turn % 3) {
        Problem p = images(lines, columns, filter_lines, taps, Mode::same);
        p.same = Same::scipy, p.boundary = static_cast<Boundary>(b), p.constant = 2, p.type = type;
        p.batch = 2, p.filters = Filters::per_row, p.lines.separable = turn % 2 == 0;
        if (b == 3) p.window = {3, columns, 1}, p.lines.window = {-2, lines / 2 + 1, 3};
        if (!takes(p)) continue;
        const auto placing = [&](int q) { return static_cast<Placing>((turn + q) % placings); };
        Scene s(p, rng, {placing(0), placing(1), placing(turn)});
        make_product(s, turn % 2, rng);
        const std::string text = s.run(options(turn % 3 + 1));
        EXPECT_TRUE(is_right(s)) << text;
        ++turn;
      }
}

TEST_P(ImagesOf, ProductsKeepNotFiniteValuesInTheirWindows) {
  Rng rng = test_rng();
  for (const float value : {NAN, INFINITY}) {
    Problem p = images(50, 90, 7, 5, Mode::same);
    if (!takes(p)) continue;
    Scene s(p, rng);
    make_product(s, 0, rng);
    s.signal.set(0, 20, 40, 0, value);
    const std::string text = s.run(options());
    EXPECT_TRUE(is_right(s)) << text;
  }
}

GPUCONV_OVER_SOLVERS(ImagesOf);

TEST(Separable, ProductsThatWereRoundedAre) {
  Rng rng = test_rng();
  for (const Type type : {Type::float32, Type::float64, Type::int32, Type::uint16}) {
    Scene s({.signal = 9, .filter = 7, .type = type, .lines = {.signal = 9, .filter = 5}}, rng, {dense, turned, dense});
    make_product(s, 0, rng);
    EXPECT_TRUE(is_separable(s.filter.input())) << name(type);
    const double tap = s.filter.get<double>(0, 3, 3, 0);
    s.filter.set(0, 3, 3, 0, is_integer(type) ? tap + 1 : tap * (1 + 1e-5));
    EXPECT_FALSE(is_separable(s.filter.input())) << name(type);
  }
}

TEST(Separable, WellKnownFilters) {
  const auto of = [](std::vector<int> const& taps) {
    return is_separable(HostView(taps.data(), Images{.lines = 3, .columns = 3}));
  };
  EXPECT_TRUE(of({-1, 0, 1, -2, 0, 2, -1, 0, 1})) << "Sobel";
  EXPECT_TRUE(of({6, 9, 6, 4, 6, 4, 2, 3, 2}));
  EXPECT_FALSE(of({0, 1, 0, 1, -4, 1, 0, 1, 0})) << "Laplace";
  EXPECT_FALSE(of({0, 0, 0, 0, 0, 0, 0, 0, 0}));
}

TEST(Separable, APlanSaysSo) {
  Problem p = images(500, 500, 21, 21, Mode::same);
  p.lines.separable = true;
  EXPECT_THAT(Plan(p, {.method = Method::direct, .device = Device::cpu}).describe(), testing::HasSubstr("two passes"));
}

TEST(Images, OneShotCallsTakeViews) {
  const std::vector<float> x{1, 2, 3, 4, 5, 6}, h{1, 10, 100, 1000};
  std::vector<float> full(12), same(6);
  const HostView image(x.data(), Images{.lines = 2, .columns = 3}), filter(h.data(), Images{.lines = 2, .columns = 2});
  convolve2d(image, filter, HostView(full.data(), Images{.lines = 3, .columns = 4}));
  EXPECT_THAT(full, testing::ElementsAre(1, 12, 23, 30, 104, 1245, 2356, 3060, 400, 4500, 5600, 6000));
  correlate2d(image, filter, HostView(same.data(), Images{.lines = 2, .columns = 3}), Same::matlab);
  EXPECT_THAT(same, testing::ElementsAre(5421, 6532, 603, 54, 65, 6));
}

TEST(Images, WrongShapesAreRefused) {
  std::vector<float> x(12), h(4), y(40);
  const HostView<const float> image(x.data(), Images{.lines = 3, .columns = 4});
  const HostView<const float> filter(h.data(), Images{.lines = 2, .columns = 2});
  const auto out = [&](int64_t lines, int64_t columns, int64_t line_stride) {
    return HostView(y.data(), Images{.lines = lines, .columns = columns, .line_stride = line_stride});
  };
  EXPECT_THROW(convolve2d(image, filter, out(3, 4, 4)), InvalidArgument);
  EXPECT_THROW(convolve2d(image, filter, out(4, 5, 4)), InvalidArgument) << "lines overlap";
  EXPECT_THROW(convolve2d(image, filter, out(4, 5, INT64_MAX)), InvalidArgument);
  EXPECT_NO_THROW(convolve2d(image, filter, out(4, 5, 8)));
  EXPECT_THROW(Plan({.signal = 4, .filter = 2, .lines = {.signal = 0}}), InvalidArgument);
  EXPECT_THROW(Plan({.signal = 4, .filter = 2, .lines = {.signal = 3, .filter = -1}}), InvalidArgument);
  EXPECT_THROW(Plan({.signal = int64_t{1} << 40, .filter = 2, .lines = {.signal = int64_t{1} << 40}}), InvalidArgument);
  EXPECT_THROW(Plan({.signal = 4, .filter = 2, .lines = {.window = Slice{0, 0}}}), InvalidArgument);
}

TEST(Images, OfOneLineAreRows) {
  const Problem p{.signal = 50, .filter = 3, .lines = {.signal = 1, .filter = 1}};
  EXPECT_EQ(to_string(p), "1 x 50 float32 * 3 float32 -> full 52 float32");
  EXPECT_EQ(
      to_string({.signal = 640, .filter = 5, .batch = 4, .mode = Mode::same, .lines = {.signal = 480, .filter = 3}}),
      "4 x 480 x 640 float32 * 3 x 5 float32 -> same 480 x 640 float32");
}

TEST(Images, WrappingLooksAtAllLines) {
  const auto of = [](std::vector<std::uint8_t> const& taps, Mode mode) {
    Plan plan({.signal = 20,
               .filter = 2,
               .mode = mode,
               .type = Type::uint8,
               .result_type = Type::uint8,
               .lines = {.signal = 10, .filter = 2}});
    plan.set_filter(HostView(taps.data(), Images{.lines = 2, .columns = 2}));
    return plan.wrapping();
  };
  EXPECT_EQ(of({1, 0, 0, 0}, Mode::same), Wrapping::never);
  EXPECT_EQ(of({1, 0, 0, 1}, Mode::same), Wrapping::possible);
}

}  // namespace
}  // namespace gpuconv::test

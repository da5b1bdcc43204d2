// Images in two passes on the GPU: strips of every kind, filters that are products beside others, and what plans make
// of it.
#include "cuda/two_passes.hpp"
#include "problem.hpp"
#include "runner.hpp"
#include "steps.hpp"
#include "support/pictures.hpp"
#include "support/solvers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <optional>

namespace gpuconv::test {
namespace {

using detail::PassesStrip;

constexpr std::int64_t kAll = std::int64_t{1} << 24;  // bytes between the passes: in one strip

// A plan in two passes, whether that is estimated to be faster or not, with so many bytes between them.
class Passes final : public detail::Runner {
 public:
  Passes(Problem const& p, std::int64_t budget) {
    problem = p, work = detail::check(p);
    executor_ = std::make_unique<detail::FilledExecutor>(
        detail::make_two_passes(detail::filled_steps(work), budget, detail::current_device(), nullptr), work.axis.step);
  }

  void set_filter(DeviceInput filter, Stream stream, DeviceBytes scratch) override {
    executor_->set_filter(filter_of(detail::access_of(filter)), work.filters(), {scratch.data, stream});
  }
  void execute(DeviceInput signal, DeviceOutput out, Stream stream, DeviceBytes scratch) override {
    executor_->run(signal_of(detail::access_of(signal)), out_of(detail::access_of(out)), detail::whole(work),
                   {scratch.data, stream});
  }
  std::size_t workspace_bytes() const override { return executor_->own_bytes(); }
  std::size_t scratch_bytes() const override { return executor_->scratch_bytes(); }

 private:
  std::unique_ptr<detail::Executor> executor_;
};

void run_in_two_passes(Scene& s, std::int64_t budget) {
  Passes passes(s.problem, budget);
  DeviceBuffer<std::uint8_t> scratch(static_cast<std::int64_t>(passes.scratch_bytes()));
  const DeviceBytes bytes{scratch.data(), passes.scratch_bytes()};
  const auto x = s.signal.upload(), h = s.filter.upload();
  auto y = s.out.upload();
  passes.set_filter(s.filter.input(h), Stream{}, bytes);
  passes.execute(s.signal.input(x), s.out.output(y), Stream{}, bytes);
  s.out.download(y);
}

void make_products(Scene& s, Rng& rng) {
  for (std::int64_t f = 0; f < s.filter.images(); ++f) make_product(s, f, rng);
}

// Products of whole numbers, which every type holds.
void make_whole_products(Scene& s) {
  s.filter.each([&](std::int64_t f, std::int64_t i, std::int64_t j) {
    s.filter.set(f, i, j, 0, static_cast<double>((1 + i % 3) * (1 + (j + f) % 4)));
  });
}

Problem images(std::int64_t lines, std::int64_t columns, std::int64_t filter_lines, std::int64_t taps,
               Type type = Type::float32) {
  return {.signal = columns,
          .filter = taps,
          .mode = Mode::same,
          .same = Same::scipy,
          .type = type,
          .lines = {.signal = lines, .filter = filter_lines, .separable = true}};
}

PassesStrip strip_of(Problem const& p, std::int64_t budget) {
  return detail::passes_strip(detail::filled_steps(detail::check(p)), budget);
}

class TwoPasses : public testing::Test {
 protected:
  void SetUp() override {
    if (const DeviceInfo cuda = detail::cuda_device_info(); !cuda.available) GTEST_SKIP() << cuda.detail;
  }

  // Right with little between the passes as well as with much, and of the same bits.
  void expect_right(Problem const& p, Rng& rng, std::int64_t budget, Placings const& how = {}) const {
    Scene one(p, rng, how);
    make_products(one, rng);
    Scene strips(one);
    run_in_two_passes(one, kAll);
    EXPECT_TRUE(is_right(one, false)) << to_string(p);
    run_in_two_passes(strips, budget);
    EXPECT_TRUE(strips.out.rest_is_untouched()) << to_string(p);
    EXPECT_EQ(strips.out.elements(), one.out.elements()) << to_string(p);
  }
};

TEST_F(TwoPasses, StripsAreOfImagesOfLinesOrOfOutputs) {
  Problem batch = images(20, 128, 5, 3);
  batch.batch = 7;
  const std::int64_t image = (20 + 4) * 128 * 4;
  EXPECT_EQ(strip_of(batch, 3 * image).images, 3);
  EXPECT_EQ(strip_of(batch, 100 * image).images, 7);
  const Problem high = images(1000, 128, 5, 3);
  const PassesStrip lines = strip_of(high, 3 * 32 * 128 * 4 + 4 * 128 * 4);
  EXPECT_EQ(lines.images, 1);
  EXPECT_EQ(lines.lines, 96);
  EXPECT_EQ(lines.outputs, 128);
  const PassesStrip outputs = strip_of(images(1000, 100'000, 9, 3), 40 * 3 * 128 * 4);
  EXPECT_EQ(outputs.lines, 32);
  EXPECT_EQ(outputs.outputs, 3 * 128);
  // What is between the passes is no more than was asked for, where a tile fits.
  for (std::int64_t const lines_of_filter : {2, 7, 40, 300})
    for (std::int64_t const step : {1, 2, 50}) {
      Problem p = images(5000, 7000, lines_of_filter, 5);
      p.lines.window = Slice{0, 4900 / step, step};
      const detail::Work work = detail::check(p);
      const std::int64_t budget = 2 << 20;
      const PassesStrip s = strip_of(p, budget);
      EXPECT_LE(work.lines.met_by(s.lines) * s.outputs * 4, budget) << lines_of_filter << ", step " << step;
      EXPECT_GT(s.lines * s.outputs, 0);
    }
}

TEST_F(TwoPasses, EdgesOfStripsUnderEveryBoundary) {
  Rng rng = test_rng();
  int turn = 0;
  for (auto const& [lines, columns, filter_lines, taps, budget] :
       {std::array<std::int64_t, 5>{100, 150, 5, 7, 40 * 256 * 4},
        {70, 300, 9, 4, 1},
        {33, 129, 40, 3, 80 * 128 * 4},
        {3, 5, 7, 9, 1},
        {66, 40, 2, 50, 33 * 128 * 4}})
    for (int b = 0; b < 6; ++b) {
      Problem p = images(lines, columns, filter_lines, taps);
      p.boundary = static_cast<Boundary>(b), p.constant = 3;
      p.operation = static_cast<Operation>(turn % 2);
      const auto placing = [&](int q) { return static_cast<Placing>((turn + q) % placings); };
      if (lines > 40) {
        EXPECT_LT(strip_of(p, budget).lines, lines);
      }
      expect_right(p, rng, budget, {placing(0), placing(1), placing(turn / 4)});
      p.mode = p.boundary == Boundary::zero ? Mode::full : Mode::same;
      expect_right(p, rng, budget);
      p.window = Slice{-9, columns + 20}, p.lines.window = Slice{-50, lines + 90};
      expect_right(p, rng, budget);
      ++turn;
    }
}

TEST_F(TwoPasses, StepsBetweenLinesAndBetweenOutputs) {
  Rng rng = test_rng();
  for (auto const& [line_step, step] :
       {std::pair<std::int64_t, std::int64_t>{1, 3}, {2, 1}, {3, 2}, {50, 1}, {7, 100}, {2, 200}})
    for (const Boundary boundary : {Boundary::zero, Boundary::constant, Boundary::wrap}) {
      Problem p = images(160, 500, 5, 6);
      p.boundary = boundary, p.constant = 2;
      p.window = Slice{-2, 480 / step + 1, step}, p.lines.window = Slice{1, 150 / line_step + 1, line_step};
      EXPECT_LT(strip_of(p, 1).outputs, 400);
      expect_right(p, rng, 1);
      expect_right(p, rng, 50 * 512 * 4);
    }
}

TEST_F(TwoPasses, BatchesFiltersPerImageAndBanks) {
  Rng rng = test_rng();
  for (const Filters filters : {Filters::shared, Filters::per_row, Filters::bank})
    for (std::int64_t const batch : {1, 5}) {
      Problem p = images(30, 70, 4, 5);
      p.batch = batch, p.filters = filters, p.bank = 3;
      expect_right(p, rng, 2 * 33 * 128 * 4, {interleaved, crop, turned});
      expect_right(p, rng, 1);
    }
}

// Those keep the bits that plain sums have; of products some of the last ones are others.
TEST_F(TwoPasses, FiltersThatAreNoProductsAreSummedPlainlyBesideOthers) {
  Rng rng = test_rng();
  Problem p = images(50, 140, 4, 5);
  p.batch = 2, p.filters = Filters::bank, p.bank = 3;
  Scene s(p, rng);
  make_product(s, 1, rng);
  s.filter.set(2, 1, 1, 0, INFINITY);
  Scene plain(s);
  plain.problem.lines.separable = false;
  plain.run({.method = Method::direct, .device = Device::cuda, .memory = Memory::device});
  run_in_two_passes(s, 1);
  EXPECT_TRUE(is_right(s, false));
  std::int64_t others = 0;
  s.out.each([&](std::int64_t row, std::int64_t l, std::int64_t c) {
    const bool same = std::memcmp(s.out.at(row, l, c), plain.out.at(row, l, c), sizeof(float)) == 0;
    if (row % 3 == 1) others += !same;
    else ASSERT_TRUE(same) << row << ' ' << l << ' ' << c;
  });
  EXPECT_GT(others, 1000);
}

TEST_F(TwoPasses, AFilterThatIsSetAnewIsLookedAtAnew) {
  Rng rng = test_rng();
  const Problem p = images(20, 40, 4, 5);
  Passes passes(p, kAll);
  DeviceBuffer<std::uint8_t> scratch(static_cast<std::int64_t>(passes.scratch_bytes()));
  const DeviceBytes bytes{scratch.data(), passes.scratch_bytes()};
  for (int turn = 0; turn < 4; ++turn) {
    Scene s(p, rng);
    if (turn % 2 == 0) make_product(s, 0, rng);
    const auto x = s.signal.upload(), h = s.filter.upload();
    auto y = s.out.upload();
    passes.set_filter(s.filter.input(h), Stream{}, bytes);
    passes.execute(s.signal.input(x), s.out.output(y), Stream{}, bytes);
    s.out.download(y);
    EXPECT_TRUE(is_right(s, false)) << turn;
  }
}

TEST_F(TwoPasses, EveryTypeOfSignalsAndFilters) {
  Rng rng = test_rng();
  for (int a = 0; a < type_count; ++a)
    for (int b = 0; b < type_count; ++b) {
      Problem p = images(9, 20, 3, 4, static_cast<Type>(a));
      p.filter_type = static_cast<Type>(b);
      if (is_complex(p.type) || is_complex(*p.filter_type)) continue;
      p.boundary = Boundary::mirror;
      Scene s(p, rng);
      make_whole_products(s);
      run_in_two_passes(s, 1);
      EXPECT_TRUE(is_right(s, false)) << to_string(p);
    }
}

// 65535 * 65535 times some wraps in 32 bits, and in 64 bits sums of larger ones do.
TEST_F(TwoPasses, IntegersWrapAsPlainSumsDo) {
  Rng rng = test_rng();
  for (const Type type : {Type::uint16, Type::int64, Type::uint64}) {
    Problem p = images(12, 30, 3, 5, type);
    p.result_type = type;
    Scene s(p, rng);
    make_product(s, 0, rng);
    s.signal.each([&](std::int64_t, std::int64_t l, std::int64_t c) {
      s.signal.set(0, l, c, 0, (l + c) % 3 == 0 ? std::ldexp(1.0, type == Type::uint16 ? 15 : 62) + 5 : 60'000);
    });
    run_in_two_passes(s, 1);
    EXPECT_TRUE(is_right(s, false)) << name(type);
  }
}

// Sums along the lines that are beyond the results' range, and that those across them bring back.
TEST_F(TwoPasses, ResultsAreSaturatedAtTheEndAlone) {
  Rng rng = test_rng();
  for (const Type type : {Type::int16, Type::float32}) {
    Problem p = images(6, 40, 2, 3, type);
    p.result_type = Type::uint8, p.saturate = true;
    Scene s(p, rng);
    s.signal.each([&](std::int64_t, std::int64_t l, std::int64_t c) {
      s.signal.set(0, l, c, 0, l == 5 ? 0 : l == 1 ? 203 : static_cast<double>(200 + c % 2));
    });
    for (std::int64_t j = 0; j < 3; ++j) s.filter.set(0, 0, j, 0, -1), s.filter.set(0, 1, j, 0, 1);
    run_in_two_passes(s, 1);
    // Output lines are x[l - 1] - x[l], of three columns each; mode same keeps lines from 0 on.
    s.out.each([&](std::int64_t, std::int64_t l, std::int64_t c) {
      double sum = 0;
      for (std::int64_t j = -1; j <= 1; ++j) {
        if (c - j < 0 || c - j >= 40) continue;
        sum += (l > 0 ? s.signal.get<double>(0, l - 1, c - j, 0) : 0) - s.signal.get<double>(0, l, c - j, 0);
      }
      ASSERT_EQ(s.out.get<double>(0, l, c, 0), std::clamp(sum, 0.0, 255.0)) << l << ' ' << c;
    });
  }
}

TEST_F(TwoPasses, NotFiniteSamplesStayInTheirWindows) {
  Rng rng = test_rng();
  for (const double value : {static_cast<double>(NAN), static_cast<double>(INFINITY)})
    for (const Boundary boundary : {Boundary::zero, Boundary::reflect})
      for (const Type type : {Type::float32, Type::float64, Type::bfloat16}) {
        Problem p = images(80, 150, 5, 4, type);
        p.boundary = boundary;
        Scene s(p, rng);
        make_whole_products(s);
        s.signal.set(0, 33, 127, 0, value);
        s.signal.set(0, 0, 0, 0, value);
        run_in_two_passes(s, 1);
        EXPECT_TRUE(is_right(s, false)) << name(type);
      }
}

TEST_F(TwoPasses, BitsDoNotDependOnTheBatch) {
  Rng rng = test_rng();
  Problem p = images(60, 200, 11, 13);
  p.batch = 4;
  Scene all(p, rng);
  make_product(all, 0, rng);
  run_in_two_passes(all, kAll);
  const std::vector<std::byte> expected = all.out.elements();
  p.batch = 1;
  Scene one(p, rng, {turned, dense, crop});
  one.filter.each([&](std::int64_t, std::int64_t l, std::int64_t c) {
    one.filter.set(0, l, c, 0, all.filter.get<float>(0, l, c, 0));
  });
  one.signal.each([&](std::int64_t, std::int64_t l, std::int64_t c) {
    one.signal.set(0, l, c, 0, all.signal.get<float>(3, l, c, 0));
  });
  run_in_two_passes(one, 1);
  const std::vector<std::byte> own = one.out.elements();
  EXPECT_TRUE(std::equal(own.begin(), own.end(), expected.end() - std::ssize(own)));
}

// ---- plans --------------------------------------------------------------------------------------------------------
std::string described(Problem const& p, Memory memory) {
  return Plan(p, {.method = Method::direct, .device = Device::cuda, .memory = memory}).describe();
}

TEST_F(TwoPasses, PlansTakeThemWhereTheyAreToldAndThatIsLessWork) {
  for (const Memory memory : {Memory::host, Memory::device}) {
    Problem p = images(300, 300, 15, 15);
    EXPECT_THAT(described(p, memory), testing::StartsWith("cuda direct, two passes"));
    EXPECT_THAT(explain(p, {.device = Device::cuda, .memory = memory}), testing::HasSubstr("two passes"));
    p.batch = 1000;
    EXPECT_THAT(described(p, memory), testing::HasSubstr("two passes")) << "as of one image";
    p.lines.separable = false;
    EXPECT_THAT(described(p, memory), testing::HasSubstr("tiles of"));
    EXPECT_THAT(described(images(300, 300, 3, 3), memory), testing::HasSubstr("tiles of")) << "few taps";
    EXPECT_THAT(described(images(300, 300, 15, 15, Type::complex64), memory), testing::HasSubstr("tiles of"));
  }
}

TEST_F(TwoPasses, PlansAreRightFromBothMemories) {
  Rng rng = test_rng();
  for (const Memory memory : {Memory::host, Memory::device})
    for (const bool product : {false, true}) {
      Problem p = images(70, 140, 12, 17);
      p.batch = 2, p.filters = Filters::per_row, p.boundary = Boundary::nearest;
      Scene s(p, rng, {crop, turned, dense});
      if (product) make_products(s, rng);
      const std::string text = s.run({.method = Method::direct, .device = Device::cuda, .memory = memory});
      EXPECT_THAT(text, testing::HasSubstr("two passes"));
      EXPECT_TRUE(is_right(s, false)) << text;
    }
}

// Nobody reads a filter in device memory to find out. The two have their own bits.
TEST_F(TwoPasses, CallsTakeThemWhereTheyAreTold) {
  Rng rng = test_rng();
  Scene s(images(60, 90, 15, 15), rng);
  make_products(s, rng);
  round_sums(s, rng);
  const auto by_plan = [&](bool separable) {
    s.problem.lines.separable = separable;
    s.run({.method = Method::direct, .device = Device::cuda, .memory = Memory::device});
    return s.out.elements();
  };
  const auto by_call = [&](bool separable) {
    const auto x = s.signal.upload(), h = s.filter.upload();
    auto y = s.out.upload();
    convolve2d(s.signal.input(x), s.filter.input(h), s.out.output(y),
               CallOptions{.mode = Same::scipy, .method = Method::direct, .separable = separable});
    s.out.download(y);
    return s.out.elements();
  };
  const std::vector<std::byte> passes = by_plan(true), plain = by_plan(false);
  EXPECT_NE(passes, plain);
  EXPECT_EQ(by_call(true), passes);
  EXPECT_EQ(by_call(false), plain);
}

}  // namespace
}  // namespace gpuconv::test

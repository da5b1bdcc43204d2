// Whether integer sums can wrap: never says that no signal has an output that its type cannot hold, possible that one
// has, which is then looked for.
#include "support/random.hpp"
#include "support/workload.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace gpuconv::test {
namespace {

template <class X, class H>
Wrapping wrapping(std::vector<H> const& taps, std::optional<Type> result = {}, std::int64_t samples = 1000,
                  Mode mode = Mode::full) {
  Plan plan({.signal = samples,
             .filter = std::ssize(taps),
             .mode = mode,
             .type = type_of<X>,
             .filter_type = type_of<H>,
             .result_type = result});
  plan.set_filter(taps);
  return plan.wrapping();
}

TEST(Wrapping, CountsTheMostNegativeSample) {
  using I8 = std::vector<std::int8_t>;
  EXPECT_EQ((wrapping<std::int8_t>(I8{1}, Type::int8)), Wrapping::never);
  EXPECT_EQ((wrapping<std::int8_t>(I8{-1}, Type::int8)), Wrapping::possible);  // 128
  EXPECT_EQ((wrapping<std::int8_t>(I8{0, 1, 0}, Type::int8)), Wrapping::never);
  EXPECT_EQ((wrapping<std::int8_t>(I8{1, 1}, Type::int8)), Wrapping::possible);
  EXPECT_EQ((wrapping<std::int8_t>(I8{-128, -127}, Type::int16)), Wrapping::never);
  EXPECT_EQ((wrapping<std::int8_t>(I8{-128, -128}, Type::int16)), Wrapping::possible);  // 2^15
  EXPECT_EQ((wrapping<std::int8_t>(I8{127, 127, 2}, Type::int16)), Wrapping::never);    // -2^15 to 32512
  EXPECT_EQ((wrapping<std::int8_t>(I8{127, 127, 3}, Type::int16)), Wrapping::possible);
}

TEST(Wrapping, IsExactNearThe64thBit) {
  using I32 = std::vector<std::int32_t>;
  EXPECT_EQ((wrapping<std::int32_t>(I32{INT32_MIN})), Wrapping::never);
  EXPECT_EQ((wrapping<std::int32_t>(I32{INT32_MIN, -INT32_MAX})), Wrapping::never);
  EXPECT_EQ((wrapping<std::int32_t>(I32{INT32_MIN, INT32_MIN})), Wrapping::possible);  // 2^63
  EXPECT_EQ((wrapping<std::int32_t>(I32{INT32_MAX, INT32_MAX, 2})), Wrapping::never);  // -2^63
  EXPECT_EQ((wrapping<std::int32_t>(I32{INT32_MAX, INT32_MAX, 3})), Wrapping::possible);
  const std::vector<std::uint32_t> most{UINT32_MAX, 2};  // times 2^32 - 1: 2^64 - 1
  EXPECT_EQ((wrapping<std::uint32_t>(most)), Wrapping::never);
  EXPECT_EQ((wrapping<std::uint32_t>(std::vector<std::uint32_t>{UINT32_MAX, 3})), Wrapping::possible);
  EXPECT_EQ((wrapping<std::int32_t>(most)), Wrapping::possible);  // into int64
  EXPECT_EQ((wrapping<std::int16_t>(std::vector<std::int16_t>(100'000, INT16_MIN))), Wrapping::never);
}

TEST(Wrapping, Of64BitOperands) {
  using U64 = std::vector<std::uint64_t>;
  using I64 = std::vector<std::int64_t>;
  EXPECT_EQ((wrapping<std::uint64_t>(U64{0, 1})), Wrapping::never);
  EXPECT_EQ((wrapping<std::uint64_t>(U64{1, 1})), Wrapping::possible);
  EXPECT_EQ((wrapping<std::uint64_t>(I64{1})), Wrapping::possible);  // into int64
  EXPECT_EQ((wrapping<std::int64_t>(U64{1})), Wrapping::never);
  EXPECT_EQ((wrapping<std::int64_t>(I64{-1})), Wrapping::possible);
  EXPECT_EQ((wrapping<std::uint64_t>(U64(5, UINT64_MAX))), Wrapping::possible);
  EXPECT_EQ((wrapping<std::int64_t>(I64(5, INT64_MIN))), Wrapping::possible);
  EXPECT_EQ((wrapping<std::uint8_t>(U64{UINT64_MAX / 255})), Wrapping::never);
  EXPECT_EQ((wrapping<std::uint8_t>(U64{UINT64_MAX / 255 + 1})), Wrapping::possible);
  EXPECT_EQ((wrapping<std::uint64_t>(U64(9, 0))), Wrapping::never);
}

TEST(Wrapping, OfNegativeSumsInUnsignedResults) {
  EXPECT_EQ((wrapping<std::int8_t>(std::vector<std::int8_t>{1}, Type::uint64)), Wrapping::possible);
  EXPECT_EQ((wrapping<std::uint8_t>(std::vector<std::int8_t>{1}, Type::uint64)), Wrapping::never);
  EXPECT_EQ((wrapping<std::uint8_t>(std::vector<std::int8_t>{1, -1}, Type::uint64)), Wrapping::possible);
  EXPECT_EQ((wrapping<std::uint8_t>(std::vector<std::uint8_t>{1, 0}, Type::uint8)), Wrapping::never);
}

TEST(Wrapping, NeverOfFloatingResults) {
  EXPECT_EQ((wrapping<std::int64_t>(std::vector<std::int64_t>(5, INT64_MIN), Type::float32)), Wrapping::never);
  EXPECT_EQ((wrapping<float>(std::vector<float>{1e38f, 1e38f})), Wrapping::never);
}

// The sums that wrap, of all outputs, when each meets the signal that takes it furthest up or down: plain sums and what
// the plan makes of them.
template <class T>
int wrapped_outputs(Problem const& p, std::vector<T> const& taps) {
  const Slice slice = output_slice(p);
  Plan plan(p, {.device = Device::cpu});
  plan.set_filter(taps);
  int wrapped = 0;
  for (std::int64_t o = 0; o < slice.length; ++o)
    for (const bool up : {false, true}) {
      std::vector<T> signal(static_cast<std::size_t>(p.signal)), out(static_cast<std::size_t>(slice.length));
      std::int64_t exact = 0;
      for (std::int64_t i = 0; i < p.signal; ++i) {
        const std::int64_t j = slice.first + o * slice.step - i;
        if (j < 0 || j >= p.filter) continue;
        const bool reversed = p.operation == Operation::correlate;
        const std::int64_t tap = taps[static_cast<std::size_t>(reversed ? p.filter - 1 - j : j)];
        T& sample = signal[static_cast<std::size_t>(i)];
        sample = (tap > 0) == up ? std::numeric_limits<T>::max() : std::numeric_limits<T>::min();
        exact += tap * sample;
      }
      plan.execute(signal, out);
      wrapped += out[static_cast<std::size_t>(o)] != exact;
    }
  return wrapped;
}

// Also where no output meets the whole filter: it is longer than the signal, or few outputs are wanted.
TEST(Wrapping, IsPossibleWhereSomeSignalWraps) {
  Rng rng = test_rng();
  int possible = 0, never = 0;
  for (int round = 0; round < 600; ++round) {
    Problem p{.signal = pick(rng, 1, 8),
              .filter = pick(rng, 1, 12),
              .mode = static_cast<Mode>(pick(rng, 0, 2)),
              .same = static_cast<Same>(pick(rng, 0, 2)),
              .type = Type::int16,
              .result_type = Type::int16,
              .operation = static_cast<Operation>(pick(rng, 0, 1))};
    if (round % 2)
      p.window = Slice{.first = pick(rng, -4, p.signal + p.filter), .length = pick(rng, 1, 5), .step = pick(rng, 1, 4)};
    std::vector<std::int16_t> taps(static_cast<std::size_t>(p.filter));
    for (std::int16_t& tap : taps)
      if (pick(rng, 0, 3) == 0) tap = static_cast<std::int16_t>(pick(rng, -1, 1));
    Plan plan(p);
    plan.set_filter(taps);
    const bool wraps = wrapped_outputs(p, taps) > 0;
    ASSERT_EQ(plan.wrapping(), wraps ? Wrapping::possible : Wrapping::never)
        << to_string(p) << ": " << testing::PrintToString(taps);
    ++(wraps ? possible : never);
  }
  EXPECT_GT(possible, 100);
  EXPECT_GT(never, 100);
}

// Where the signal goes on beyond its ends, and some output has the whole filter on it, or none.
TEST(Wrapping, OfSignalsThatGoOn) {
  const auto of = [](std::int64_t samples, std::vector<std::int8_t> const& taps, Boundary boundary) {
    Plan plan({.signal = samples,
               .filter = std::ssize(taps),
               .mode = Mode::same,
               .same = Same::scipy,
               .type = Type::int8,
               .result_type = Type::int8,
               .boundary = boundary});
    plan.set_filter(taps);
    return plan.wrapping();
  };
  for (Boundary const boundary : {Boundary::nearest, Boundary::wrap, Boundary::constant}) {
    EXPECT_EQ(of(5, {0, 1, 0}, boundary), Wrapping::never);
    EXPECT_EQ(of(5, {1, 1, -1}, boundary), Wrapping::possible);
    EXPECT_EQ(of(2, {0, 1, 0}, boundary), Wrapping::never);
    EXPECT_EQ(of(2, {1, 1, -1}, boundary), Wrapping::unknown);
  }
}

TEST(Wrapping, IsThatOfAnyFilter) {
  Plan plan({.signal = 9,
             .filter = 2,
             .batch = 3,
             .filters = Filters::per_row,
             .type = Type::int8,
             .result_type = Type::int8});
  std::vector<std::int8_t> filters{1, 0, 0, 1, 0, -1};  // rows of two with a stride of 2
  plan.set_filter(HostView(filters.data(), {.rows = 3, .columns = 2}));
  EXPECT_EQ(plan.wrapping(), Wrapping::possible);
  filters.back() = 1;
  plan.set_filter(HostView(filters.data(), {.rows = 3, .columns = 2}));
  EXPECT_EQ(plan.wrapping(), Wrapping::never);
  filters = {1, 0, 100, 0, 1, 100, 1, 0};  // what lies between the rows is no tap
  plan.set_filter(HostView(filters.data(), {.rows = 3, .columns = 2, .stride = 3}));
  EXPECT_EQ(plan.wrapping(), Wrapping::never);
}

TEST(Wrapping, IsKnownOnceThereIsAFilter) {
  Plan plan({.signal = 9, .filter = 2, .type = Type::int8, .result_type = Type::int8});
  EXPECT_THROW(static_cast<void>(plan.wrapping()), InvalidArgument);
  plan.set_filter(std::vector<std::int8_t>{1, 1});
  EXPECT_EQ(plan.wrapping(), Wrapping::possible);
  EXPECT_THROW(plan.set_filter(std::vector<std::int8_t>{1, 0, 0}), InvalidArgument);
  EXPECT_EQ(plan.wrapping(), Wrapping::possible);
  plan.set_filter(std::vector<std::int8_t>{1, 0});
  EXPECT_EQ(plan.wrapping(), Wrapping::never);
  EXPECT_EQ(name(Wrapping::possible), "possible");
}

}  // namespace
}  // namespace gpuconv::test

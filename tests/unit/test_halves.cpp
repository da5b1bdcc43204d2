// Numbers of 16 bits: the vector code agrees with the formulas of gpuconv/half.hpp, and rows of them keep to the limits
// of their formats whichever method convolves them.
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include "cpu/simd_target.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace gpuconv::test {
namespace {

template <class Half>
detail::HalfKernels const& kernels() {
  return type_of<Half> == Type::float16 ? detail::simd_target().float16 : detail::simd_target().bfloat16;
}

template <class Half>
class Halves : public testing::Test {};
using Formats = testing::Types<float16, bfloat16>;
TYPED_TEST_SUITE(Halves, Formats);

std::uint32_t bits_of(float x) { return std::bit_cast<std::uint32_t>(x); }

TYPED_TEST(Halves, AreLoadedAsTheFormulasSay) {
  std::vector<std::uint16_t> halves(0x10000);
  for (std::size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<std::uint16_t>(i);
  std::vector<float> values(halves.size());
  kernels<TypeParam>().load(halves.data(), values.data(), std::ssize(halves));
  for (std::size_t i = 0; i < halves.size(); ++i) {
    TypeParam half;
    half.bits = halves[i];
    const auto value = static_cast<float>(half);
    if (std::isnan(value)) ASSERT_TRUE(std::isnan(values[i])) << i;
    else ASSERT_EQ(bits_of(values[i]), bits_of(value)) << i;
  }
}

// Every upper half of a float's bits, with lower halves on either side of what decides how it is rounded.
TYPED_TEST(Halves, AreRoundedAsTheFormulasSay) {
  std::vector<float> values;
  for (std::uint32_t upper = 0; upper < 0x10000; ++upper)
    for (const std::uint32_t lower :
         {0u, 1u, 0x0fffu, 0x1000u, 0x1001u, 0x2fffu, 0x3000u, 0x7fffu, 0x8000u, 0x8001u, 0xf000u, 0xffffu})
      values.push_back(std::bit_cast<float>(upper << 16 | lower));
  std::vector<std::uint16_t> halves(values.size());
  kernels<TypeParam>().store(values.data(), halves.data(), std::ssize(values));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const TypeParam half(values[i]);
    if (std::isnan(values[i])) {
      TypeParam got;
      got.bits = halves[i];
      ASSERT_TRUE(std::isnan(static_cast<float>(got))) << values[i];
    } else ASSERT_EQ(halves[i], half.bits) << values[i];
  }
}

// At every alignment and around the vectors' lengths, and nothing beside them.
TYPED_TEST(Halves, OfAnyNumberAndAlignment) {
  constexpr std::uint16_t kUntouched = 0x5a5a;
  std::vector<float> values(400);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 61) - 30.5F;
  for (std::int64_t count = 0; count <= 300; count += count < 140 ? 1 : 53)
    for (std::size_t offset = 0; offset < 34; offset += count < 70 ? 1 : 11) {
      std::vector<std::uint16_t> halves(400, kUntouched);
      kernels<TypeParam>().store(values.data() + 1, halves.data() + offset, count);
      std::vector<float> back(400, -1.0F);
      kernels<TypeParam>().load(halves.data() + offset, back.data() + offset, count);
      for (std::size_t i = 0; i < halves.size(); ++i) {
        const bool written = i >= offset && i < offset + static_cast<std::size_t>(count);
        const float value = written ? values[i - offset + 1] : -1.0F;
        ASSERT_EQ(halves[i], written ? TypeParam(value).bits : kUntouched) << count << ' ' << offset << ' ' << i;
        ASSERT_EQ(back[i], value) << count << ' ' << offset << ' ' << i;
      }
    }
}

// ---- by every solver ------------------------------------------------------------------------------------------------
class HalfRows : public SolverTest {
 protected:
  static constexpr Type kFormats[] = {Type::float16, Type::bfloat16};

  template <class F>
  void each_problem(F f) const {
    for (const Type type : kFormats)
      for (const std::int64_t taps : {1, 5, 40, 700})
        for (const std::int64_t samples : {1, 3, 31, 300, 5000})
          for (const Mode mode : {Mode::full, Mode::same, Mode::valid}) {
            const Problem p{
                .signal = samples, .filter = taps, .batch = samples < 100 ? 5 : 1, .mode = mode, .type = type};
            if (takes(p)) f(p);
            if (HasFailure()) return;
          }
  }
};

TEST_P(HalfRows, AreSummedInFloat) {
  Rng rng = test_rng();
  each_problem([&](Problem const& p) {
    const Layouts layouts{{pick(rng, 0, 17)}, {}, {pick(rng, 0, 17), pick(rng, 0, 3)}};
    EXPECT_TRUE(is_right(random_workload(p, rng, layouts), options(1), layouts.out));
  });
}

// A sum that no float16 holds is infinite where it is stored, and only there: neighbours are numbers.
TEST_P(HalfRows, BecomeInfiniteWhereTheirSumsAreTooLarge) {
  for (const Type type : kFormats) {
    const float large = type == Type::float16 ? 60000.0F : 0x1p127F;
    for (const std::int64_t samples : {40, 3000}) {
      Workload w = empty_workload({.signal = samples, .filter = 2, .type = type});
      if (!takes(w.problem)) continue;
      visit_type(type, [&]<class T>(std::type_identity<T>) {
        if constexpr (sizeof(T) == 2 && detail::is_floating_element<T>) {
          for (T& x : w.signal.row<T>(0)) x = T(1.0F);
          w.signal.row<T>(0)[20] = w.signal.row<T>(0)[21] = T(large);
          for (T& h : w.filter.row<T>(0)) h = T(1.0F);
        }
      });
      const Outcome outcome = run(w, options(1));
      EXPECT_TRUE(Oracle(w).accepts(outcome));
      const std::vector<float> y = outcome.out.as<float>(0);
      EXPECT_EQ(y[21], std::numeric_limits<float>::infinity()) << outcome.plan;
      EXPECT_TRUE(std::isfinite(y[20]) && std::isfinite(y[22])) << outcome.plan;
    }
  }
}

TEST_P(HalfRows, KeepDenormals) {
  Rng rng = test_rng();
  for (const Type type : kFormats) {
    const Problem p{.signal = 500, .filter = 7, .type = type};
    if (!takes(p)) continue;
    Workload w = empty_workload(p);
    for (std::uint16_t& x : w.signal.row<std::uint16_t>(0))
      x = static_cast<std::uint16_t>(pick(rng, 0, type == Type::float16 ? 0x3ff : 0x7f) | pick(rng, 0, 1) << 15);
    fill_random(w.filter, rng);
    EXPECT_TRUE(is_right(w, options(1)));
  }
}

TEST_P(HalfRows, KeepWhatIsNotFiniteToItsWindow) {
  Rng rng = test_rng();
  constexpr std::uint16_t kInfinity[] = {0x7c00, 0x7f80}, kNan[] = {0x7e00, 0x7fc0};
  for (int format = 0; format < 2; ++format)
    for (const std::int64_t taps : {3, 60}) {
      const Problem p{.signal = 2000, .filter = taps, .type = kFormats[format]};
      if (!takes(p)) continue;
      Workload w = random_workload(p, rng);
      auto bits = w.signal.row<std::uint16_t>(0);
      bits[0] = bits[900] = kInfinity[format];
      bits[1200] = static_cast<std::uint16_t>(kInfinity[format] | 0x8000);
      bits[1700] = kNan[format];
      EXPECT_TRUE(is_right(w, options(1)));
      w.filter.row<std::uint16_t>(0)[2] = kInfinity[format];
      EXPECT_TRUE(is_right(w, options(1)));
    }
}
// Every third sample from the last to the first, into every other place: the bits of rows that lie as one.
TEST_P(HalfRows, AtStrides) {
  Rng rng = test_rng();
  for (const Type type : kFormats) {
    const Problem p{.signal = 700, .filter = 30, .mode = Mode::same, .type = type, .boundary = Boundary::mirror};
    if (!takes(p)) continue;
    const Workload w = random_workload(p, rng);
    const Outcome together = run(w, options(1));
    Array apart(type, 1, 3 * p.signal), out(type, 1, 2 * p.signal);
    for (std::int64_t i = 0; i < p.signal; ++i)
      apart.row<std::uint16_t>(0)[static_cast<std::size_t>(3 * (p.signal - 1 - i))] =
          w.signal.row<std::uint16_t>(0)[static_cast<std::size_t>(i)];
    Options o = options(1);
    o.memory = Memory::host, o.across = false;
    Plan plan(p, o);
    plan.set_filter(w.filter.input());
    const auto last = apart.row<std::uint16_t>(0).data() + 3 * (p.signal - 1);
    plan.execute(HostInput(last, type, Rows{.columns = p.signal, .element_stride = -3}),
                 HostOutput(out.row<std::uint16_t>(0).data(), type, Rows{.columns = p.signal, .element_stride = 2}));
    for (std::int64_t i = 0; i < p.signal; ++i)
      ASSERT_EQ(out.row<std::uint16_t>(0)[static_cast<std::size_t>(2 * i)],
                together.out.row<std::uint16_t>(0)[static_cast<std::size_t>(i)])
          << i << ' ' << together.plan;
  }
}
GPUCONV_OVER_SOLVERS(HalfRows);

}  // namespace
}  // namespace gpuconv::test

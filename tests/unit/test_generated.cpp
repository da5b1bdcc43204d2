// Problems drawn at random: shapes, modes, types, batches and layouts, by every solver, against the oracle.
#include "support/scale.hpp"
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include <gtest/gtest.h>

namespace gpuconv::test {
namespace {

template <class E, std::size_t N>
E any_of(Rng& rng, E const (&values)[N]) {
  return values[static_cast<std::size_t>(pick(rng, 0, N - 1))];
}

Type any_type(Rng& rng) { return static_cast<Type>(pick(rng, 0, type_count - 1)); }

// A result type that the pair allows: the default, or with integers any.
std::optional<Type> any_result(Rng& rng, Type signal, Type filter) {
  if (pick(rng, 0, 2) != 0) return std::nullopt;
  switch (const Type least = default_result(signal, filter); least) {
    case Type::float16:
    case Type::bfloat16:
      return any_of(rng, {Type::float32, Type::float64});
    case Type::float32:
    case Type::float64:
      return Type::float64;
    case Type::complex64:
    case Type::complex128:
      return Type::complex128;
    default: {
      const Type type = any_type(rng);
      return is_complex(type) ? least : type;
    }
  }
}

Layout any_layout(Rng& rng) { return {.offset = pick(rng, 0, 17), .gap = pick(rng, 0, 1) * pick(rng, 0, 40)}; }

// Some outputs, which may begin before the full result and end behind it.
Slice any_window(Rng& rng, Problem const& p) {
  constexpr std::int64_t kBeyond = 40;
  const std::int64_t full = p.signal + p.filter - 1, step = any_of(rng, {1, 1, 2, 5});
  const std::int64_t longest = std::clamp<std::int64_t>(kOracleProducts / p.filter / step, 1, full / step + kBeyond);
  return {pick(rng, -kBeyond, full + kBeyond), pick_size(rng, 1, longest), step};
}

// The oracle's multiplications for a row: outputs, with those between, times taps, or the samples where they are fewer.
std::int64_t products(Problem const& p) {
  const Slice outputs = output_slice(p);
  const std::int64_t taps = p.boundary == Boundary::zero ? std::min(p.signal, p.filter) : p.filter;
  return taps * ((outputs.length - 1) * outputs.step + 1);
}

Problem any_shape(Rng& rng, std::int64_t longest) {
  Problem p{.signal = pick_size(rng, 1, longest), .filter = pick_size(rng, 1, longest)};
  p.operation = any_of(rng, {Operation::convolve, Operation::correlate});
  p.mode = any_of(rng, {Mode::full, Mode::same, Mode::valid});
  p.same = any_of(rng, {Same::numpy, Same::scipy, Same::matlab});
  const bool windowed = pick(rng, 0, 3) == 0;
  if (windowed || p.mode == Mode::same)
    p.boundary = any_of(rng, {Boundary::zero, Boundary::zero, Boundary::constant, Boundary::nearest, Boundary::reflect,
                              Boundary::mirror, Boundary::wrap});
  p.constant = 7;
  while (products(p) > kOracleProducts) p.filter = p.filter / 2 + 1, p.signal = p.signal * 3 / 4 + 1;
  if (windowed) p.window = any_window(rng, p);
  p.batch = pick_size(rng, 1, std::clamp<std::int64_t>(kOracleProducts / products(p), 1, 20));
  p.filters = any_of(rng, {Filters::shared, Filters::per_row});
  return p;
}

class Generated : public SolverTest {
 protected:
  void expect_right(Problem const& problem, Rng& rng) const {
    const Layouts layouts{any_layout(rng), any_layout(rng), any_layout(rng)};
    const Workload workload = random_workload(problem, rng, layouts);
    EXPECT_TRUE(is_right(workload, options(static_cast<int>(pick(rng, 1, 3))), layouts.out));
  }
};

TEST_P(Generated, FloatingPointProblems) {
  Rng rng = test_rng();
  for (std::int64_t i = 0; i < cases(250) && !HasFailure(); ++i) {
    Problem p = any_shape(rng, 40000);
    p.type = any_of(rng, {Type::float32, Type::float64, Type::float16, Type::bfloat16});
    if (takes(p)) expect_right(p, rng);
  }
}

TEST_P(Generated, EveryPairOfTypes) {
  Rng rng = test_rng();
  for (int round = 0; round < cases(3); ++round)
    for (int s = 0; s < type_count; ++s)
      for (int f = 0; f < type_count; ++f) {
        Problem p = any_shape(rng, 700);
        p.type = static_cast<Type>(s);
        p.filter_type = static_cast<Type>(f);
        p.result_type = any_result(rng, p.type, *p.filter_type);
        if (takes(p)) expect_right(p, rng);
        if (HasFailure()) return;
      }
}

TEST_P(Generated, IntegerProblems) {
  Rng rng = test_rng();
  for (std::int64_t i = 0; i < cases(60) && !HasFailure(); ++i) {
    Problem p = any_shape(rng, 20000);
    p.type = static_cast<Type>(pick(rng, 0, 7));
    p.result_type = any_result(rng, p.type, p.type);
    if (takes(p)) expect_right(p, rng);
    else EXPECT_TRUE(is_integer(result_type(p))) << to_string(p);
  }
}
GPUCONV_OVER_SOLVERS(Generated);

TEST(GeneratedProblems, AutomaticMethodsAreRightToo) {
  Rng rng = test_rng();
  for (std::int64_t i = 0; i < cases(150) && !testing::Test::HasFailure(); ++i) {
    Problem p = any_shape(rng, 40000);
    p.type = any_type(rng);
    p.filter_type = any_type(rng);
    EXPECT_TRUE(is_right(random_workload(p, rng), {}));
  }
}

}  // namespace
}  // namespace gpuconv::test

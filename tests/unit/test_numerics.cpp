// Adversarial numbers: denormals, signed zeros, cancellation, extreme scales, rows of very different size.
#include "support/scale.hpp"
#include "support/solvers.hpp"
#include "support/tolerance.hpp"
#include "support/workload.hpp"

#include <gtest/gtest.h>

namespace gpuconv::test {
namespace {

constexpr std::int64_t kShapes[][2] = {{9, 4}, {4, 9}, {300, 31}, {5000, 100}, {900, 900}, {20000, 40}, {300, 3000}};

class Numerics : public SolverTest {
 protected:
  template <class T, class Change>
  void expect_right(Change change, Type signal, Type filter) const {
    Rng rng = test_rng();
    for (auto const& [n, m] : kShapes) {
      const Problem problem{.signal = n, .filter = m, .type = signal, .filter_type = filter};
      if (n * m * parts_of(signal) * parts_of(filter) > kOracleProducts || !takes(problem)) continue;
      Workload w = random_workload(problem, rng);
      change(w.signal.parts<T>(0), w.filter.parts<T>(0));
      EXPECT_TRUE(is_right(w, options()));
    }
  }
  /// Changes the numbers that the elements of either operand consist of.
  template <class Change>
  void expect_right(Change change) const {
    expect_right<float>(change, Type::float32, Type::float32);
    expect_right<double>(change, Type::float64, Type::float64);
    expect_right<float>(change, Type::complex64, Type::complex64);
    expect_right<float>(change, Type::complex64, Type::float32);
    expect_right<double>(change, Type::float64, Type::complex128);
  }
};

template <class T>
void multiply(std::span<T> x, T factor) {
  for (T& v : x) v *= factor;
}
template <class T>
constexpr T kTiny = std::numeric_limits<T>::min();  // the smallest normal number

TEST_P(Numerics, DenormalSignal) {
  expect_right([]<class T>(std::span<T> x, std::span<T>) { multiply(x, kTiny<T>); });
}
TEST_P(Numerics, DenormalFilter) {
  expect_right([]<class T>(std::span<T>, std::span<T> h) { multiply(h, kTiny<T>); });
}
TEST_P(Numerics, ProductsThatUnderflow) {
  expect_right([]<class T>(std::span<T> x, std::span<T> h) {
    multiply(x, std::sqrt(kTiny<T>));
    multiply(h, std::sqrt(kTiny<T>));
  });
}
TEST_P(Numerics, TinyTapsTimesHugeSamples) {
  expect_right([]<class T>(std::span<T> x, std::span<T> h) {
    multiply(h, kTiny<T>);
    multiply(x, T(1) / (kTiny<T> * 16384));
  });
}
TEST_P(Numerics, HugeTapsTimesTinySamples) {
  expect_right([]<class T>(std::span<T> x, std::span<T> h) {
    multiply(x, kTiny<T>);
    multiply(h, T(1) / (kTiny<T> * 16384));
  });
}
TEST_P(Numerics, MostlyZeros) {
  expect_right([]<class T>(std::span<T> x, std::span<T> h) {
    std::fill(x.begin() + 1, x.end(), T(0));
    std::fill(h.begin(), h.end() - 1, -T(0));
  });
}
TEST_P(Numerics, CancellingPairs) {
  expect_right([]<class T>(std::span<T> x, std::span<T> h) {
    std::fill(h.begin(), h.end(), T(1));
    for (std::size_t i = 1; i < x.size(); i += 2) x[i] = -x[i - 1];
  });
}
TEST_P(Numerics, CancellingTapsOverAConstant) {
  expect_right([]<class T>(std::span<T> x, std::span<T> h) {
    std::fill(x.begin(), x.end(), T(1e4));
    for (std::size_t i = 0; i < h.size(); ++i) h[i] = i % 2 ? T(-1) : T(1);
  });
}
TEST_P(Numerics, SamplesOfManyMagnitudes) {
  expect_right([]<class T>(std::span<T> x, std::span<T>) {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::ldexp(x[i], static_cast<int>(i * 37 % 60) - 30);
  });
}

TEST_P(Numerics, ZerosOfEitherSignGiveZeros) {
  for (float const x : {0.0f, -0.0f})
    for (float const h : {0.0f, -0.0f, 1.0f, -1.0f}) {
      const Workload w = workload_of<float>(std::vector(70, x), std::vector(9, h));
      const Outcome outcome = run(w, options());
      for (float const y : outcome.out.row<float>(0)) EXPECT_EQ(y, 0.0f) << x << " * " << h << ", " << outcome.plan;
    }
}

// Scaling by a power of two is exact, so results of ordinary size must scale exactly too.
TEST_P(Numerics, PowersOfTwoScaleExactly) {
  Rng rng = test_rng();
  for (auto const& [n, m] : kShapes) {
    const Workload plain = random_workload({.signal = n, .filter = m}, rng);
    if (!takes(plain.problem)) continue;
    const Outcome expected = run(plain, options());
    for (int const exponent : {-40, -20, 20, 40}) {
      Workload scaled = plain;
      multiply(scaled.signal.row<float>(0), std::ldexp(1.0f, exponent));
      const Outcome outcome = run(scaled, options());
      const auto want = expected.out.row<float>(0), got = outcome.out.row<float>(0);
      for (std::size_t i = 0; i < got.size(); ++i)
        ASSERT_EQ(got[i], std::ldexp(want[i], exponent)) << i << ", " << outcome.plan;
    }
  }
}

TEST_P(Numerics, ALargeRowDoesNotDisturbASmallOne) {
  Rng rng = test_rng();
  for (auto const& [n, m] : {std::pair{50, 7}, {600, 40}, {3000, 300}}) {
    Workload w = random_workload({.signal = n, .filter = m, .batch = 4}, rng);
    if (!takes(w.problem)) continue;
    multiply(w.signal.row<float>(1), 1e6f);
    multiply(w.signal.row<float>(3), 1e-6f);
    EXPECT_TRUE(is_right(w, options()));
  }
}

// The error of a transform is relative to its block: a large sample must not spoil outputs blocks away from it.
TEST_P(Numerics, ALargeSampleDisturbsItsOwnBlocksOnly) {
  Rng rng = test_rng();
  Workload w = random_workload({.signal = 60000, .filter = 15, .mode = Mode::same}, rng);
  w.signal.row<float>(0)[30000] = 1e8f;
  EXPECT_TRUE(is_right(w, options()));
}
GPUCONV_OVER_SOLVERS(Numerics);

// ---- small numbers ------------------------------------------------------------------------------------------------
class SmallNumbers : public SolverTest {
 protected:
  /// An impulse's outputs are its products, within c u log2(N) |h| |x| and two denormals.
  template <class T>
  void expect_impulse(T sample, T tap, std::int64_t taps) const {
    const Problem problem{.signal = 2 * taps + 500, .filter = taps, .type = type_of<T>};
    // Every product is made by a method that makes all: few, where the GPU is emulated.
    if (taps * taps > kOracleProducts && GetParam()->method == Method::direct) return;
    if (!takes(problem)) return;
    Rng rng = test_rng();
    Workload w = random_workload(problem, rng);
    const auto x = w.signal.row<T>(0), h = w.filter.row<T>(0);
    const std::size_t at = x.size() / 4;
    std::fill(x.begin(), x.end(), T(0));
    x[at] = sample;
    long double squares = 0;
    for (T& v : h) {
      v = tap * (static_cast<T>(pick(rng, 500, 1000)) / 1000);
      squares += static_cast<long double>(v) * static_cast<long double>(v);
    }
    const Outcome outcome = run(w, options());
    const auto y = outcome.out.row<T>(0);
    const Tolerance t = tolerance(type_of<T>);
    const long double size = static_cast<long double>(sample);
    const long double bound = t.c * t.unit * 20 * std::sqrt(squares) * size + 2 * t.smallest;
    for (std::size_t j = 0; j < h.size(); ++j) {
      const long double want = size * static_cast<long double>(h[j]), got = static_cast<long double>(y[at + j]);
      ASSERT_LE(std::abs(got - want), bound) << outcome.plan << ", output " << j;
    }
  }
};

TEST_P(SmallNumbers, KeepTheirDigits) {
  for (std::int64_t const taps : {20, 300, 700, 1000, 3000, 6000}) {
    expect_impulse(1e-41f, 1e12f, taps);
    expect_impulse(1.2e-38f, 1e-3f, taps);
    expect_impulse(1e-20f, 1e-20f, taps);
    expect_impulse(1e-41f, 1e38f, taps);
    expect_impulse(5e-324, 1e300, taps);
    expect_impulse(1e-310, 1.0, taps);
  }
  expect_impulse(1.2e-38f, 1.0f, 30000);
}
GPUCONV_OVER_SOLVERS(SmallNumbers);

}  // namespace
}  // namespace gpuconv::test

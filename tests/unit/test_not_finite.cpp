// NaN and infinity stay local whichever method runs: an output is non-finite only if its own window holds a
// non-finite value or its direct sum overflows. The oracle derives the class of every output from its own products.
#include "support/scale.hpp"
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>

namespace gpuconv::test {
namespace {

template <class T>
constexpr T kNan = std::numeric_limits<T>::quiet_NaN();
template <class T>
constexpr T kInfinity = std::numeric_limits<T>::infinity();
template <class T>
constexpr T kLargest = std::numeric_limits<T>::max();

constexpr std::int64_t kShapes[][2] = {{40, 5}, {5, 40}, {1000, 16}, {3000, 129}, {700, 700}, {20000, 301}};

class NotFinite : public SolverTest {
 protected:
  /// Runs `spoil(signal, filter)` on random workloads of all floating types, shapes and modes; of complex operands the
  /// numbers that they consist of are spoilt.
  template <class Spoil>
  void expect_local(Spoil spoil) const {
    expect_local<float>(spoil, Type::float32, Type::float32);
    expect_local<double>(spoil, Type::float64, Type::float64);
    expect_local<float>(spoil, Type::complex64, Type::complex64);
    expect_local<float>(spoil, Type::complex64, Type::float32);
    expect_local<float>(spoil, Type::float32, Type::complex64);
    expect_local<double>(spoil, Type::complex128, Type::complex128);
  }

  template <class T, class Spoil>
  void expect_local(Spoil spoil, Type signal, Type filter) const {
    const std::int64_t products = parts_of(signal) * parts_of(filter);  // of a pair of elements
    Rng rng = test_rng();
    for (auto const& [n, m] : kShapes)
      for (Mode const mode : {Mode::full, Mode::same, Mode::valid}) {
        if (n * m * products > kOracleProducts) continue;
        const Problem problem{.signal = n, .filter = m, .mode = mode, .type = signal, .filter_type = filter};
        if (!takes(problem)) continue;
        Workload w = random_workload(problem, rng);
        spoil(w.signal.parts<T>(0), w.filter.parts<T>(0));
        EXPECT_TRUE(is_right(w, options()));
      }
  }
};

TEST_P(NotFinite, OneNaN) {
  expect_local([]<class T>(std::span<T> x, std::span<T>) { x[x.size() / 2] = kNan<T>; });
}
TEST_P(NotFinite, NaNAtTheEnds) {
  expect_local([]<class T>(std::span<T> x, std::span<T>) { x.front() = x.back() = kNan<T>; });
}
TEST_P(NotFinite, OneInfinity) {
  expect_local([]<class T>(std::span<T> x, std::span<T>) { x[x.size() / 3] = kInfinity<T>; });
}
TEST_P(NotFinite, OppositeInfinitiesMakeNaNWhereBothAreSeen) {
  expect_local([]<class T>(std::span<T> x, std::span<T> h) {
    for (T& tap : h) tap = std::abs(tap) + T(0.1);
    x[x.size() / 2] = kInfinity<T>;
    x[x.size() / 2 + 2] = -kInfinity<T>;
  });
}
TEST_P(NotFinite, InfinityTimesAZeroTapIsNaN) {
  expect_local([]<class T>(std::span<T> x, std::span<T> h) {
    x[x.size() / 2] = kInfinity<T>;
    h[h.size() / 2] = 0;
  });
}
TEST_P(NotFinite, NaNTimesAZeroTapIsNaN) {
  expect_local([]<class T>(std::span<T> x, std::span<T> h) {
    x[x.size() / 2] = kNan<T>;
    std::fill(h.begin(), h.end(), T(0));
  });
}
TEST_P(NotFinite, InfiniteTap) {
  expect_local([]<class T>(std::span<T>, std::span<T> h) { h[h.size() / 2] = -kInfinity<T>; });
}
TEST_P(NotFinite, InfiniteTapTimesZeroSamplesIsNaN) {
  expect_local([]<class T>(std::span<T> x, std::span<T> h) {
    h[0] = kInfinity<T>;
    x[0] = x[x.size() / 2] = 0;
  });
}
TEST_P(NotFinite, InfiniteLastTapLeavesOtherOutputsAlone) {
  expect_local([]<class T>(std::span<T>, std::span<T> h) { h.back() = kInfinity<T>; });
}
TEST_P(NotFinite, NaNTap) {
  expect_local([]<class T>(std::span<T>, std::span<T> h) { h[h.size() / 3] = kNan<T>; });
}
TEST_P(NotFinite, InfiniteTapsAndSamples) {
  expect_local([]<class T>(std::span<T> x, std::span<T> h) {
    h[h.size() / 2] = kInfinity<T>;
    h[0] = -kInfinity<T>;
    x[x.size() / 4] = -kInfinity<T>;
    x[x.size() / 2] = kNan<T>;
  });
}
TEST_P(NotFinite, AllNaN) {
  expect_local([]<class T>(std::span<T> x, std::span<T>) { std::fill(x.begin(), x.end(), kNan<T>); });
}
TEST_P(NotFinite, AllInfinite) {
  expect_local([]<class T>(std::span<T> x, std::span<T>) { std::fill(x.begin(), x.end(), kInfinity<T>); });
}
TEST_P(NotFinite, ScatteredAtRandom) {
  Rng rng = test_rng();
  expect_local([&]<class T>(std::span<T> x, std::span<T> h) {
    const T values[] = {kNan<T>, kInfinity<T>, -kInfinity<T>, T(0), kLargest<T>};
    for (int i = 0; i < 6; ++i) x[static_cast<std::size_t>(pick(rng, 0, std::ssize(x) - 1))] = values[pick(rng, 0, 4)];
    h[static_cast<std::size_t>(pick(rng, 0, std::ssize(h) - 1))] = 0;
  });
}

TEST_P(NotFinite, InfinitiesAtEveryDistance) {
  for (std::size_t const period : {2u, 7u, 63u, 64u, 65u, 300u})
    expect_local([&]<class T>(std::span<T> x, std::span<T>) {
      for (std::size_t i = period - 1; i < x.size(); i += period) x[i] = i / period % 2 ? -kInfinity<T> : kInfinity<T>;
    });
}
TEST_P(NotFinite, AGapOfInfinities) {
  expect_local([]<class T>(std::span<T> x, std::span<T> h) {
    for (T& tap : h) tap = std::abs(tap) + T(0.1);
    h[h.size() / 2] = -1;  // the one tap that makes a NaN
    std::fill_n(x.begin() + std::ssize(x) / 3, x.size() / 10, -kInfinity<T>);
  });
}
TEST_P(NotFinite, ManyInfiniteTapsAndZeroSamples) {
  expect_local([]<class T>(std::span<T> x, std::span<T> h) {
    for (T& v : x) v = std::abs(v) + T(0.1);
    for (std::size_t i = 0; i < x.size(); i += 500) x[i] = 0;
    for (std::size_t j = 0; j < h.size(); j += 3) h[j] = -kInfinity<T>;
  });
}
TEST_P(NotFinite, NaNTapsAtBothEnds) {
  expect_local([]<class T>(std::span<T>, std::span<T> h) { h.front() = h.back() = kNan<T>; });
}
TEST_P(NotFinite, TapsMeetNothingBeforeAndBehindTheFullResult) {
  Rng rng = test_rng();
  for (std::int64_t const first : {-130, -64, -63, -10, -1, 0, 900}) {
    const Problem p{.signal = 900, .filter = 40, .window = Slice{first, 260}};
    for (std::size_t const tap : {0u, 1u, 20u, 39u}) {
      Workload w = random_workload(p, rng);
      w.filter.row<float>(0)[tap] = kNan<float>;
      EXPECT_TRUE(is_right(w, options(2)));
    }
  }
}
TEST_P(NotFinite, PatternsAtRandom) {
  Rng rng = test_rng();
  for (int round = 0; round < 4; ++round)
    expect_local([&]<class T>(std::span<T> x, std::span<T> h) {
      const T values[] = {kInfinity<T>, -kInfinity<T>, T(0), kNan<T>};
      const auto spoil = [&](std::span<T> to, std::int64_t one_in, std::int64_t kinds) {
        for (T& v : to)
          if (pick(rng, 1, one_in) == 1) v = values[pick(rng, 0, kinds)];
      };
      spoil(x, pick_size(rng, 2, 500), pick(rng, 0, 3));
      if (round % 2) spoil(h, pick_size(rng, 2, 500), pick(rng, 0, 3));
    });
}

// ---- overflow -----------------------------------------------------------------------------------------------------
TEST_P(NotFinite, MeanOfLargeValuesDoesNotOverflow) {
  expect_local([]<class T>(std::span<T> x, std::span<T> h) {
    const T large = kLargest<T> / 16;  // 1e37 times a 16-tap mean, in float
    for (T& v : x) v = large * (T(0.9) + v / 16);
    for (T& tap : h) tap = T(1) / static_cast<T>(h.size());
  });
}
TEST_P(NotFinite, OverflowsExactlyWhereTheDirectSumOverflows) {
  expect_local([]<class T>(std::span<T> x, std::span<T> h) {
    for (T& tap : h) tap = std::abs(tap) + T(0.5);
    for (std::size_t i = 0; i < x.size(); i += 7) x[i] = kLargest<T> / 2;
  });
}
TEST_P(NotFinite, AllOfTheLargestNumber) {
  expect_local([]<class T>(std::span<T> x, std::span<T>) { std::fill(x.begin(), x.end(), -kLargest<T>); });
}
TEST_P(NotFinite, OneSampleThatOverflowsWithEveryTap) {
  expect_local([]<class T>(std::span<T> x, std::span<T> h) {
    for (T& tap : h) tap = 3;
    x[x.size() / 2] = -kLargest<T>;
  });
}
TEST_P(NotFinite, LargeTapsAndSmallSamplesDoNotOverflow) {
  expect_local([]<class T>(std::span<T> x, std::span<T> h) {
    for (T& tap : h) tap *= kLargest<T> / 4;
    for (T& v : x) v /= kLargest<T> / 1024;
  });
}
TEST_P(NotFinite, OneLargeTapAmongOrdinaryOnes) {
  expect_local([]<class T>(std::span<T> x, std::span<T> h) {
    h[h.size() / 2] = kLargest<T> / 2;
    x[x.size() / 3] = 4;
  });
}
GPUCONV_OVER_SOLVERS(NotFinite);

// ---- cost ---------------------------------------------------------------------------------------------------------
// A sum along the filter for each output, or for each infinity, takes hundreds to thousands of times the clean time.
class NotFiniteCost : public SolverTest {};

TEST_P(NotFiniteCost, IsAMultipleOfTheCleanCost) {
  const Method method = GetParam()->method;
  if (method != Method::overlap_save && method != Method::fft) GTEST_SKIP() << "sums along the filter";
  const bool emulated = GetParam()->device == Device::cuda;  // and slow, if it is
  const std::int64_t n = emulated ? 40'000 : 200'000, m = emulated ? 4'000 : 5'000;
  const Problem problem{.signal = n, .filter = m, .mode = Mode::same};
  if (!takes(problem)) GTEST_SKIP();
  Plan plan(problem, {.method = method, .device = GetParam()->device});
  Rng rng = test_rng();
  const Workload w = random_workload(problem, rng);
  plan.set_filter(w.filter.row<float>(0));
  std::vector<float> out(static_cast<std::size_t>(n));
  const auto seconds = [&](std::vector<float> const& x) {
    double best = kInfinity<double>;
    for (int i = 0; i < 3; ++i) {
      const auto start = std::chrono::steady_clock::now();
      plan.execute(x, out);
      best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    return best;
  };
  const std::vector<float> ones(static_cast<std::size_t>(n), 1.0f);
  const double clean = seconds(ones);
  const auto expect_below = [&](double times, std::vector<float> const& x, std::string const& what) {
    EXPECT_LT(seconds(x), times * clean) << what << ' ' << plan.describe();
  };
  for (float const value : {kNan<float>, kInfinity<float>, -kInfinity<float>, -kLargest<float>}) {
    expect_below(100, std::vector<float>(ones.size(), value), "all " + std::to_string(value));
    std::vector<float> gap = ones;
    std::fill_n(gap.begin() + n / 3, n / 10, value);
    expect_below(50, gap, "gap " + std::to_string(value));
  }
  for (std::int64_t const period : {2, 10, 100, 1000, 4999}) {
    std::vector<float> sparse = ones;
    for (std::int64_t i = period - 1; i < n; i += period) sparse[static_cast<std::size_t>(i)] = kInfinity<float>;
    expect_below(100, sparse, "every " + std::to_string(period));
  }
}
GPUCONV_OVER_SOLVERS(NotFiniteCost);

// ---- neighbours ---------------------------------------------------------------------------------------------------
class NotFiniteRows : public SolverTest {};

TEST_P(NotFiniteRows, SpoilNoOtherRow) {
  Rng rng = test_rng();
  for (Filters const filters : {Filters::shared, Filters::per_row}) {
    const Problem problem{.signal = 500, .filter = 33, .batch = 9, .filters = filters};
    Workload w = random_workload(problem, rng);
    const Outcome clean = run(w, options());
    std::fill(w.signal.row<float>(4).begin(), w.signal.row<float>(4).end(), kNan<float>);
    w.signal.row<float>(6)[17] = kInfinity<float>;
    const Outcome spoilt = run(w, options());
    EXPECT_TRUE(Oracle(w).accepts(spoilt));
    for (std::int64_t const r : {0, 1, 2, 3, 5, 7, 8})
      EXPECT_TRUE(std::ranges::equal(clean.out.bytes(r), spoilt.out.bytes(r))) << "row " << r << ", " << spoilt.plan;
  }
}

TEST_P(NotFiniteRows, SpoilOutputsOfFarBlocksNotAtAll) {
  Rng rng = test_rng();
  Workload w = random_workload({.signal = 30000, .filter = 20, .mode = Mode::same}, rng);
  const Outcome clean = run(w, options());
  w.signal.row<float>(0)[15000] = kNan<float>;
  const Outcome spoilt = run(w, options());
  const auto a = clean.out.row<float>(0), b = spoilt.out.row<float>(0);
  std::int64_t changed = 0;
  for (std::size_t i = 0; i < a.size(); ++i) changed += a[i] != b[i] && !std::isnan(b[i]);
  EXPECT_EQ(std::count_if(b.begin(), b.end(), [](float v) { return std::isnan(v); }), 20) << spoilt.plan;
  EXPECT_LE(changed, 2 * spoilt.block) << spoilt.plan;  // the NaN may lie where two blocks overlap
}
GPUCONV_OVER_SOLVERS(NotFiniteRows);

}  // namespace
}  // namespace gpuconv::test

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
  /// Runs `spoil(signal, filter)` on random workloads of both types, all shapes and modes.
  template <class Spoil>
  void expect_local(Spoil spoil) const {
    expect_local<float>(spoil);
    expect_local<double>(spoil);
  }

  template <class T, class Spoil>
  void expect_local(Spoil spoil) const {
    Rng rng = test_rng();
    for (auto const& [n, m] : kShapes)
      for (Mode const mode : {Mode::full, Mode::same, Mode::valid}) {
        if (n * m > kOracleProducts) continue;
        const Problem problem{.signal = n, .filter = m, .mode = mode, .type = type_of<T>};
        if (!takes(problem)) continue;
        Workload w = random_workload(problem, rng);
        spoil(w.signal.row<T>(0), w.filter.row<T>(0));
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
TEST(NotFiniteCost, IsAMultipleOfTheCleanCost) {
  constexpr std::int64_t n = 200'000, m = 5'000;
  Plan plan({.signal = n, .filter = m, .mode = Mode::same}, {.method = Method::overlap_save, .device = Device::cpu});
  Rng rng = test_rng();
  const Workload w = random_workload({.signal = n, .filter = m, .mode = Mode::same}, rng);
  plan.set_filter(w.filter.row<float>(0));
  std::vector<float> out(n);
  const auto seconds = [&](std::vector<float> const& x) {
    double best = kInfinity<double>;
    for (int i = 0; i < 3; ++i) {
      const auto start = std::chrono::steady_clock::now();
      plan.execute(x, out);
      best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    return best;
  };
  const double clean = seconds(std::vector<float>(n, 1.0f));
  for (float const value : {kNan<float>, kInfinity<float>, -kInfinity<float>, -kLargest<float>}) {
    EXPECT_LT(seconds(std::vector<float>(n, value)), 100 * clean) << value;
    std::vector<float> gap(n, 1.0f);
    std::fill_n(gap.begin() + n / 3, n / 10, value);
    EXPECT_LT(seconds(gap), 50 * clean) << "gap of " << value;
  }
}

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

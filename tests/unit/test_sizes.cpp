// Sizes that straddle the edges of vectors, tiles, segments, edge pieces and overlap-save blocks.
#include "support/scale.hpp"
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include <gtest/gtest.h>

#include <set>

namespace gpuconv::test {
namespace {

class Sizes : public SolverTest {
 protected:
  void expect_right(std::int64_t n, std::int64_t m, Mode mode, Type type, Layouts const& layouts = {}) const {
    const Problem problem{.signal = n, .filter = m, .mode = mode, .type = type};
    if (!takes(problem) || std::min(n, m) * output_slice(problem).length > 4 * kOracleProducts) return;
    Rng rng = test_rng();
    EXPECT_TRUE(is_right(random_workload(problem, rng, layouts), options(), layouts.out));
  }
};

TEST_P(Sizes, EveryPairOfSmallSizes) {
  const std::int64_t step = kSlowdown > 1 ? 3 : 1;
  for (std::int64_t n = 1; n <= 40; n += step)
    for (std::int64_t m = 1; m <= 40; m += step)
      for (Mode const mode : {Mode::full, Mode::same, Mode::valid}) {
        expect_right(n, m, mode, Type::float32);
        expect_right(n, m, mode, n % 2 ? Type::float64 : Type::int16);
        if (HasFailure()) return;
      }
}

// Vectors have 2 to 16 lanes; tiles are 4 and 8 vectors; taps come 4 vectors at a time.
TEST_P(Sizes, AroundVectorsAndTiles) {
  for (std::int64_t const lanes : {2, 4, 8, 16})
    for (std::int64_t const vectors : {1, 4, 8, 16})
      for (std::int64_t const off : {-1, 0, 1}) {
        const std::int64_t size = std::max<std::int64_t>(1, lanes * vectors + off);
        for (Type const type : {Type::float32, Type::float64, Type::int64}) {
          expect_right(100, size, Mode::full, type);
          expect_right(size, 5, Mode::full, type);
          expect_right(size + 30, 31, Mode::valid, type);  // as many outputs as `size`
          if (HasFailure()) return;
        }
      }
}

// Direct: outputs in segments of 8192, the edges of a row in pieces of 256.
TEST_P(Sizes, AroundSegmentsAndEdgePieces) {
  for (std::int64_t const off : {-1, 0, 1}) {
    for (std::int64_t const length : {8192, 16384}) {
      expect_right(length + off, 3, Mode::same, Type::float32);
      expect_right(length + off - 36, 37, Mode::full, Type::float64);
      expect_right(37, length + off + 36, Mode::valid, Type::float32);
    }
    for (std::int64_t const edge : {256, 512}) {
      expect_right(3000, edge + 1 + off, Mode::full, Type::float32);
      expect_right(edge + 1 + off, 900, Mode::full, Type::int32);
      expect_right(8192 + 100, edge + off, Mode::same, Type::float64);
    }
  }
}

// The block size is read from the plan; rows are then made that end one output before, at and after a block's end.
TEST_P(Sizes, AroundBlocks) {
  for (std::int64_t const m : {1, 2, 16, 17, 100, 1000}) {
    const Problem probe{.signal = 40000, .filter = m, .mode = Mode::same};
    if (!takes(probe)) continue;
    const std::int64_t block = Plan(probe, options(1)).block();
    if (block == 0) continue;
    std::set<std::int64_t> lengths;
    for (std::int64_t const blocks : kSlowdown > 1 ? std::set<std::int64_t>{1, 3} : std::set<std::int64_t>{1, 2, 3, 8})
      for (std::int64_t const lanes : {2, 4, 8, 16})  // the step is the block less the taps but one, in whole vectors
        for (std::int64_t const off : {-1, 0, 1})
          lengths.insert(blocks * (block - (m - 1 + lanes - 1) / lanes * lanes) + off);
    for (std::int64_t const length : lengths) {
      if (length < 1) continue;
      expect_right(length, m, Mode::same, Type::float32);
      if (length > m - 1) expect_right(length - m + 1, m, Mode::full, Type::float32);
      if (HasFailure()) return;
    }
  }
}

TEST_P(Sizes, Primes) {
  const std::int64_t primes[] = {2, 3, 7, 31, 127, 509, 2039, 8191};
  for (std::int64_t const n : primes)
    for (std::int64_t const m : primes)
      for (Type const type : {Type::float32, Type::float64}) expect_right(n, m, Mode::full, type);
}

TEST_P(Sizes, FiltersManyTimesLongerThanSignals) {
  for (std::int64_t const n : {1, 2, 17, 100})
    for (std::int64_t const m : {500, 4099, 30000})
      for (Mode const mode : {Mode::full, Mode::same, Mode::valid})
        for (Type const type : {Type::float32, Type::float64, Type::uint8}) expect_right(n, m, mode, type);
}

TEST_P(Sizes, AnyAlignment) {
  for (std::int64_t offset = 0; offset < 17; ++offset)
    for (Type const type : {Type::float32, Type::float64, Type::int64, Type::int8}) {
      const Layouts layouts{{.offset = offset}, {.offset = offset / 2}, {.offset = 16 - offset}};
      expect_right(700, 19, Mode::same, type, layouts);
      if (HasFailure()) return;
    }
}
GPUCONV_OVER_SOLVERS(Sizes);

class Empty : public SolverTest {
 protected:
  template <class Call>
  std::string text_of(Call call) const {
    try {
      call();
    } catch (InvalidArgument const& e) {
      return e.what();
    }
    return "nothing was thrown";
  }
};

TEST_P(Empty, SignalOrFilterIsNamed) {
  const std::vector<float> none, one{1};
  for (Mode const mode : {Mode::full, Mode::same, Mode::valid}) {
    EXPECT_EQ(text_of([&] { convolve(none, one, call(mode)); }), "the signal is empty");
    EXPECT_EQ(text_of([&] { convolve(one, none, call(mode)); }), "the filter is empty");
    EXPECT_EQ(text_of([&] { Plan({.signal = 0, .filter = 3, .mode = mode}, options()); }), "the signal is empty");
    EXPECT_EQ(text_of([&] { Plan({.signal = 3, .filter = 0, .mode = mode}, options()); }), "the filter is empty");
  }
  EXPECT_EQ(text_of([&] { convolve(none, none, call(Same::scipy)); }), "the signal is empty");
}
GPUCONV_OVER_SOLVERS(Empty);

}  // namespace
}  // namespace gpuconv::test

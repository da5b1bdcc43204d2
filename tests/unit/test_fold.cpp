// Circular convolutions of integers with many times as many taps as samples, whose taps are added up when they are set.
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace gpuconv::test {
namespace {

class Folded : public SolverTest {};

// Around the number of taps from which on they are folded, and around whole periods.
TEST_P(Folded, TapsGiveExactlyTheSameSums) {
  Rng rng = test_rng();
  for (Type const type : {Type::int8, Type::uint16, Type::int32, Type::uint64})
    for (std::int64_t const n : {1, 7, 40})
      for (std::int64_t const m : {8 * n - 1, 8 * n, 8 * n + 1, 13 * n + n / 2, 30 * n})
        for (Operation const operation : {Operation::convolve, Operation::correlate}) {
          Problem p{.signal = n,
                    .filter = std::max<std::int64_t>(1, m),
                    .batch = 3,
                    .filters = m % 2 ? Filters::per_row : Filters::shared,
                    .mode = Mode::same,
                    .same = Same::scipy,
                    .type = type,
                    .operation = operation,
                    .boundary = Boundary::wrap};
          if (!takes(p)) continue;
          EXPECT_TRUE(is_right(random_workload(p, rng, {{}, {.gap = 3}, {}}), options(2)));
          p.window = Slice{-2 * n, 5 * n + 3, m % 3 + 1};
          EXPECT_TRUE(is_right(random_workload(p, rng), options(2)));
        }
}

// Sums beyond 64 bits wrap as they do without folding.
TEST_P(Folded, LargeTapsWrap) {
  const Problem p{.signal = 4,
                  .filter = 64,
                  .mode = Mode::same,
                  .same = Same::scipy,
                  .type = Type::int64,
                  .boundary = Boundary::wrap};
  if (!takes(p)) return;
  Workload w = empty_workload(p);
  for (std::int64_t& x : w.signal.row<std::int64_t>(0)) x = std::numeric_limits<std::int64_t>::max() - 3;
  for (std::int64_t& h : w.filter.row<std::int64_t>(0)) h = std::numeric_limits<std::int64_t>::min() + 5;
  EXPECT_TRUE(is_right(w, options(1)));
}
GPUCONV_OVER_SOLVERS(Folded);

TEST(FoldedPlan, KeepsATapForEachSample) {
  Problem p{.signal = 100,
            .filter = 100'000,
            .mode = Mode::same,
            .same = Same::scipy,
            .type = Type::int32,
            .boundary = Boundary::wrap};
  const Options direct{.method = Method::direct, .device = Device::cpu, .threads = 1};
  EXPECT_LT(Plan(p, direct).workspace_bytes(), 50'000u);
  p.boundary = Boundary::mirror;
  EXPECT_GT(Plan(p, direct).workspace_bytes(), 400'000u) << "whose taps are not those of one period";
}

}  // namespace
}  // namespace gpuconv::test

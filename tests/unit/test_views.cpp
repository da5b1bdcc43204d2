// Operands that lie in memory as a caller says: elements and rows at any stride, and banks of filters on batches. The
// results have the bits of the same rows side by side.
#include "support/placed.hpp"
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include <gpuconv/error.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace gpuconv::test {
namespace {

// The array as callers may have it: side by side, with gaps, as columns and so on, and with the elements alone or the
// columns from the last to the first.
std::vector<Placed> all_placements(Array const& array) {
  std::vector<Placed> all;
  for (int i = 0; i < std::ssize(kPlacements); ++i) all.emplace_back(array, static_cast<Placement>(i));
  const std::int64_t rows = array.rows(), columns = array.columns();
  const auto shape = [&](std::int64_t stride, std::int64_t element_stride) {
    return Rows{.rows = rows, .columns = columns, .stride = stride, .element_stride = element_stride};
  };
  all.emplace_back(array, shape(columns, -1));
  all.emplace_back(array, shape(-2, -2 * rows));
  return all;
}

class Views : public SolverTest {
 protected:
  // Runs a plan on the operands or, where the suite asks for it, on copies of their memory on the device, and takes
  // out the results.
  Array result(Plan& plan, Placed const& signal, Placed const& filter, Placed out) const {
    if (options().memory == Memory::host) {
      plan.set_filter(filter.input());
      plan.execute(signal.input(), out.output());
    } else {
      const DeviceBuffer<std::uint8_t> x = signal.upload(), h = filter.upload();
      DeviceBuffer<std::uint8_t> y = out.upload();
      plan.set_filter(filter.input(h), Stream{});
      plan.execute(signal.input(x), out.output(y), Stream{});
      out.download(y);
    }
    EXPECT_TRUE(out.rest_is_untouched());
    Array taken(result_type(plan.problem()), result_rows(plan.problem()), plan.output_length());
    out.take_out(taken);
    return taken;
  }
};

TEST_P(Views, ElementsAndRowsMayHaveAnyStride) {
  Rng rng = test_rng();
  for (auto const& [n, m] : {std::pair{700, 21}, std::pair{21, 700}, std::pair{3, 2}}) {
    const Problem p{.signal = n, .filter = m, .batch = 3, .filters = Filters::per_row, .mode = Mode::same};
    Plan plan(p, options(2));
    const Workload w = random_workload(p, rng);
    const auto signals = all_placements(w.signal), filters = all_placements(w.filter);
    const auto outs = all_placements(Array(Type::float32, 3, plan.output_length()));
    const Array expected = result(plan, signals[0], filters[0], outs[0]);
    for (std::size_t i = 1; i < signals.size(); ++i) {
      ASSERT_TRUE(result(plan, signals[i], filters[0], outs[0]) == expected) << "signal, " << i;
      ASSERT_TRUE(result(plan, signals[0], filters[i], outs[0]) == expected) << "filter, " << i;
      ASSERT_TRUE(result(plan, signals[0], filters[0], outs[i]) == expected) << "output, " << i;
      ASSERT_TRUE(result(plan, signals[i], filters[i], outs[i]) == expected) << "all, " << i;
    }
  }
}

Array row_of(Array const& array, std::int64_t r) {
  Array row(array.type(), 1, array.columns());
  std::ranges::copy(array.row<float>(r), row.row<float>(0).begin());
  return row;
}

TEST_P(Views, ABankIsEveryFilterOnEveryRow) {
  Rng rng = test_rng();
  const auto together = [](Array const& array) { return Placed(array, Placement::side_by_side); };
  for (auto const& [n, m] : {std::pair{900, 30}, std::pair{30, 900}})
    for (std::int64_t const batch : {1, 3}) {
      constexpr std::int64_t bank = 4;
      const Problem single{.signal = n, .filter = m, .mode = Mode::valid};
      Problem p = single, rows = single;
      p.batch = batch, p.filters = Filters::bank, p.bank = bank;
      rows.batch = bank, rows.filters = Filters::per_row;
      Plan plan(p, options(2)), one(single, options(2));
      const Array filters = random_workload(rows, rng).filter;
      rows.batch = batch;
      const Array signals = random_workload(rows, rng).signal;
      const Array empty(Type::float32, batch * bank, plan.output_length());
      const Array all = result(plan, together(signals), together(filters), Placed(empty, Placement::every_other));
      for (std::int64_t b = 0; b < batch; ++b)
        for (std::int64_t f = 0; f < bank; ++f) {
          const Array alone = result(one, together(row_of(signals, b)), together(row_of(filters, f)),
                                     together(Array(Type::float32, 1, plan.output_length())));
          ASSERT_TRUE(row_of(all, b * bank + f) == alone) << b << ' ' << f;
        }
    }
}
GPUCONV_OVER_SOLVERS(Views);

TEST(OneShotBank, IsToldByTheRowsOfTheOutput) {
  const std::vector<float> signal{1, 2, 3, 4, 5, 6}, filter{1, 0, 0, 1, 1, 1};  // 2 x 3, 3 x 2
  std::vector<float> out(12);
  const HostInput x = HostView(signal.data(), {.rows = 2, .columns = 3}),
                  h = HostView(filter.data(), {.rows = 3, .columns = 2});
  convolve(x, h, HostView(out.data(), {.rows = 6, .columns = 2}), Mode::valid);
  EXPECT_EQ(out, (std::vector<float>{2, 3, 1, 2, 3, 5, 5, 6, 4, 5, 9, 11}));
  EXPECT_THROW(convolve(x, h, HostView(out.data(), {.rows = 2, .columns = 2}), Mode::valid), InvalidArgument);
}

TEST(RefusedViews, OutputsInTheSamePlace) {
  Plan plan({.signal = 10, .filter = 1, .batch = 4});
  plan.set_filter(std::vector<float>{1});
  const std::vector<float> signal(1000, 1);
  std::vector<float> out(1000);
  const HostInput x = HostView(signal.data() + 500, {.rows = 4, .columns = 10, .stride = -3, .element_stride = 0});
  const auto run = [&](std::int64_t stride, std::int64_t element_stride) {
    plan.execute(
        x, HostView(out.data() + 500, {.rows = 4, .columns = 10, .stride = stride, .element_stride = element_stride}));
  };
  EXPECT_NO_THROW(run(10, 1));
  EXPECT_NO_THROW(run(-10, -1));
  EXPECT_NO_THROW(run(1, 4));
  EXPECT_NO_THROW(run(-1, 4));
  EXPECT_THROW(run(9, 1), InvalidArgument);
  EXPECT_THROW(run(0, 1), InvalidArgument);
  EXPECT_THROW(run(1, 3), InvalidArgument);
  EXPECT_THROW(run(10, 0), InvalidArgument);
  EXPECT_THROW(run(INT64_MAX, 1), InvalidArgument);
  EXPECT_THROW(run(10, INT64_MIN), InvalidArgument);
}

// The stride of what there is only one of does not matter.
TEST(ViewsOfOneRow, HaveAnyRowStride) {
  Plan plan({.signal = 3, .filter = 1});
  plan.set_filter(std::vector<float>{2});
  const std::vector<float> signal{1, 2, 3};
  for (std::int64_t const stride : {INT64_MIN, std::int64_t{0}, INT64_MAX}) {
    std::vector<float> out(3);
    plan.execute(HostView(signal.data(), {.columns = 3, .stride = stride}),
                 HostView(out.data(), {.columns = 3, .stride = stride}));
    EXPECT_EQ(out, (std::vector<float>{2, 4, 6}));
  }
}

TEST(RefusedViews, OutputsThatSpanTheSignal) {
  Plan plan({.signal = 10, .filter = 1});
  plan.set_filter(std::vector<float>{1});
  std::vector<float> memory(100);
  const auto run = [&](std::int64_t from, std::int64_t element_stride) {
    plan.execute(HostView<float const>(memory.data() + 50, 10),
                 HostView(memory.data() + from, {.columns = 10, .element_stride = element_stride}));
  };
  EXPECT_NO_THROW(run(49, -1));
  EXPECT_THROW(run(59, -1), InvalidArgument);
  EXPECT_THROW(run(68, -1), InvalidArgument);
  EXPECT_NO_THROW(run(69, -1));
  EXPECT_THROW(run(40, 2), InvalidArgument);
}

TEST(RefusedViews, BanksThatAreNone) {
  Problem p{.signal = 10, .filter = 3, .filters = Filters::bank};
  p.bank = 0;
  EXPECT_THROW(Plan{p}, InvalidArgument);
  p.bank = INT64_MAX, p.batch = 3;
  EXPECT_THROW(Plan{p}, InvalidArgument);
  p.filters = static_cast<Filters>(3);
  EXPECT_THROW(Plan{p}, InvalidArgument);
}

}  // namespace
}  // namespace gpuconv::test

// Rows that lie across memory, such as the columns of a matrix, which the CPU takes some at a time: each has the bits
// of the row by itself, and that one is right.
#include "support/pictures.hpp"
#include "support/placed.hpp"
#include "support/scale.hpp"
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace gpuconv::test {
namespace {

// How rows lie: `step` elements from row to row, `stride` from one of a row to the next, either of them negative.
struct Strides {
  std::int64_t step, stride;
};
Placed placed(Array const& array, Strides s) {
  return {array, {.rows = array.rows(), .columns = array.columns(), .stride = s.step, .element_stride = s.stride}};
}

void copy_row(Array const& from, std::int64_t row, Array& to) {
  visit_type(from.type(),
             [&]<class T>(std::type_identity<T>) { std::ranges::copy(from.row<T>(row), to.row<T>(0).begin()); });
}

// A row of a workload by itself, with its filter or filters.
Workload row_alone(Workload const& w, std::int64_t r) {
  Problem p = w.problem;
  p.batch = 1;
  Workload alone = empty_workload(p);
  copy_row(w.signal, r, alone.signal);
  if (p.filters == Filters::per_row) copy_row(w.filter, r, alone.filter);
  else alone.filter = w.filter;
  return alone;
}

class AcrossRows : public SolverTest {
 protected:
  // What the solver takes, in a time worth waiting for.
  bool takes_soon(Problem const& p) const {
    constexpr std::int64_t kSlowProducts = 1 << 22;
    const bool slow = solver()->method == Method::reference && p.batch * p.signal * p.filter > kSlowProducts;
    return takes(p) && !slow;
  }

  // Whether rows at these strides have the bits of the rows by themselves, with one thread or two.
  testing::AssertionResult has_bits(Workload const& w, Strides in, Strides out, int threads) const {
    Problem const& p = w.problem;
    const Placed x = placed(w.signal, in);
    Plan plan(p, options(threads));
    Array results(result_type(p), result_rows(p), plan.output_length());
    Placed y = placed(results, out);
    plan.set_filter(w.filter.input());
    plan.execute(x.input(), y.output());
    y.take_out(results);
    const std::int64_t each = result_rows(p) / p.batch;
    for (std::int64_t r = 0; r < p.batch; ++r) {
      const Workload alone = row_alone(w, r);
      Array expected(result_type(p), each, plan.output_length());
      Plan one(alone.problem, options(1));
      one.set_filter(alone.filter.input());
      one.execute(alone.signal.input(), expected.output());
      for (std::int64_t f = 0; f < each; ++f)
        if (!std::ranges::equal(results.bytes(r * each + f), expected.bytes(f)))
          return testing::AssertionFailure() << to_string(p) << ": row " << r << ", filter " << f << ", strides "
                                             << in.step << ' ' << in.stride << " -> " << out.step << ' ' << out.stride;
    }
    if (!y.rest_is_untouched()) return testing::AssertionFailure() << to_string(p) << ": wrote between rows";
    return testing::AssertionSuccess();
  }

  // The same for strides that a caller may have.
  testing::AssertionResult has_bits(Workload const& w, int threads = 1) {
    const std::int64_t in = w.problem.batch, out = result_rows(w.problem);
    const std::int64_t n = w.problem.signal, length = output_slice(w.problem).length;
    const std::pair<Strides, Strides> layouts[] = {
        {{1, in}, {1, out}},                                                                  // a matrix
        {{1, in + 3}, {1, out + 1}},                                                          // a part of one
        {{-1, -in}, {-1, -out - 2}},                                                          // backwards, in both
        {{-1, in}, {1, -out}},       {{2, 2 * in + 1}, {3, 3 * out}},                         // channels that alternate
        {{n, 1}, {1, out}},          {{1, in}, {length + 1, 1}},      {{n, 1}, {length, 1}},  // side by side
    };
    for (auto const& [x, y] : layouts)
      if (thinned_.takes_next())
        if (auto result = has_bits(w, x, y, threads); !result) return result;
    return testing::AssertionSuccess();
  }

 private:
  Thinned thinned_;
};

TEST_P(AcrossRows, HaveTheBitsOfTheRowAlone) {
  Rng rng = test_rng();
  for (std::int64_t const rows : {2, 3, 7, 8, 15, 16, 17, 33, 64, 67})
    for (auto const& [n, m] : {std::pair{1, 1}, std::pair{5, 3}, std::pair{40, 17}, std::pair{300, 65}})
      for (Mode const mode : {Mode::full, Mode::same, Mode::valid})
        for (Type const type : {Type::float32, Type::float64}) {
          const Problem p{.signal = n, .filter = m, .batch = rows, .mode = mode, .type = type};
          if (takes_soon(p)) {
            ASSERT_TRUE(has_bits(random_workload(p, rng)));
          }
        }
}

TEST_P(AcrossRows, OfEveryTypeHaveThem) {
  Rng rng = test_rng();
  for (Type const type : {Type::int8, Type::uint8, Type::int16, Type::uint16, Type::int32, Type::uint32, Type::int64,
                          Type::uint64, Type::float32})
    for (auto const& [n, m] : {std::pair{40, 5}, std::pair{900, 300}}) {
      Problem p{.signal = n, .filter = m, .batch = 19, .mode = Mode::same, .type = type};
      if (takes_soon(p)) {
        ASSERT_TRUE(has_bits(random_workload(p, rng)));
      }
      p.result_type = is_floating(type) ? Type::float64 : Type::float32;
      if (takes_soon(p)) {
        ASSERT_TRUE(has_bits(random_workload(p, rng)));
      }
    }
}

// Longer than what is computed at once, with more taps than a piece of a sum has, and than the signal has samples.
TEST_P(AcrossRows, OfManySamplesAndTapsHaveThem) {
  Rng rng = test_rng();
  for (auto const& [n, m] : {std::pair{9000, 3}, std::pair{3000, 511}, std::pair{2500, 512}, std::pair{2500, 513},
                             std::pair{3000, 1100}, std::pair{200, 700}, std::pair{6000, 5000}})
    for (Type const type : {Type::float32, Type::float64}) {
      const Problem p{.signal = n, .filter = m, .batch = 18, .mode = Mode::same, .type = type};
      if (takes_soon(p)) {
        const Workload w = random_workload(p, rng);
        ASSERT_TRUE(has_bits(w, {1, 18}, {1, 18}, 2));
        ASSERT_TRUE(has_bits(w, {-1, 20}, {1, 19}, 3));
        ASSERT_TRUE(is_right(row_alone(w, 5), options()));
      }
    }
}

TEST_P(AcrossRows, WithBoundariesAndWindowsHaveThem) {
  Rng rng = test_rng();
  for (Boundary const boundary :
       {Boundary::zero, Boundary::constant, Boundary::nearest, Boundary::reflect, Boundary::mirror, Boundary::wrap})
    for (auto const& [n, m] : {std::pair{5, 12}, std::pair{50, 9}, std::pair{1200, 40}})
      for (Slice const window : {Slice{-20, n + m + 40}, Slice{0, 25}, Slice{n - 3, 20}, Slice{m - 1, 30, 3}}) {
        Problem p{.signal = n, .filter = m, .batch = 21};
        p.boundary = boundary, p.constant = boundary == Boundary::constant ? 1.5 : 0, p.window = window;
        if (!takes_soon(p)) continue;
        const Workload w = random_workload(p, rng);
        ASSERT_TRUE(has_bits(w)) << static_cast<int>(boundary) << ", window from " << window.first;
        ASSERT_TRUE(is_right(row_alone(w, 1), options()));
      }
}

TEST_P(AcrossRows, WithFiltersOfTheirOwnAndBanksHaveThem) {
  Rng rng = test_rng();
  for (Filters const filters : {Filters::per_row, Filters::bank})
    for (auto const& [n, m] : {std::pair{40, 9}, std::pair{2200, 30}, std::pair{30, 80}}) {
      Problem p{.signal = n, .filter = m, .batch = 18, .filters = filters, .mode = Mode::same};
      if (filters == Filters::bank) p.bank = 3;
      if (takes_soon(p)) {
        Workload w = random_workload(p, rng);
        if (filters == Filters::bank) fill_random(w.filter = Array(p.type, p.bank, m), rng);
        ASSERT_TRUE(has_bits(w, 2));
      }
    }
}

TEST_P(AcrossRows, DoNotDependOnThreads) {
  Rng rng = test_rng();
  for (std::int64_t const rows : {2, 40, 150}) {
    const Problem p{.signal = 20000, .filter = 70, .batch = rows, .mode = Mode::full};
    if (!takes_soon(p)) continue;
    const Workload w = random_workload(p, rng);
    for (int const threads : {1, 2, 5}) ASSERT_TRUE(has_bits(w, {1, rows}, {1, rows}, threads));
  }
}

// What is not finite reaches the windows that hold it and no other row, whether it is a sample or a tap.
TEST_P(AcrossRows, WhatIsNotFiniteStaysInItsRow) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();
  Rng rng = test_rng();
  for (auto const& [n, m] : {std::pair{60, 20}, std::pair{1500, 31}})
    for (bool const tap : {false, true}) {
      const Problem p{.signal = n, .filter = m, .batch = 17};
      if (!takes_soon(p)) continue;
      Workload w = random_workload(p, rng);
      w.signal.row<float>(3)[7] = kNan;
      w.signal.row<float>(16).back() = kInfinity;
      if (tap) w.filter.row<float>(0)[4] = -kInfinity;
      ASSERT_TRUE(has_bits(w));
      for (std::int64_t const r : {2, 3, 16}) ASSERT_TRUE(is_right(row_alone(w, r), options()));
    }
}
// Lines of several images, whose samples are a column apart: the rows of an image are neighbours, and the next image's
// are not.
TEST_P(AcrossRows, OfTransposedImagesHaveThem) {
  Rng rng = test_rng();
  for (Filters const filters : {Filters::shared, Filters::per_row})
    for (std::int64_t const taps : {5, 40, 130})
      for (int const threads : {1, 3}) {
        const std::int64_t lines = 37, columns = 300;
        const Problem p{.signal = columns,
                        .filter = taps,
                        .batch = 3,
                        .filters = filters,
                        .mode = Mode::same,
                        .lines = {.signal = lines, .filter = 1}};
        if (!takes(p)) continue;
        Scene dense(p, rng);
        dense.run(options(threads));
        Array x(p.type, 3, lines * columns), y(p.type, 3, lines * columns);
        const Images transposed{
            .images = 3, .lines = lines, .columns = columns, .line_stride = 1, .element_stride = lines};
        const auto at = [&](Array& of, std::int64_t b, std::int64_t l, std::int64_t c) {
          return of.row<float>(b).data() + c * lines + l;
        };
        dense.signal.each([&](auto b, auto l, auto c) { *at(x, b, l, c) = dense.signal.get<float>(b, l, c, 0); });
        Images shape = transposed;
        shape.stride = x.row<float>(1).data() - x.row<float>(0).data();
        Plan plan(p, options(threads));
        plan.set_filter(dense.filter.input());
        plan.execute(HostInput(x.row<float>(0).data(), p.type, shape),
                     HostOutput(y.row<float>(0).data(), p.type, shape));
        dense.out.each([&](auto b, auto l, auto c) {
          const float got = *at(y, b, l, c), expected = dense.out.get<float>(b, l, c, 0);
          ASSERT_EQ(got, expected) << to_string(p) << ": image " << b << ", line " << l << ", output " << c;
        });
      }
}

INSTANTIATE_TEST_SUITE_P(Solvers, AcrossRows,
                         testing::ValuesIn(detail::cpu_solvers().begin(), detail::cpu_solvers().end()), solver_name);

}  // namespace
}  // namespace gpuconv::test

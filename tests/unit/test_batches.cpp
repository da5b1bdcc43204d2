// Batches: a row's bits depend on its data, its filter and the method alone; strides; what lies between rows stays.
#include "support/scale.hpp"
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace gpuconv::test {
namespace {

struct Shape {
  std::int64_t signal, filter;
};
constexpr Shape kShapes[] = {{1, 1}, {7, 3}, {3, 7}, {130, 17}, {1000, 64}, {5000, 300}, {9000, 5}};

void copy_row(Array const& from, std::int64_t r, Array& to, std::int64_t s) {
  visit_type(from.type(),
             [&]<class T>(std::type_identity<T>) { std::ranges::copy(from.row<T>(r), to.row<T>(s).begin()); });
}

// Row `r` of the workload as a problem of its own.
Workload row_alone(Workload const& w, std::int64_t r) {
  Problem p = w.problem;
  p.batch = 1;
  Workload alone = empty_workload(p);
  copy_row(w.signal, r, alone.signal, 0);
  copy_row(w.filter, p.filters == Filters::per_row ? r : 0, alone.filter, 0);
  return alone;
}

class Batches : public SolverTest {
 protected:
  static testing::AssertionResult same_bits(Outcome const& together, std::int64_t r, Outcome const& alone) {
    return are_same_bits(together.out.bytes(r), alone.out.bytes(0),
                         "row " + std::to_string(r) + ", " + together.plan + "; alone: " + alone.plan);
  }

  template <class Each>
  void each_problem(std::int64_t batch, Each each) const {
    for (Shape const& shape : kShapes)
      for (Filters const filters : {Filters::shared, Filters::per_row})
        for (Type const type : {Type::float32, Type::float64, Type::int16, Type::complex64}) {
          const Problem p{.signal = shape.signal,
                          .filter = shape.filter,
                          .batch = batch,
                          .filters = filters,
                          .mode = Mode::same,
                          .type = type};
          if (takes(p) && shape.signal * shape.filter <= kOracleProducts * 2) each(p);
        }
  }
};

TEST_P(Batches, EveryRowIsRight) {
  Rng rng = test_rng();
  each_problem(3, [&](Problem const& p) {
    const Layouts layouts{{.offset = 1, .gap = 3}, {.offset = 2, .gap = 1}, {.offset = 3, .gap = 5}};
    EXPECT_TRUE(is_right(random_workload(p, rng, layouts), options(), layouts.out));
  });
}

TEST_P(Batches, AreBitIdenticalToTheRowAlone) {
  Rng rng = test_rng();
  for (std::int64_t const batch : {2, 5, 16})
    each_problem(batch, [&](Problem const& p) {
      const Workload w = random_workload(p, rng, {.signal = {.offset = 1, .gap = 2}, .filter = {}, .out = {}});
      const Outcome together = run(w, options(), {.offset = 3, .gap = 1});
      for (std::int64_t r = 0; r<batch; r += batch> 5 ? 5 : 1) {
        const Outcome alone = run(row_alone(w, r), options());
        ASSERT_TRUE(same_bits(together, r, alone)) << to_string(p);
      }
    });
}

TEST_P(Batches, DoNotDependOnTheirNeighbours) {
  Rng rng = test_rng();
  for (float const neighbour :
       {std::numeric_limits<float>::quiet_NaN(), 1e30f, -std::numeric_limits<float>::infinity()})
    for (Shape const& shape : kShapes) {
      const Problem p{.signal = shape.signal, .filter = shape.filter, .batch = 3, .mode = Mode::full};
      if (!takes(p)) continue;
      Workload w = random_workload(p, rng);
      const Outcome calm = run(w, options());
      std::ranges::fill(w.signal.row<float>(0), neighbour);
      std::ranges::fill(w.signal.row<float>(2), neighbour);
      const Outcome outcome = run(w, options());
      EXPECT_TRUE(std::ranges::equal(outcome.out.bytes(1), calm.out.bytes(1)))
          << to_string(p) << "\n  " << outcome.plan;
    }
}

TEST_P(Batches, DoNotDependOnTheirPlace) {
  Rng rng = test_rng();
  const Problem p{.signal = 777, .filter = 50, .batch = 8, .mode = Mode::same};
  Workload w = random_workload(p, rng);
  for (std::int64_t r = 1; r < p.batch; ++r) copy_row(w.signal, 0, w.signal, r);
  const Outcome outcome = run(w, options());
  for (std::int64_t r = 1; r < p.batch; ++r)
    EXPECT_TRUE(std::ranges::equal(outcome.out.bytes(0), outcome.out.bytes(r))) << "row " << r << ", " << outcome.plan;
}

TEST_P(Batches, DoNotDependOnThreads) {
  Rng rng = test_rng();
  for (Problem const& p :
       {Problem{.signal = 300000, .filter = 31, .mode = Mode::same},
        Problem{.signal = 3000, .filter = 200, .batch = 64, .mode = Mode::full},
        Problem{.signal = 100000, .filter = 3000, .batch = 2, .mode = Mode::valid, .type = Type::float64},
        Problem{.signal = 100000, .filter = 31, .mode = Mode::same, .type = Type::complex64},
        Problem{.signal = 90000, .filter = 90000, .mode = Mode::valid, .type = Type::complex64},
        Problem{.signal = 3000, .filter = 200, .batch = 32, .type = Type::complex128}}) {
    if (!takes(p) || solver()->method == Method::reference) continue;
    const Workload w = random_workload(p, rng);
    const Outcome one = run(w, options(1));
    // For a GPU's solver they only copy to and from pinned memory.
    const bool on_cpu = solver()->device == Device::cpu;
    for (int const threads : on_cpu ? std::vector{2, 3, 4, 5, 6, 7, 8} : std::vector{2, 8}) {
      const Outcome many = run(w, options(threads));
      EXPECT_TRUE(one.out == many.out) << to_string(p) << "\n  " << one.plan << "\n  " << many.plan;
    }
  }
}

TEST_P(Batches, AreTheSameInEveryRun) {
  Rng rng = test_rng();
  for (Problem const& p :
       {Problem{.signal = 20000, .filter = 40, .batch = 5}, Problem{.signal = 33, .filter = 90, .batch = 50}}) {
    if (!takes(p)) continue;
    const Workload w = random_workload(p, rng);
    Plan plan(p, options());
    plan.set_filter(w.filter.input());
    const Outcome first = run(w, options());
    for (int i = 0; i < 10; ++i) {
      Array out(result_type(p), p.batch, plan.output_length());
      plan.execute(w.signal.input(), out.output());
      EXPECT_TRUE(out == first.out) << to_string(p) << ", run " << i << ", " << plan.describe();
    }
  }
}

// Rows that are read may overlap: every window of one signal as a row of its own.
TEST_P(Batches, SlidingWindowsOfOneSignal) {
  Rng rng = test_rng();
  for (std::int64_t const step : {1, 3, 100}) {
    const Problem p{.signal = 130, .filter = 17, .batch = 40, .filters = Filters::per_row, .mode = Mode::same};
    Workload apart = random_workload(p, rng);
    Array signal(Type::float32, 1, p.signal + step * (p.batch - 1)),
        filter(Type::float32, 1, p.filter + step * (p.batch - 1));
    fill_random(signal, rng);
    fill_random(filter, rng);
    for (std::int64_t r = 0; r < p.batch; ++r) {
      std::copy_n(signal.row<float>(0).begin() + r * step, p.signal, apart.signal.row<float>(r).begin());
      std::copy_n(filter.row<float>(0).begin() + r * step, p.filter, apart.filter.row<float>(r).begin());
    }
    const Outcome expected = run(apart, options());
    Plan plan(p, options());
    Array out(Type::float32, p.batch, plan.output_length());
    plan.set_filter({filter.input().data(), Type::float32, {.rows = p.batch, .columns = p.filter, .stride = step}});
    plan.execute({signal.input().data(), Type::float32, {.rows = p.batch, .columns = p.signal, .stride = step}},
                 out.output());
    EXPECT_TRUE(out == expected.out) << "step " << step << ", " << plan.describe();
  }
}

// Vectors of an unaligned row straddle other boundaries; the sums must not.
TEST_P(Batches, DoNotDependOnAlignment) {
  Rng rng = test_rng();
  for (std::size_t i = 0; i < 2 * std::size(kShapes); ++i) {
    Shape const& shape = kShapes[i / 2];
    const Type type = i % 2 == 0 ? Type::float32 : Type::complex64;
    const Problem p{.signal = shape.signal, .filter = shape.filter, .mode = Mode::same, .type = type};
    if (!takes(p)) continue;
    const Workload w = random_workload(p, rng);
    const Outcome aligned = run(w, options());
    for (std::int64_t const offset : {1, 2, 3, 7, 8}) {
      Workload moved = empty_workload(p, {{.offset = offset}, {.offset = offset}, {}});
      copy_row(w.signal, 0, moved.signal, 0);
      copy_row(w.filter, 0, moved.filter, 0);
      const Outcome outcome = run(moved, options(), {.offset = offset + 1});
      EXPECT_TRUE(std::ranges::equal(aligned.out.bytes(0), outcome.out.bytes(0)))
          << to_string(p) << ", " << outcome.plan;
    }
  }
}

// Blocks of another size would give other bits.
TEST_P(Batches, BlocksDoNotDependOnTheNumberOfRows) {
  const auto blocks = [&](Problem p, std::int64_t batch) {
    p.batch = batch;
    Options o = options();
    o.threads = 1;
    return takes(p) ? estimates(p, o).front().block : 0;
  };
  for (Type const type : {Type::float32, Type::float64, Type::complex64})
    for (std::int64_t signal = 100; signal < 1 << 20; signal = signal * 3 + 1)
      for (std::int64_t filter = 3; filter < signal; filter *= 3) {
        const Problem p{.signal = signal, .filter = filter, .mode = Mode::same, .type = type};
        for (std::int64_t const batch : {3, 100, 1000}) EXPECT_EQ(blocks(p, 1), blocks(p, batch)) << to_string(p);
      }
  // Where one way of transforming takes over from another.
  for (Type const type : {Type::float32, Type::float64, Type::complex64})
    for (std::int64_t const filter : {7500, 8100, 12000, 15000, 16000, 16300})
      for (std::int64_t const signal : {5000, 20000, 200000}) {
        const Problem p{.signal = signal, .filter = filter, .type = type};
        for (std::int64_t const batch : {16, 64, 1000}) EXPECT_EQ(blocks(p, 1), blocks(p, batch)) << to_string(p);
      }
}

// Results larger than the cache are written by other instructions.
TEST_P(Batches, StreamedResultsAreTheSame) {
  Rng rng = test_rng();
  for (Problem const& p : {Problem{.signal = 1 << 17, .filter = 9, .batch = 9, .mode = Mode::same},
                           Problem{.signal = 1 << 17, .filter = 40, .batch = 9, .mode = Mode::same},
                           Problem{.signal = 1 << 16, .filter = 9, .batch = 18, .type = Type::complex64},
                           Problem{.signal = 1 << 16, .filter = 40, .batch = 9, .type = Type::complex128}}) {
    if (!takes(p)) continue;
    Problem single = p;
    single.batch = 1;
    Workload w = random_workload(single, rng);
    Workload many = empty_workload(p);
    copy_row(w.filter, 0, many.filter, 0);
    for (std::int64_t r = 0; r < p.batch; ++r) copy_row(w.signal, 0, many.signal, r);
    const Outcome one = run(w, options());
    for (std::int64_t const offset : {0, 1}) {
      const Outcome outcome = run(many, options(), {.offset = offset, .gap = offset});
      for (std::int64_t r = 0; r < p.batch; ++r) EXPECT_TRUE(same_bits(outcome, r, one));
    }
  }
}
GPUCONV_OVER_SOLVERS(Batches);

}  // namespace
}  // namespace gpuconv::test

// Short rows on the CPU, which direct takes many at a time: sizes around vectors and windows, neighbours, exact ends.
#include "support/scale.hpp"
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace gpuconv::test {
namespace {

constexpr Options kDirect{.method = Method::direct, .device = Device::cpu, .threads = 1};
constexpr std::int64_t kSizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 130};
constexpr Mode kModes[] = {Mode::full, Mode::same, Mode::valid};

template <class Each>
void each_problem(std::int64_t batch, std::initializer_list<Type> types, Each each) {
  Thinned thinned;
  for (std::int64_t const n : kSizes)
    for (std::int64_t const m : kSizes)
      for (Mode const mode : kModes)
        for (Filters const filters : {Filters::shared, Filters::per_row})
          for (Type const type : types)
            if (thinned.takes_next())
              each(Problem{.signal = n, .filter = m, .batch = batch, .filters = filters, .mode = mode, .type = type});
}

void copy_row(Array const& from, std::int64_t r, Array& to, std::int64_t s) {
  visit_type(from.type(),
             [&]<class T>(std::type_identity<T>) { std::ranges::copy(from.row<T>(r), to.row<T>(s).begin()); });
}

// The rows from `r` on as a problem of their own.
Workload rows_alone(Workload const& w, std::int64_t r, std::int64_t rows) {
  Problem p = w.problem;
  p.batch = rows;
  Workload alone = empty_workload(p);
  for (std::int64_t i = 0; i < rows; ++i) copy_row(w.signal, r + i, alone.signal, i);
  for (std::int64_t i = 0; i < (p.filters == Filters::per_row ? rows : 1); ++i)
    copy_row(w.filter, p.filters == Filters::per_row ? r + i : 0, alone.filter, i);
  return alone;
}

TEST(ShortRows, EverySizeIsRight) {
  Rng rng = test_rng();
  each_problem(5, {Type::float32, Type::float64, Type::int32, Type::complex64}, [&](Problem const& p) {
    ASSERT_TRUE(is_right(random_workload(p, rng), kDirect));
    const Layouts apart{{.offset = 1, .gap = 2}, {.offset = 3, .gap = 1}, {.offset = 5, .gap = 3}};
    ASSERT_TRUE(is_right(random_workload(p, rng, apart), kDirect, apart.out));
  });
}

// Looks at rows at the ends of the batch and around the ends of the windows that rows share, wherever these may be.
TEST(ShortRows, HaveTheBitsOfTheRowAlone) {
  Rng rng = test_rng();
  each_problem(0, {Type::float32, Type::complex64}, [&](Problem p) {
    p.batch = std::clamp<std::int64_t>(9000 / (p.signal + p.filter - 1), 40, 5000);
    const Workload w = random_workload(p, rng);
    const Outcome together = run(w, kDirect);
    Options two = kDirect;
    two.threads = 2;
    ASSERT_TRUE(run(w, two).out == together.out) << to_string(p);
    for (std::int64_t r : {std::int64_t{0}, pick(rng, 1, p.batch - 1), p.batch - 1}) {
      const Outcome alone = run(rows_alone(w, r, 1), kDirect);
      ASSERT_TRUE(std::ranges::equal(together.out.bytes(r), alone.out.bytes(0))) << r << " of " << to_string(p);
    }
    const Outcome some = run(rows_alone(w, 3, p.batch / 2), kDirect, {.offset = 1, .gap = 1});
    for (std::int64_t r = 0; r < p.batch / 2; ++r)
      ASSERT_TRUE(std::ranges::equal(together.out.bytes(3 + r), some.out.bytes(r))) << r << " of " << to_string(p);
  });
}

// Some hundred samples: the rows' interiors come straight from the caller's memory, their ends do not.
TEST(ShortRows, LongerOnesHaveTheBitsOfTheRowAlone) {
  Rng rng = test_rng();
  for (std::int64_t const n : {255, 256, 777, 1000, 1999, 2048, 2049})
    for (std::int64_t const m : {1, 2, 3, 17, 33, 64, 250})
      for (Mode const mode : kModes)
        for (Filters const filters : {Filters::shared, Filters::per_row}) {
          const Problem p{.signal = n, .filter = m, .batch = 23, .filters = filters, .mode = mode};
          const Workload w = random_workload(p, rng, {.signal = {.offset = 1}, .filter = {}, .out = {}});
          ASSERT_TRUE(is_right(rows_alone(w, 0, 3), kDirect));
          const Outcome together = run(w, kDirect);
          for (std::int64_t const r : {0, 7, 22}) {
            const Outcome alone = run(rows_alone(w, r, 1), kDirect, {.offset = 2});
            ASSERT_TRUE(std::ranges::equal(together.out.bytes(r), alone.out.bytes(0))) << r << " of " << to_string(p);
          }
        }
}

// Nothing of a neighbour is to be seen, whatever it holds: in rows whose filter is finite as in those whose is not.
TEST(ShortRows, WhatIsNotFiniteStaysInItsRow) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();
  Rng rng = test_rng();
  each_problem(40, {Type::float32, Type::complex64}, [&](Problem const& p) {
    Workload w = random_workload(p, rng);
    const Outcome clean = run(w, kDirect);
    std::ranges::fill(w.signal.parts<float>(3), kNan);
    std::ranges::fill(w.signal.parts<float>(20), kInfinity);
    w.signal.parts<float>(39).back() = -kInfinity;
    w.signal.parts<float>(30).front() = kInfinity;
    const bool own = p.filters == Filters::per_row;
    if (own) w.filter.parts<float>(7).front() = kInfinity, w.filter.parts<float>(8).back() = kNan;
    ASSERT_TRUE(is_right(w, kDirect));
    const Outcome spoilt = run(w, kDirect);
    for (std::int64_t const r : {0, 2, 4, 6, 9, 19, 21, 29, 31, 38})
      ASSERT_TRUE(std::ranges::equal(clean.out.bytes(r), spoilt.out.bytes(r))) << r << " of " << to_string(p);
  });
}

// Arrays without a byte around them: AddressSanitizer sees whoever reads or writes more.
TEST(ShortRows, NothingAroundTheArraysIsTouched) {
  each_problem(37, {Type::float32}, [&](Problem const& p) {
    const bool own = p.filters == Filters::per_row;
    const std::vector<float> x(static_cast<std::size_t>(p.batch * p.signal), 2),
        h(static_cast<std::size_t>((own ? p.batch : 1) * p.filter), 3);
    Plan plan(p, kDirect);
    std::vector<float> y(static_cast<std::size_t>(p.batch * plan.output_length()), -1);
    plan.set_filter(HostView<float const>(h.data(), {.rows = own ? p.batch : 1, .columns = p.filter}));
    plan.execute(HostView<float const>(x.data(), {.rows = p.batch, .columns = p.signal}),
                 HostView<float>(y.data(), {.rows = p.batch, .columns = plan.output_length()}));
    for (float const v : y) ASSERT_TRUE(v >= 6) << to_string(p);
  });
}

}  // namespace
}  // namespace gpuconv::test

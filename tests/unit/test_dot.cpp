// Few outputs of many taps: sums along the taps, shared between threads and added in order.
#include "support/executors.hpp"
#include "support/scale.hpp"
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

namespace gpuconv::test {
namespace {

using namespace detail;

// Below, at and above a vector, a piece of any vector width and a thread's share.
constexpr std::int64_t kTaps[] = {16,   17,   31,   64,   65,   255,   511,   513,  1024,
                                  1027, 2048, 4095, 4097, 8200, 32767, 32769, 70000};
constexpr std::int64_t kOutputs[] = {1, 2, 3, 4, 5, 7, 8, 16, 31, 32, 33, 64, 65};

Problem few_outputs(std::int64_t taps, std::int64_t outputs, Type type = Type::float32) {
  return {.signal = taps + outputs - 1, .filter = taps, .mode = Mode::valid, .type = type};
}

template <class Value>
void fill(Array& array, Value value) {
  for (std::int64_t r = 0; r < array.rows(); ++r)
    visit_part(array.type(), [&]<class T>(std::type_identity<T>) {
      for (std::size_t i = 0; T & v : array.parts<T>(r)) v = static_cast<T>(value(i++));
    });
}

std::vector<SolverPointer> direct_solvers() {
  std::vector<SolverPointer> out = solver_table();
  std::erase_if(out, [](SolverPointer s) { return s->method != Method::direct; });
  return out;
}
class FewOutputs : public SolverTest {
 protected:
  /// Every number of taps with some of the numbers of outputs, either operand the longer one.
  template <class Change>
  void expect_right(Type type, Change change, Options const& how) const {
    Rng rng = test_rng();
    std::size_t next = 0;
    for (std::int64_t const taps : kTaps)
      for (int i = 0; i < 3; ++i, ++next) {
        const std::int64_t outputs = kOutputs[next % std::size(kOutputs)];
        Problem problem = few_outputs(taps, outputs, type);
        if (next % 2) std::swap(problem.signal, problem.filter);
        if (!takes(problem) || taps * outputs > kOracleProducts) continue;
        Workload w = random_workload(problem, rng);
        change(w);
        EXPECT_TRUE(is_right(w, how)) << taps << " taps, " << outputs << " outputs";
      }
  }
};

TEST_P(FewOutputs, OfEveryType) {
  for (Type const type : {Type::float32, Type::float64, Type::int8, Type::int16, Type::int32, Type::int64, Type::uint8,
                          Type::uint16, Type::uint32, Type::uint64, Type::complex64, Type::complex128})
    expect_right(
        type, [](Workload&) {}, options());
}
TEST_P(FewOutputs, OfDataWhoseErrorsAddUp) {
  for (Type const type : {Type::float32, Type::float64, Type::complex64})
    for (double const value : {1.0, 0.1})
      expect_right(
          type,
          [&](Workload& w) {
            fill(w.signal, [&](std::size_t) { return 0.1; });
            fill(w.filter, [&](std::size_t) { return value; });
          },
          options(2));
}
TEST_P(FewOutputs, NaNAndInfinityAtTheEndsOfWindows) {
  for (double const value : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    for (int const place : {0, 1, 2, 3})
      expect_right(
          Type::float32,
          [&](Workload& w) {
            const auto x = w.signal.row<float>(0), h = w.filter.row<float>(0);
            std::span<float> const rows[] = {x, x, h, h};
            (place % 2 ? rows[place].back() : rows[place].front()) = static_cast<float>(value);
          },
          options());
}
TEST_P(FewOutputs, OneNaNInTheLongerOperandReachesTheOutputsWhoseWindowsHoldIt) {
  constexpr std::int64_t taps = 5000, outputs = 7;
  Rng rng = test_rng();
  for (bool const long_filter : {false, true}) {
    Problem problem = few_outputs(taps, outputs);
    if (long_filter) std::swap(problem.signal, problem.filter);
    if (!takes(problem)) continue;
    Workload w = random_workload(problem, rng);
    (long_filter ? w.filter : w.signal).row<float>(0)[3] = std::numeric_limits<float>::quiet_NaN();
    const Outcome outcome = run(w, options());
    for (std::size_t o = 0; o < outputs; ++o)
      EXPECT_EQ(std::isnan(outcome.out.row<float>(0)[o]), o <= 3) << o << ", " << outcome.plan;
  }
}

// Rows lie side by side, overlap or have gaps; each has its own filter or all have one.
TEST_P(FewOutputs, OfManyRowsAreThoseOfEachRow) {
  Rng rng = test_rng();
  for (Filters const filters : {Filters::shared, Filters::per_row})
    for (auto const& [taps, outputs] : {std::pair{100, 1}, std::pair{100, 5}, std::pair{2100, 3}, std::pair{40000, 2}})
      for (bool const long_filter : {false, true}) {
        Problem problem = few_outputs(taps, outputs);
        if (long_filter) std::swap(problem.signal, problem.filter);
        problem.batch = taps > 10000 ? 3 : 40, problem.filters = filters;
        if (!takes(problem)) continue;
        const Workload w = random_workload(problem, rng, {{.offset = 1, .gap = 2}, {.offset = 3}, {}});
        const Outcome all = run(w, options(2), {.offset = 1, .gap = 1});
        Problem one = problem;
        one.batch = 1, one.filters = Filters::shared;
        for (std::int64_t r = 0; r < problem.batch; ++r) {
          Workload row = empty_workload(one);
          std::ranges::copy(w.signal.row<float>(r), row.signal.row<float>(0).begin());
          std::ranges::copy(w.filter.row<float>(filters == Filters::per_row ? r : 0), row.filter.row<float>(0).begin());
          ASSERT_TRUE(std::ranges::equal(run(row, options(1)).out.bytes(0), all.out.bytes(r)))
              << "row " << r << all.plan;
        }
      }
}
TEST_P(FewOutputs, AreTheSameForAnyNumberOfThreads) {
  Rng rng = test_rng();
  for (Type const type : {Type::float32, Type::float64, Type::int16})
    for (auto const& [taps, outputs, rows] :
         {std::tuple{300000, 3, 1}, std::tuple{150000, 9, 3}, std::tuple{70000, 1, 17}, std::tuple{5000, 2, 300}}) {
      Problem problem = few_outputs(taps, outputs, type);
      problem.batch = rows;
      if (solver()->device == Device::cuda) GTEST_SKIP() << "threads are the CPU's";
      Workload w = random_workload(problem, rng);
      if (type != Type::int16) fill(w.filter, [](std::size_t i) { return i % 3 ? 0.1 : 0.3; });
      const Outcome one = run(w, options(1));
      for (int const threads : {2, 5}) {
        const Outcome many = run(w, options(threads));
        EXPECT_TRUE(one.out == many.out) << one.plan << " and " << many.plan;
      }
    }
}
// ---- works that no public call asks for --------------------------------------------------------------------------
class DotWorks : public SolverTest {};

// Few outputs anywhere in the full convolution, elements any distance apart: integers, so that bits can be compared.
TEST_P(DotWorks, MayLieAtTheEndsOfARow) {
  Rng rng = test_rng();
  for (auto const& [n, m] : {std::pair{90, 40}, std::pair{40, 90}, std::pair{40, 40}, std::pair{1100, 900},
                             std::pair{900, 1100}, std::pair{40000, 39000}})
    for (std::int64_t first = 0; first + 6 <= n + m - 1; first += 1 + (n + m) / 70)
      for (int const stride : {1, -2}) {
        const Work w{.axis = {.signal = n, .filter = m, .first = first, .outputs = 6},
                     .loops = {.outer = {.count = 2, .signal_moves = true}, .inner = {}},
                     .signal_type = Type::int16,
                     .filter_type = Type::int32,
                     .result_type = Type::int64};
        Operand signal(Type::int16, 2, n, stride, 3), filter(Type::int32, 1, m);
        for (std::int64_t i = 0; i < n; ++i)
          for (std::int64_t r = 0; r < 2; ++r)
            *reinterpret_cast<std::int16_t*>(signal.at(r, i)) = static_cast<std::int16_t>(pick(rng, -30000, 30000));
        for (std::int64_t i = 0; i < m; ++i)
          *reinterpret_cast<std::int32_t*>(filter.at(0, i)) = static_cast<std::int32_t>(pick(rng, -2000000, 2000000));
        Operand got(Type::int64, 2, 6, stride, 1), want(Type::int64, 2, 6);
        run_work(*solver(), w, signal, filter, got);
        run_work(cpu_reference, w, signal, filter, want);
        ASSERT_EQ(got.elements(), want.elements()) << n << ' ' << m << ' ' << first;
      }
}
TEST_P(DotWorks, OfAPartAreThoseOfTheWhole) {
  Rng rng = test_rng();
  for (auto const& [n, m] : {std::pair{33009, 33000}, std::pair{33000, 33009}, std::pair{600, 591}}) {
    const Work w{.axis = {.signal = n, .filter = m, .first = std::min(n, m) - 1, .outputs = 10},
                 .loops = {.outer = {.count = 3, .signal_moves = true}, .inner = {}}};
    Operand signal(Type::float32, 3, n), filter(Type::float32, 1, m), all(Type::float32, 3, 10);
    const auto random = [&](Operand& o) {
      for (std::int64_t r = 0; r < o.rows(); ++r)
        for (std::int64_t i = 0; i < o.columns(); ++i)
          *reinterpret_cast<float*>(o.at(r, i)) = static_cast<float>(pick(rng, -1000, 1000)) / 7;
    };
    random(signal), random(filter);
    run_work(*solver(), w, signal, filter, all);
    Part part = whole(w);
    part.row = 1, part.rows = 2, part.first += 3, part.outputs = 5;
    Operand out(Type::float32, 3, 5);
    run_work(*solver(), w, part, {.outer = signal.pitch()}, signal, filter, {.outer = out.pitch()}, out);
    for (std::int64_t r = 1; r < 3; ++r)
      for (std::int64_t o = 0; o < 5; ++o)
        ASSERT_TRUE(std::equal(out.at(r, o), out.at(r, o) + 4, all.at(r, o + 3))) << n << ' ' << r << ' ' << o;
  }
}
// A bank: two loops, either way round.
TEST_P(DotWorks, OfABank) {
  Rng rng = test_rng();
  constexpr std::int64_t batch = 3, filters = 2, n = 900, m = 895;
  Operand signal(Type::int32, batch, n), filter(Type::int32, filters, m);
  for (Operand* o : {&signal, &filter})
    for (std::int64_t r = 0; r < o->rows(); ++r)
      for (std::int64_t i = 0; i < o->columns(); ++i)
        *reinterpret_cast<std::int32_t*>(o->at(r, i)) = static_cast<std::int32_t>(pick(rng, -9000, 9000));
  const Work w{.axis = {.signal = n, .filter = m, .first = m - 1, .outputs = n - m + 1},
               .loops = {{.count = batch, .signal_moves = true}, {.count = filters, .filter_moves = true}},
               .signal_type = Type::int32,
               .filter_type = Type::int32,
               .result_type = Type::int64};
  Operand got(Type::int64, batch * filters, n - m + 1), want(Type::int64, batch * filters, n - m + 1);
  for (auto const& [s, out] : {std::pair{solver(), &got}, std::pair{&cpu_reference, &want}})
    run_work(*s, w, whole(w), {.outer = signal.pitch()}, signal, filter,
             {.outer = filters * out->pitch(), .inner = out->pitch()}, *out);
  EXPECT_EQ(got.elements(), want.elements());
}

INSTANTIATE_TEST_SUITE_P(Solvers, FewOutputs, testing::ValuesIn(direct_solvers()), solver_name);
INSTANTIATE_TEST_SUITE_P(Solvers, DotWorks, testing::ValuesIn(direct_solvers()), solver_name);

// ---- what they are said to cost ----------------------------------------------------------------------------------
double direct_estimate(Problem const& p) {
  for (Estimate const& e : estimates(p, {.method = Method::direct, .device = Device::cpu, .threads = 1}))
    if (e.refusal.empty()) return e.seconds;
  return 0;
}
TEST(DotProducts, AreEstimatedByTheirProducts) {
  for (Type const type : {Type::float32, Type::float64, Type::int64}) {
    const auto seconds = [&](std::int64_t taps, std::int64_t outputs) {
      return direct_estimate(few_outputs(taps, outputs, type));
    };
    for (std::int64_t const outputs : {1, 8, 30, 100, 200})
      for (std::int64_t const taps : {100'000, 1'000'000, 10'000'000}) {
        EXPECT_GT(seconds(10 * taps, outputs), 8 * seconds(taps, outputs)) << outputs;
        EXPECT_LT(seconds(10 * taps, outputs), 12 * seconds(taps, outputs)) << outputs;
      }
    // More outputs are never much cheaper. The estimates of tiles are those of the widest vectors.
    const bool widest = simd_target() == "avx512";
    for (std::int64_t outputs = 1; outputs < (widest ? 300 : 12); ++outputs)
      EXPECT_GT(seconds(1'000'000, outputs + 1), 0.7 * seconds(1'000'000, outputs)) << outputs;
    // One output reads both operands, at 10 to 200 GB/s.
    const double bytes = 2e6 * static_cast<double>(size_of(type));
    EXPECT_GT(seconds(1'000'000, 1), bytes / 2e11);
    EXPECT_LT(seconds(1'000'000, 1), bytes / 1e10);
    EXPECT_LT(seconds(1'000'000, 1), seconds(1'000'000, 32) / 2);
  }
}
TEST(DotProducts, SayWhatTheyAre) {
  const Options direct{.method = Method::direct, .device = Device::cpu};
  EXPECT_NE(explain(few_outputs(4096, 3), direct).find("dot products, "), std::string::npos);
  EXPECT_EQ(explain(few_outputs(4096, 300), direct).find("dot products"), std::string::npos);
  EXPECT_EQ(Plan(few_outputs(1'000'000, 1), {.device = Device::cpu}).method(), Method::direct);
}
// A factor, so that a machine that is busy or another one passes; vectors along the outputs take 100 times the
// estimate.
TEST(DotProducts, TakeAboutTheirEstimate) {
  if (kSlowdown > 1) GTEST_SKIP() << "measures nothing in this build";
  for (auto const& [taps, rows] : {std::pair{1'000'000, 1}, std::pair{4096, 500}}) {
    Problem problem = few_outputs(taps, 1);
    problem.batch = rows;
    Rng rng = test_rng();
    const Workload w = random_workload(problem, rng);
    Plan plan(problem, {.method = Method::direct, .device = Device::cpu, .threads = 1});
    plan.set_filter(w.filter.input());
    Array out(Type::float32, rows, 1);
    double best = 1;
    for (int i = 0; i < 10; ++i) {
      const auto start = std::chrono::steady_clock::now();
      plan.execute(w.signal.input(), out.output());
      best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    EXPECT_LT(best, 20 * direct_estimate(problem)) << taps << ", " << rows << " rows";
  }
}

}  // namespace
}  // namespace gpuconv::test

// What solvers do with works that no public call asks for yet: strides of elements, loops, parts, steps. Whatever lies
// where, the bits are those of plain rows.
#include "cpu/stretches.hpp"
#include "planner.hpp"
#include "problem.hpp"
#include "support/executors.hpp"
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace gpuconv::test {
namespace {

using namespace detail;

class Works : public SolverTest {
 protected:
  static Work work_of(std::int64_t rows, std::int64_t signal, std::int64_t filter, Loop const& loop, Type type,
                      Type filter_type, Type result) {
    const Slice slice = output_slice(signal, filter, Mode::same);
    Loop outer = loop;
    outer.count = rows;
    return {.axis = {.signal = signal, .filter = filter, .first = slice.first, .outputs = slice.length},
            .loops = {.outer = outer, .inner = {}},
            .signal_type = type,
            .filter_type = filter_type,
            .result_type = result};
  }
  bool takes(Work const& w) const {
    return !solver()->consider(w, {.memory = solver()->device == Device::cuda ? Memory::device : Memory::host}).refusal;
  }
  void fill(Operand& operand) {
    for (std::int64_t r = 0; r < operand.rows(); ++r)
      for (std::int64_t i = 0; i < operand.columns(); ++i)
        visit_part(operand.type(), [&]<class T>(std::type_identity<T>) {
          for (int p = 0; p < parts_of(operand.type()); ++p) {
            const std::int64_t value = pick(rng_, -90, 90);
            T& element = reinterpret_cast<T*>(operand.at(r, i))[p];
            if constexpr (std::is_integral_v<T>) element = static_cast<T>(value);
            else element = static_cast<T>(static_cast<double>(value) / 7);
          }
        });
  }
  std::vector<std::byte> result(Work const& w, Operand const& signal, Operand const& filter, std::int64_t stride,
                                std::int64_t gap) const {
    Operand out(w.result_type, w.rows(), w.axis.outputs, stride, gap);
    run_work(*solver(), w, signal, filter, out);
    return out.elements();
  }
  Rng rng_ = test_rng();
};

TEST_P(Works, ElementsMayBeAnyDistanceApart) {
  struct Types {
    Type signal, filter, result;
  };
  for (Types const t : {Types{Type::float32, Type::float32, Type::float32},
                        {Type::int16, Type::float64, Type::float64},
                        {Type::int8, Type::uint16, Type::int64},
                        {Type::int32, Type::int8, Type::float32},
                        {Type::int32, Type::int32, Type::int16},
                        {Type::complex64, Type::complex64, Type::complex64},
                        {Type::complex64, Type::float32, Type::complex128},
                        {Type::int8, Type::complex64, Type::complex64},
                        {Type::complex128, Type::int16, Type::complex128}})
    for (auto const& [n, m] : {std::pair{1500, 37}, std::pair{37, 1500}, std::pair{60, 3}}) {
      const Work w = work_of(3, n, m, {.signal_moves = true, .filter_moves = true}, t.signal, t.filter, t.result);
      if (!takes(w)) continue;
      Operand signal(t.signal, 3, n), filter(t.filter, 3, m);
      fill(signal), fill(filter);
      const auto expected = result(w, signal, filter, 1, 0);
      for (int const stride : {2, -1, -3}) {
        Operand far_signal(t.signal, 3, n, stride, 5), far_filter(t.filter, 3, m, stride, 2);
        far_signal.take(signal), far_filter.take(filter);
        EXPECT_EQ(result(w, far_signal, filter, 1, 3), expected) << "signal, stride " << stride;
        EXPECT_EQ(result(w, signal, far_filter, 1, 0), expected) << "filter, stride " << stride;
        EXPECT_EQ(result(w, signal, filter, stride, 4), expected) << "output, stride " << stride;
      }
    }
}

TEST_P(Works, AnOperandThatStaysIsTheSameForEveryRow) {
  for (auto const& [n, m] : {std::pair{900, 21}, std::pair{21, 900}})
    for (bool const signal_moves : {false, true})
      for (bool const filter_moves : {false, true}) {
        const Work w = work_of(4, n, m, {.signal_moves = signal_moves, .filter_moves = filter_moves}, Type::float32,
                               Type::float32, Type::float32);
        const Work one = work_of(1, n, m, {.signal_moves = true}, Type::float32, Type::float32, Type::float32);
        Operand signal(Type::float32, w.loops.signals(), n), filter(Type::float32, w.filters(), m);
        fill(signal), fill(filter);
        std::vector<std::byte> expected;
        for (std::int64_t r = 0; r < 4; ++r) {
          Operand x(Type::float32, 1, n), h(Type::float32, 1, m);
          for (std::int64_t i = 0; i < n; ++i) std::copy_n(signal.at(signal_moves ? r : 0, i), 4, x.at(0, i));
          for (std::int64_t j = 0; j < m; ++j) std::copy_n(filter.at(filter_moves ? r : 0, j), 4, h.at(0, j));
          const auto row = result(one, x, h, 1, 0);
          expected.insert(expected.end(), row.begin(), row.end());
        }
        EXPECT_EQ(result(w, signal, filter, 1, 0), expected) << signal_moves << filter_moves;
      }
}

// A bank: every row of a batch with every filter, the loops either way round.
TEST_P(Works, TwoLoopsMakeABank) {
  constexpr std::int64_t batch = 3, filters = 4;
  for (auto const& [n, m] : {std::pair{700, 15}, std::pair{15, 700}}) {
    Operand signal(Type::float32, batch, n), filter(Type::float32, filters, m);
    fill(signal), fill(filter);
    const Loop over_batch{.count = batch, .signal_moves = true}, over_filters{.count = filters, .filter_moves = true};
    for (bool const filters_outside : {false, true}) {
      Work w = work_of(1, n, m, {}, Type::float32, Type::float32, Type::float32);
      w.loops = filters_outside ? Loops{over_filters, over_batch} : Loops{over_batch, over_filters};
      Operand out(Type::float32, w.rows(), w.axis.outputs);
      const std::int64_t outer_signal = filters_outside ? 0 : signal.pitch(),
                         inner_signal = signal.pitch() - outer_signal;
      run_work(*solver(), w, whole(w), {.outer = outer_signal, .inner = inner_signal}, signal, filter,
               {.outer = w.loops.inner.count * out.pitch(), .inner = out.pitch()}, out);
      const Work one = work_of(1, n, m, {.signal_moves = true}, Type::float32, Type::float32, Type::float32);
      for (std::int64_t b = 0; b < batch; ++b)
        for (std::int64_t f = 0; f < filters; ++f) {
          Operand x(Type::float32, 1, n), h(Type::float32, 1, m), got(Type::float32, 1, w.axis.outputs);
          for (std::int64_t i = 0; i < n; ++i) std::copy_n(signal.at(b, i), 4, x.at(0, i));
          for (std::int64_t j = 0; j < m; ++j) std::copy_n(filter.at(f, j), 4, h.at(0, j));
          const std::int64_t row = filters_outside ? f * batch + b : b * filters + f;
          for (std::int64_t o = 0; o < w.axis.outputs; ++o) std::copy_n(out.at(row, o), 4, got.at(0, o));
          ASSERT_EQ(got.elements(), result(one, x, h, 1, 0)) << "row " << b << ", filter " << f << ", " << n;
        }
    }
  }
}

TEST_P(Works, APartIsWhatTheWholeHasThere) {
  const Work w =
      work_of(5, 800, 31, {.signal_moves = true, .filter_moves = true}, Type::float32, Type::float32, Type::float32);
  Operand signal(Type::float32, 5, 800), filter(Type::float32, 5, 31), all(Type::float32, 5, 800);
  fill(signal), fill(filter);
  run_work(*solver(), w, signal, filter, all);
  Part part = whole(w);
  part.row = 1, part.rows = 3;
  const bool sums = solver()->method == Method::direct || solver()->method == Method::reference;
  if (sums) part.first += 250, part.outputs = 300;  // blocks would start elsewhere, and have other bits
  Operand out(Type::float32, 5, part.outputs);
  run_work(*solver(), w, part, {.outer = signal.pitch()}, signal, filter, {.outer = out.pitch()}, out);
  for (std::int64_t r = 1; r < 4; ++r)
    for (std::int64_t o = 0; o < part.outputs; ++o)
      ASSERT_TRUE(std::equal(out.at(r, o), out.at(r, o) + 4, all.at(r, o + (sums ? 250 : 0)))) << r << ' ' << o;
  EXPECT_EQ(*reinterpret_cast<std::uint32_t*>(out.at(0, 0)), 0xFFFFFFFFu) << "rows of other parts are left alone";
}

TEST_P(Works, StepsPassOverOutputs) {
  Work w = work_of(1, 100, 7, {.signal_moves = true}, Type::float64, Type::float64, Type::float64);
  Operand signal(Type::float64, 1, 100), filter(Type::float64, 1, 7), all(Type::float64, 1, 100);
  fill(signal), fill(filter);
  run_work(*solver(), w, signal, filter, all);
  w.axis.step = 3, w.axis.outputs = 34;
  Operand out(Type::float64, 1, 34, -2, 1);
  run_work(*solver(), w, signal, filter, out);
  const auto value = [](Operand& operand, std::int64_t i) { return *reinterpret_cast<double*>(operand.at(0, i)); };
  for (std::int64_t o = 0; o < 34; ++o) EXPECT_NEAR(value(out, o), value(all, 3 * o), 1e-13);
}

// Filters much longer than the signal: in every method, non-finite values of either operand included.
TEST_P(Works, LongFiltersTakeThePartOfTheSignal) {
  for (Type const type : {Type::float32, Type::float64, Type::complex64})
    for (Filters const filters : {Filters::shared, Filters::per_row}) {
      const Problem p{.signal = 50, .filter = 9000, .batch = 3, .filters = filters, .mode = Mode::full, .type = type};
      if (!SolverTest::takes(p)) continue;
      Workload w = random_workload(p, rng_, {{.offset = 1, .gap = 2}, {.offset = 3}, {}});
      EXPECT_TRUE(is_right(w, options(2), {.offset = 1}));
      const auto spoil = [](Array& array, std::size_t i, double value) {
        visit_part(array.type(), [&]<class T>(std::type_identity<T>) { array.parts<T>(0)[i] = static_cast<T>(value); });
      };
      spoil(w.filter, 4000, std::numeric_limits<double>::infinity());
      EXPECT_TRUE(is_right(w, options(2)));
      spoil(w.signal, 30, std::numeric_limits<double>::quiet_NaN());
      EXPECT_TRUE(is_right(w, options(1)));
    }
}

// The public face of an operand that stays: the same row for every filter.
TEST_P(Works, ARowStrideOfZeroIsTheSameRowAgain) {
  const Problem p{.signal = 400, .filter = 9, .batch = 6, .filters = Filters::per_row, .mode = Mode::valid};
  Workload w = random_workload(p, rng_);
  for (std::int64_t r = 1; r < 6; ++r) std::ranges::copy(w.signal.row<float>(0), w.signal.row<float>(r).begin());
  if (options().memory == Memory::device) GTEST_SKIP() << "host arrays only";
  Plan plan(p, options());
  plan.set_filter(w.filter.input());
  Array expected(Type::float32, 6, plan.output_length()), got(Type::float32, 6, plan.output_length());
  plan.execute(w.signal.input(), expected.output());
  plan.execute(HostInput(w.signal.input().data(), Type::float32, {.rows = 6, .columns = 400, .stride = 0}),
               got.output());
  EXPECT_TRUE(got == expected);
}

GPUCONV_OVER_SOLVERS(Works);

// ---- the planner --------------------------------------------------------------------------------------------------
std::array<int, 4> asked{};

template <std::size_t I>
Answer counted(Work const& w, Resources const& r) {
  ++asked[I];
  return cpu_solvers()[I]->consider(w, r);
}

TEST(Planner, AsksEverySolverOnce) {
  const std::span<Solver const* const> cpu = cpu_solvers();
  ASSERT_EQ(cpu.size(), asked.size());
  const Solver counting[] = {{Device::cpu, cpu[0]->method, cpu[0]->automatic, counted<0>},
                             {Device::cpu, cpu[1]->method, cpu[1]->automatic, counted<1>},
                             {Device::cpu, cpu[2]->method, cpu[2]->automatic, counted<2>},
                             {Device::cpu, cpu[3]->method, cpu[3]->automatic, counted<3>}};
  std::vector<Solver const*> table;
  for (Solver const& s : counting) table.push_back(&s);
  const Work w = check({.signal = 5000, .filter = 50});
  const Chosen chosen = choose(w, {.device = Device::cpu}, table, {});
  EXPECT_EQ(chosen.solver->method, choose(w, {.device = Device::cpu}, cpu, {}).solver->method);
  for (std::size_t i = 0; i < asked.size(); ++i) EXPECT_EQ(asked[i], cpu[i]->automatic ? 1 : 0);
  asked = {};
  choose(w, {.method = Method::fft, .device = Device::cpu}, table, {});
  for (std::size_t i = 0; i < asked.size(); ++i) EXPECT_EQ(asked[i], cpu[i]->method == Method::fft ? 1 : 0);
}

// Where tasks begin depends on where the outputs lie, once these are streamed. The taps of an output must not.
TEST(Stretches, HaveTheSameTapsWhereverOutputsAreCut) {
  for (Problem const& p :
       {Problem{.signal = 3000, .filter = 1000}, Problem{.signal = 3000, .filter = 1000, .mode = Mode::same},
        Problem{.signal = 1000, .filter = 1400},
        Problem{.signal = 2000, .filter = 700, .window = Slice{.first = -300, .length = 3500}}}) {
    const Work work = check(p);
    const Part part = whole(work);
    const Stretches stretches(work, part, true);
    const std::int64_t begin = part.first, end = begin + part.outputs;
    const auto taps = [&](std::initializer_list<std::int64_t> cuts) {
      std::vector<std::array<std::int64_t, 2>> of_outputs;
      for (std::int64_t o = begin; std::int64_t const cut : cuts)
        while (o < cut) {
          const std::int64_t count = stretches.at(o, cut).count;
          const TapRange range = stretches.taps(o, count);
          of_outputs.insert(of_outputs.end(), static_cast<std::size_t>(count), {range.lowest, range.highest});
          o += count;
        }
      return of_outputs;
    };
    const auto whole_row = taps({end});
    ASSERT_EQ(std::ssize(whole_row), part.outputs);
    for (std::int64_t cut = begin + 1; cut < end; cut += 37) EXPECT_EQ(taps({cut, end}), whole_row) << cut;
  }
}

// The planner does not compare what is done at once; it would have chosen the same.
TEST(Planner, ComparesNothingWithShortSums) {
  for (Type const type : {Type::float32, Type::float64})
    for (std::int64_t n = 1; n <= 100'000; n += n < 40 ? 1 : n / 2)
      for (std::int64_t m = 1; m <= n; m += m < 40 ? 3 : m / 2) {
        const Problem problem{.signal = n, .filter = m, .type = type};
        const Options options{.device = Device::cpu};
        const Chosen chosen = choose(check(problem), options, cpu_solvers(), {});
        for (Estimate const& e : estimates(problem, options))
          EXPECT_TRUE(!e.refusal.empty() || chosen.offer.seconds <= e.seconds) << explain(problem, options);
      }
}

}  // namespace
}  // namespace gpuconv::test

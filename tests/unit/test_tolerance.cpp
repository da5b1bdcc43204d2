// The error bounds of tolerance.hpp where they are tightest: random data, constants, resonance, one large sample.
// Each test records the largest error over its bound (`worst`, with c = 1 for the transforms).
#include "support/solvers.hpp"
#include "support/tolerance.hpp"
#include "support/workload.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace gpuconv::test {
namespace {

constexpr std::int64_t kSizes[][2] = {{5, 3},       {60, 7},     {64, 64},    {300, 100},  {1000, 17},
                                      {1000, 1000}, {5000, 257}, {20000, 33}, {600, 2049}, {9000, 200}};

void fill_sine(Array& array, double turns) {
  visit_part(array.type(), [&]<class T>(std::type_identity<T>) {
    double k = 0;
    for (T& v : array.parts<T>(0)) v = static_cast<T>(std::sin(2 * std::numbers::pi * turns * k++));
  });
}
void fill_constant(Array& array) {
  visit_part(array.type(), [&]<class T>(std::type_identity<T>) {
    for (T& v : array.parts<T>(0)) v = T(T(1) / T(3));
  });
}

class ErrorBound : public SolverTest {
 protected:
  // Over all sizes of `type`, of what `fill` makes of a workload.
  template <class Fill>
  void expect_bounded(Type type, Fill fill) const {
    Rng rng = test_rng();
    long double worst = 0;
    for (auto const& [n, m] : kSizes)
      for (Mode const mode : {Mode::full, Mode::valid}) {
        const Problem problem{.signal = n, .filter = m, .mode = mode, .type = type};
        if (!takes(problem)) continue;
        Workload w = random_workload(problem, rng);
        fill(w);
        const Oracle oracle(w);
        const Outcome outcome = run(w, options());
        EXPECT_TRUE(oracle.accepts(outcome));
        worst = std::max(worst, oracle.worst_ratio(outcome));
      }
    RecordProperty("worst", std::to_string(worst));
  }
};

TEST_P(ErrorBound, OfRandomData) {
  for (Type const type : {Type::float32, Type::float64}) expect_bounded(type, [](Workload&) {});
}

TEST_P(ErrorBound, OfConstants) {
  for (Type const type : {Type::float32, Type::float64})
    expect_bounded(type, [](Workload& w) { fill_constant(w.signal), fill_constant(w.filter); });
}

// All energy in one frequency of signal and filter: where the transform's values are largest.
TEST_P(ErrorBound, OfResonance) {
  for (Type const type : {Type::float32, Type::float64})
    for (double const turns : {0.01, 0.125, 0.3})
      expect_bounded(type, [&](Workload& w) { fill_sine(w.signal, turns), fill_sine(w.filter, turns); });
}

TEST_P(ErrorBound, OfASingleLargeSample) {
  for (Type const type : {Type::float32, Type::float64})
    expect_bounded(type, [&](Workload& w) {
      visit_type(type, [&]<class T>(std::type_identity<T>) {
        auto row = w.signal.row<T>(0);
        row[row.size() / 3] = T(1e6);
      });
    });
}
GPUCONV_OVER_SOLVERS(ErrorBound);

}  // namespace
}  // namespace gpuconv::test

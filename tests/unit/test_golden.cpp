// What NumPy, SciPy and MATLAB make of small inputs (tests/golden/generate.py), by every solver.
#include "support/solvers.hpp"
#include "support/tolerance.hpp"
#include "support/workload.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>

namespace gpuconv::test {
namespace {

using Json = nlohmann::json;

template <class E>
E named(std::string const& wanted, std::initializer_list<E> values) {
  for (E const v : values)
    if (name(v) == wanted) return v;
  throw std::runtime_error("unknown name in the golden file: " + wanted);
}

Type type_named(std::string const& wanted) {
  for (int t = 0; t < type_count; ++t)
    if (name(static_cast<Type>(t)) == wanted) return static_cast<Type>(t);
  throw std::runtime_error("unknown type in the golden file: " + wanted);
}

Array array_from(Json const& values, Type type) {
  Array out(type, 1, static_cast<std::int64_t>(values.size()));
  visit_part(type, [&]<class T>(std::type_identity<T>) {
    using Value = std::conditional_t<sizeof(T) == 2 && detail::is_floating_element<T>, float, T>;
    const auto each = static_cast<std::size_t>(parts_of(type));
    const std::span<T> to = out.parts<T>(0);
    for (std::size_t i = 0; i < to.size(); ++i) {
      Json const& element = values[i / each];  // complex: [real part, imaginary part]
      to[i] = static_cast<T>((each == 1 ? element : element[i % each]).get<Value>());
    }
  });
  return out;
}

struct Golden {
  std::string group;
  Workload workload;
  Array result;
};

Golden golden_from(Json const& c) {
  const Type x = type_named(c["x_type"]), h = type_named(c["h_type"]), y = type_named(c["y_type"]);
  const Problem problem{.signal = static_cast<std::int64_t>(c["x"].size()),
                        .filter = static_cast<std::int64_t>(c["h"].size()),
                        .mode = named(c["mode"], {Mode::full, Mode::same, Mode::valid}),
                        .same = named(c["same"], {Same::numpy, Same::scipy, Same::matlab}),
                        .type = x,
                        .filter_type = h,
                        .result_type = y,
                        .operation = named(c["operation"], {Operation::convolve, Operation::correlate}),
                        .boundary = named(c["boundary"], {Boundary::zero, Boundary::constant, Boundary::nearest,
                                                          Boundary::reflect, Boundary::mirror, Boundary::wrap}),
                        .constant = c["constant"]};
  return {c["group"], {problem, array_from(c["x"], x), array_from(c["h"], h)}, array_from(c["y"], y)};
}

std::vector<Golden> const& golden_values() {
  static const std::vector<Golden> values = [] {
    const char* const elsewhere = std::getenv("GPUCONV_GOLDEN_FILE");  // on a machine that did not build this
    std::ifstream file(elsewhere ? elsewhere : GPUCONV_GOLDEN_FILE);
    const Json json = Json::parse(file);
    std::vector<Golden> out;
    for (Json const& c : json["cases"]) out.push_back(golden_from(c));
    return out;
  }();
  return values;
}

// The peer's values carry its own rounding, that of a direct sum.
testing::AssertionResult agrees(Golden const& golden, Outcome const& outcome) {
  return visit_part(golden.result.type(), [&]<class T>(std::type_identity<T>) -> testing::AssertionResult {
    if constexpr (is_integer(type_of<T>)) {
      return is_equal(outcome.out.row<T>(0), golden.result.row<T>(0));
    } else {
      using Value = std::conditional_t<sizeof(T) == 2, float, T>;
      Outcome direct = outcome;
      direct.method = Method::direct;
      const Oracle oracle(golden.workload);
      testing::AssertionResult right = testing::AssertionSuccess();
      for (int p = 0; p < parts_of(golden.result.type()) && right; ++p) {
        const std::vector<Value> got = outcome.out.as<Value>(0, p), want = golden.result.as<Value>(0, p);
        std::vector<Expected> expected = oracle.expected(0, outcome, p);
        const std::vector<Expected> peers = oracle.expected(0, direct, p);
        if (want.size() != expected.size())
          return testing::AssertionFailure() << expected.size() << " outputs, the peer has " << want.size();
        for (std::size_t i = 0; i < expected.size(); ++i) {
          expected[i].bound += peers[i].bound;
          expected[i].value = static_cast<long double>(want[i]);
        }
        right = is_close(std::span<Value const>(got), std::span<Expected const>(expected));
      }
      return right;
    }
  });
}

class GoldenValues : public SolverTest {
 protected:
  void expect_group(std::string const& group) const {
    std::int64_t found = 0;
    for (Golden const& golden : golden_values()) {
      if (golden.group != group) continue;
      ++found;
      if (!takes(golden.workload.problem)) {
        EXPECT_THROW(Plan(golden.workload.problem, options()), Unsupported) << to_string(golden.workload.problem);
        continue;
      }
      const Outcome outcome = run(golden.workload, options());
      EXPECT_TRUE(agrees(golden, outcome)) << to_string(golden.workload.problem) << "\n  by " << outcome.plan;
    }
    EXPECT_GT(found, 0);
  }
};

TEST_P(GoldenValues, AllModesAndShapesAsNumPy) { expect_group("shapes"); }
TEST_P(GoldenValues, SameAsSciPy) { expect_group("scipy same"); }
TEST_P(GoldenValues, SameAsMatlab) { expect_group("matlab same"); }
TEST_P(GoldenValues, EveryPairOfTypesInNumPysResultType) { expect_group("pairs"); }
TEST_P(GoldenValues, NarrowIntegersWrapAsNumPy) { expect_group("wraps as numpy"); }
TEST_P(GoldenValues, IntegersAreExactModulo2To64) { expect_group("widened"); }
TEST_P(GoldenValues, ArticleExamples) { expect_group("articles"); }
TEST_P(GoldenValues, CorrelationsAsNumPy) { expect_group("numpy correlate"); }
TEST_P(GoldenValues, CorrelationsAsSciPy) { expect_group("scipy correlate"); }
TEST_P(GoldenValues, BoundariesAsSciPysImages) { expect_group("boundaries"); }
GPUCONV_OVER_SOLVERS(GoldenValues);

TEST(GoldenFile, EveryPairOfTypesIsThere) {
  std::vector<std::vector<bool>> seen(type_count, std::vector<bool>(type_count));
  for (Golden const& g : golden_values())
    if (g.group == "pairs")
      seen[static_cast<std::size_t>(g.workload.signal.type())][static_cast<std::size_t>(g.workload.filter.type())] =
          true;
  // NumPy has no bfloat16.
  constexpr auto bfloat = static_cast<std::size_t>(Type::bfloat16);
  for (std::size_t s = 0; s < seen.size(); ++s)
    for (std::size_t f = 0; f < seen.size(); ++f) EXPECT_EQ(seen[s][f], s != bfloat && f != bfloat) << s << ' ' << f;
}

TEST(GoldenFile, WidenedIntegersHaveTheDefaultResultType) {
  for (Golden const& g : golden_values()) {
    if (g.group != "widened") continue;
    EXPECT_EQ(g.result.type(), default_result(g.workload.signal.type(), g.workload.filter.type()));
  }
}

}  // namespace
}  // namespace gpuconv::test

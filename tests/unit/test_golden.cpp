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
  visit_type(type, [&]<class T>(std::type_identity<T>) {
    for (std::size_t i = 0; i < values.size(); ++i) out.row<T>(0)[i] = values[i].get<T>();
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
                        .result_type = y};
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
  return visit_type(golden.result.type(), [&]<class T>(std::type_identity<T>) {
    const auto got = outcome.out.row<T>(0), want = golden.result.row<T>(0);
    if constexpr (!std::is_floating_point_v<T>) return is_equal(got, std::span<T const>(want));
    else {
      Outcome direct = outcome;
      direct.method = Method::direct;
      const Oracle oracle(golden.workload);
      std::vector<Expected> expected = oracle.expected(0, outcome);
      const std::vector<Expected> peers = oracle.expected(0, direct);
      if (want.size() != expected.size())
        return testing::AssertionFailure() << expected.size() << " outputs, the peer has " << want.size();
      for (std::size_t i = 0; i < expected.size(); ++i) {
        expected[i].bound += peers[i].bound;
        expected[i].value = static_cast<long double>(want[i]);
      }
      return is_close(got, std::span<Expected const>(expected));
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
GPUCONV_OVER_SOLVERS(GoldenValues);

TEST(GoldenFile, EveryPairOfTypesIsThere) {
  std::vector<std::vector<bool>> seen(type_count, std::vector<bool>(type_count));
  for (Golden const& g : golden_values())
    if (g.group == "pairs")
      seen[static_cast<std::size_t>(g.workload.signal.type())][static_cast<std::size_t>(g.workload.filter.type())] =
          true;
  for (auto const& row : seen)
    for (bool const pair : row) EXPECT_TRUE(pair);
}

TEST(GoldenFile, WidenedIntegersHaveTheDefaultResultType) {
  for (Golden const& g : golden_values()) {
    if (g.group != "widened") continue;
    EXPECT_EQ(g.result.type(), default_result(g.workload.signal.type(), g.workload.filter.type()));
  }
}

}  // namespace
}  // namespace gpuconv::test

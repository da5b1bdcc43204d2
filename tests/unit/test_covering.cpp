// Everything with everything: a pairwise covering array over what a problem can ask for, by every solver, against the
// oracle.
#include "support/covering.hpp"
#include "support/placed.hpp"
#include "support/scale.hpp"
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <set>

namespace gpuconv::test {
namespace {

// ---- what can be chosen ---------------------------------------------------------------------------------------------
enum RowKinds { one_row, one_filter, filter_per_row, bank, one_signal };
struct Sizes {
  std::int64_t signal, filter;
};
constexpr Sizes kSizes[] = {{200, 7}, {7, 200}, {64, 64}, {150, 1}, {3000, 150}, {700, 530}};

std::vector<Asked> const& questions() {
  static const std::vector<Asked> all = [] {
    std::vector<std::string> sizes_text, placements(std::begin(kPlacements), std::end(kPlacements));
    for (auto const [n, m] : kSizes)
      sizes_text.push_back(std::to_string(n) + " samples, " + std::to_string(m) + " taps");
    const std::vector<Asked> others{
        {"Rows",
         {"one", "a batch with one filter", "a batch with a filter per row", "a batch with a bank of filters",
          "one signal with many filters"}},
        {"Sizes", sizes_text},
        {"Signals in memory", placements},
        {"Filters in memory", placements},
        {"Outputs in memory", placements},
        {"Data", {"ordinary", "with NaN and infinity"}},
        {"Threads", {"one", "three"}},
    };
    return with_common_questions("both ends", others);
  }();
  return all;
}

// ---- the problem that choices describe ------------------------------------------------------------------------------
Type widest(Type least) {
  return is_integer(least) ? Type::float64 : is_complex(least) ? Type::complex128 : Type::float64;
}

void set_outputs(Problem& p, Outputs wanted) {
  const std::int64_t all = p.signal + p.filter - 1;
  switch (wanted) {
    case full:
      return;
    case valid:
      p.mode = Mode::valid;
      return;
    case same_numpy:
    case same_scipy:
    case same_matlab:
      p.mode = Mode::same;
      p.same = static_cast<Same>(wanted - same_numpy);
      return;
    case window:
      p.window = {all / 3, all / 4 + 1};
      return;
    case window_beyond:
      p.window = {-10, all + 21};
      return;
    case window_steps:
      p.window = {all / 5, all / 6 + 1, 3};
  }
}

Problem problem_of(Choices const& c) {
  Problem p{.signal = kSizes[c[sizes]].signal,
            .filter = kSizes[c[sizes]].filter,
            .type = static_cast<Type>(c[signal_type]),
            .filter_type = static_cast<Type>(c[filter_type_]),
            .operation = static_cast<Operation>(c[operation]),
            .boundary = static_cast<Boundary>(c[beyond]),
            .constant = 3};
  if (c[result] == 1) p.result_type = widest(result_type(p));
  set_outputs(p, static_cast<Outputs>(c[outputs]));
  switch (static_cast<RowKinds>(c[rows])) {
    case one_row:
      break;
    case one_filter:
      p.batch = 3;
      break;
    case filter_per_row:
    case one_signal:
      p.batch = 3, p.filters = Filters::per_row;
      break;
    case bank:
      p.batch = 2, p.filters = Filters::bank, p.bank = 3;
  }
  return p;
}

// The same rows as a batch with a filter for each, which the oracle knows.
Problem row_by_row(Problem p) {
  p.batch = result_rows(p);
  if (p.filters == Filters::bank) p.filters = Filters::per_row;
  return p;
}

// A NaN and both infinities, somewhere.
void spoil(Array& array, Rng& rng) {
  visit_part(array.type(), [&]<class T>(std::type_identity<T>) {
    if constexpr (detail::is_floating_element<T>)
      for (const float v : {NAN, INFINITY, -INFINITY}) {
        const std::span<T> row = array.parts<T>(pick(rng, 0, array.rows() - 1));
        row[static_cast<std::size_t>(pick(rng, 0, std::ssize(row) - 1))] = T(v);
      }
  });
}

void copy_row(Array const& from, std::int64_t row, Array& to, std::int64_t to_row) {
  std::ranges::copy(from.bytes(row), const_cast<std::byte*>(to.bytes(to_row).data()));
}

// A case: the operands as the plan gets them, and for the oracle row by row.
struct Case {
  Problem problem;
  Array signals, filters;
  Workload expanded;

  Case(Choices const& c, Rng& rng)
      : problem(problem_of(c)),
        signals(problem.type, problem.batch, problem.signal),
        filters(filter_type(problem), filter_rows(problem), problem.filter),
        expanded(empty_workload(row_by_row(problem))) {
    fill_random(signals, rng), fill_random(filters, rng);
    if (c[data] == 1) {
      spoil(signals, rng);
      if (pick(rng, 0, 3) == 0) spoil(filters, rng);
    }
    const bool is_bank = problem.filters == Filters::bank;
    for (std::int64_t r = 0; r < expanded.problem.batch; ++r) {
      copy_row(signals, c[rows] == one_signal ? 0 : is_bank ? r / problem.bank : r, expanded.signal, r);
      if (r < expanded.filter.rows()) copy_row(filters, is_bank ? r % problem.bank : r, expanded.filter, r);
    }
  }
};

void execute(Plan& plan, Options const& how, Placed const& signal, Placed const& filter, Placed& out) {
  if (how.memory == Memory::host) {
    plan.set_filter(filter.input());
    plan.execute(signal.input(), out.output());
    return;
  }
  const auto x = signal.upload(), h = filter.upload();
  auto y = out.upload();
  plan.set_filter(filter.input(h), Stream{});
  plan.execute(signal.input(x), out.output(y), Stream{});
  out.download(y);
}

std::string text_of(Choices const& c) {
  std::string out;
  for (std::size_t q = 0; q < c.size(); ++q)
    out += std::string(questions()[q].what) + ": " + questions()[q].choices[static_cast<std::size_t>(c[q])] + "; ";
  return out;
}

class Covering : public SolverTest {
 protected:
  void expect_product() const;
  void expect_right(Choices const& c, Rng& rng) const {
    const Case one(c, rng);
    const Options how = options(c[threads] == 0 ? 1 : 3);
    Plan plan(one.problem, how);
    const auto placement = [&](Question q) { return static_cast<Placement>(c[q]); };
    const Placed signal(one.signals, placement(signal_lies), c[rows] == one_signal),
        filter(one.filters, placement(filter_lies));
    Outcome outcome{Array(result_type(one.problem), result_rows(one.problem), plan.output_length()), plan.describe(),
                    plan.method(), plan.block()};
    Placed out(outcome.out, placement(output_lies));
    execute(plan, how, signal, filter, out);
    EXPECT_TRUE(out.rest_is_untouched()) << text_of(c) << plan.describe();
    out.take_out(outcome.out);
    EXPECT_TRUE(Oracle(one.expanded).accepts(outcome)) << text_of(c);
  }
};

// All choices with all others, for who has the time, of the questions that say what is computed; the others take turns.
void Covering::expect_product() const {
  constexpr int small_sizes = 4;  // the first ones
  std::vector<int> counts = counts_of(questions());
  counts[sizes] = small_sizes;
  Rng rng = test_rng();
  std::int64_t taken = 0;
  each_of_product(counts, {signal_type, filter_type_, operation, outputs, beyond, rows, signal_lies},
                  [&](Choices const& c) {
                    if (may_be(c) && takes(problem_of(c))) expect_right(c, rng), ++taken;
                    return !HasFailure();
                  });
  RecordProperty("cases", std::to_string(taken));
  std::cout << taken << " problems\n";
}

TEST_P(Covering, EveryTwoChoicesAreRightTogether) {
  Rng rng = test_rng();
  std::int64_t taken = 0;
  for (std::size_t i = 0; i < covered_rows().rows.size() && !HasFailure(); i += static_cast<std::size_t>(kSlowdown)) {
    Choices const& c = covered_rows().rows[i];
    if (!takes(problem_of(c))) continue;
    expect_right(c, rng);
    ++taken;
  }
  EXPECT_GT(taken, 0);
}

TEST_P(Covering, AnyChoicesAreRight) {
  const char* const wanted = std::getenv("GPUCONV_TEST_CHOICES");
  if (wanted && std::string_view(wanted) == "all") return expect_product();
  Rng rng = test_rng();
  const std::int64_t count = wanted ? std::strtoll(wanted, nullptr, 10) : cases(60);
  for (std::int64_t i = 0; i < count && !HasFailure(); ++i) {
    Choices c;
    for (Asked const& q : questions()) c.push_back(static_cast<int>(pick(rng, 0, std::ssize(q.choices) - 1)));
    if (may_be(c) && takes(problem_of(c))) expect_right(c, rng);
  }
}
GPUCONV_OVER_SOLVERS(Covering);

TEST(CoveringArray, HasEveryPairThatIsAllowed) {
  const std::vector<int> counts{3, 2, 4, 5};
  const auto allowed = [](Choices const& c) { return c[0] != 1 || c[3] < 0 || c[3] % 2 == 0; };
  const std::vector<Choices> all = covering_array(counts, allowed);
  EXPECT_LE(all.size(), 26u) << "5 times 4 is the least";
  std::set<std::vector<int>> seen;
  for (Choices const& row : all) {
    ASSERT_TRUE(allowed(row));
    for (int a = 0; a < 4; ++a)
      for (int b = 0; b < a; ++b)
        seen.insert({a, row[static_cast<std::size_t>(a)], b, row[static_cast<std::size_t>(b)]});
  }
  std::size_t pairs = 0;
  for (std::size_t a = 0; a < 4; ++a)
    for (std::size_t b = 0; b < a; ++b) pairs += static_cast<std::size_t>(counts[a] * counts[b]);
  EXPECT_EQ(seen.size(), pairs - 2) << "all but 1 with 1 and 3";
  EXPECT_EQ(covering_array(counts, allowed), all);
}

TEST(CoveringArray, OfProblemsIsSmall) {
  EXPECT_LT(covered_rows().rows.size(), 320u);
  EXPECT_GE(covered_rows().rows.size(), static_cast<std::size_t>(type_count * type_count));
}

}  // namespace

CoveredProblems const& covered_rows() {
  static const CoveredProblems all{questions(), covering_array(counts_of(questions()), may_be), problem_of};
  return all;
}

}  // namespace gpuconv::test

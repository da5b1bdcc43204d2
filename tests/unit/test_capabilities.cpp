// The page of capabilities: which of the problems of the covering arrays each solver takes.
#include "support/covering.hpp"
#include "support/solvers.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

namespace gpuconv::test {
namespace {

std::string title(SolverPointer solver) {
  return std::string(name(solver->device)) + ' ' + std::string(name(solver->method));
}

/// Why a solver refuses each row of an array; empty where it takes it.
std::vector<std::string> refusals(SolverPointer solver, CoveredProblems const& all) {
  std::vector<std::string> out;
  for (Choices const& c : all.rows) {
    const detail::Work work = detail::check(all.problem_of(c));
    const detail::Answer answer = solver->consider(work, {});
    out.push_back(answer.refusal ? answer.refusal(work) : std::string());
  }
  return out;
}

/// Rows with a choice that are not refused, or a dash.
std::string taken(CoveredProblems const& all, std::size_t question, std::size_t choice,
                  std::vector<std::string> const& why) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < why.size(); ++i)
    count += all.rows[i][question] == static_cast<int>(choice) && why[i].empty();
  return count > 0 ? std::to_string(count) : "-";
}

void add_tables(std::ostream& out, CoveredProblems const& all) {
  std::map<std::string, std::vector<std::string>> why;  // by solver
  for (SolverPointer const s : solver_table()) why[title(s)] = refusals(s, all);
  for (std::size_t q = 0; q < all.questions.size(); ++q) {
    Asked const& asked = all.questions[q];
    out << "\n| " << asked.what << " |";
    for (SolverPointer const s : solver_table()) out << ' ' << title(s) << " |";
    out << "\n|---|";
    for (std::size_t s = 0; s < solver_table().size(); ++s) out << "---|";
    out << '\n';
    for (std::size_t choice = 0; choice < asked.choices.size(); ++choice) {
      out << "| " << asked.choices[choice] << " |";
      for (SolverPointer const s : solver_table()) out << ' ' << taken(all, q, choice, why[title(s)]) << " |";
      out << '\n';
    }
  }
  out << "\nWhy problems are refused:\n\n";
  for (auto const& [solver, reasons] : why)
    for (std::string const& reason : std::set<std::string>(reasons.begin(), reasons.end()))
      if (!reason.empty()) out << "- " << solver << ": " << reason << '\n';
}

std::string page() {
  std::ostringstream out;
  out << R"(# What each method takes

Written by the tests that prove it. A pairwise covering array of problems, in which every two of the choices below meet,
is run by every method on every device, and each output is compared with sums of products in higher precision. A number
says how many of the array's problems have the choice and are run; the GPU's run on an emulated one too. With
`GPUCONV_UPDATE_PAGES=1` in the environment `CapabilitiesPage.cuda_IsCurrent` writes this page anew.

## One dimension

`Covering.EveryTwoChoicesAreRightTogether`: )"
      << covered_rows().rows.size() << " problems.\n";
  add_tables(out, covered_rows());
  out << "\n## Images\n\n`ImageCovering.EveryTwoChoicesAreRightTogether`: " << covered_images().rows.size()
      << " problems.\n";
  add_tables(out, covered_images());
  return out.str();
}

TEST(CapabilitiesPage, cuda_IsCurrent) {
  if (cuda_solver_table().empty()) GTEST_SKIP() << "this build has no CUDA solvers";
  if (const DeviceInfo cuda = detail::cuda_device_info(); !cuda.available) GTEST_SKIP() << cuda.detail;
  if (const char* const update = std::getenv("GPUCONV_UPDATE_PAGES"); update && std::string_view(update) == "1")
    std::ofstream(GPUCONV_CAPABILITIES_PAGE) << page();
  std::ifstream file(GPUCONV_CAPABILITIES_PAGE);
  if (!file) GTEST_SKIP() << "the page is not on this machine";
  const std::string there((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_EQ(there, page()) << "GPUCONV_UPDATE_PAGES=1 writes it anew";
}

}  // namespace
}  // namespace gpuconv::test

// Pairwise covering arrays: few rows of choices in which every two choices meet that may.
#pragma once

#include <gpuconv/problem.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace gpuconv::test {

/// One choice for each question, by number; -1: none yet.
using Choices = std::vector<int>;

/// Rows of choices among `counts[q]` for each question q, such that every two choices of different questions are
/// together in a row, unless `allowed` refuses all rows with both. `allowed` is also asked of rows with questions that
/// are still open, and has to accept those that can be completed. The same rows for the same arguments. Source: the
/// greedy algorithm of Cohen, Dalal, Fredman and Patton, "The AETG System" (1997), without its random candidates.
std::vector<Choices> covering_array(
    std::vector<int> const& counts,
    std::function<bool(Choices const&)> const& allowed = [](Choices const&) { return true; });

/// Calls try_one(choices) for all choices of the questions `product` with all others of those, while it returns true;
/// the choices of the other questions take turns. `counts`: of each question.
void each_of_product(std::vector<int> const& counts, std::vector<int> const& product,
                     std::function<bool(Choices const&)> const& try_one);

/// A question with the names of its choices.
struct Asked {
  const char* what;
  std::vector<std::string> choices;
};
/// The questions of rows and of images, in the order in which they are asked.
enum Question {
  signal_type,
  filter_type_,
  result,
  operation,
  outputs,
  beyond,
  rows,
  sizes,
  signal_lies,
  filter_lies,
  output_lies,
  data,
  threads
};
/// What is asked for by `outputs`.
enum Outputs { full, valid, same_numpy, same_scipy, same_matlab, window, window_beyond, window_steps };
/// Whether boundary and outputs go together: others than zero need outputs that see beyond the ends.
bool may_be(Choices const& choices);
/// The first ones, up to `beyond`, which are the same for both, and `others` behind them. `ends`: those that a window
/// can be beyond.
std::vector<Asked> with_common_questions(const char* ends, std::vector<Asked> const& others);
/// How many choices each question has.
std::vector<int> counts_of(std::vector<Asked> const& questions);

/// A covering array of problems, which every solver is tried with.
struct CoveredProblems {
  std::vector<Asked> questions;
  std::vector<Choices> rows;
  Problem (*problem_of)(Choices const&);
};
CoveredProblems const& covered_rows();    // test_covering.cpp
CoveredProblems const& covered_images();  // test_image_covering.cpp

}  // namespace gpuconv::test

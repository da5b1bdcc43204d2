// How the tool takes long rows apart and dimensions together: pieces of any length give the whole, loops reach every
// row.
#include "layout.hpp"
#include "pieces.hpp"

#include <gpuconv/plan.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace {

using namespace gpuconv;

class Pieces : public testing::Test {
 protected:
  std::vector<std::int64_t> numbers(std::int64_t count) {
    std::vector<std::int64_t> out(static_cast<std::size_t>(count));
    for (std::int64_t& n : out) n = std::uniform_int_distribution<std::int64_t>(-99, 99)(random_);
    return out;
  }

  static std::vector<std::int64_t> run(tool::Piece const& piece, std::vector<std::int64_t> const& signal,
                                       std::vector<std::int64_t> const& filter) {
    Plan plan(piece.problem, {.method = Method::reference});
    plan.set_filter(filter);
    std::vector<std::int64_t> out(static_cast<std::size_t>(plan.output_length()));
    plan.execute(HostView(signal.data() + piece.first_sample, piece.problem.signal), out);
    return out;
  }

  void check(Problem const& row) {
    const auto signal = numbers(row.signal), filter = numbers(row.filter);
    const std::int64_t outputs = output_slice(row).length;
    const auto whole = run(tool::piece_of(row, 0, outputs), signal, filter);
    for (const std::int64_t count : {1, 2, 7, 30}) {
      std::vector<std::int64_t> together;
      for (std::int64_t first = 0; first < outputs; first += count) {
        const tool::Piece piece = tool::piece_of(row, first, std::min(count, outputs - first));
        ASSERT_LE(piece.first_sample + piece.problem.signal, row.signal);
        const auto part = run(piece, signal, filter);
        together.insert(together.end(), part.begin(), part.end());
      }
      ASSERT_EQ(together, whole) << to_string(row) << ", pieces of " << count;
    }
  }

  std::mt19937_64 random_{20240501};
};

TEST_F(Pieces, GiveTheWholeOfAnyMode) {
  for (const Operation operation : {Operation::convolve, Operation::correlate})
    for (auto const& [n, m] : {std::pair{60, 1}, {60, 9}, {9, 60}, {31, 30}, {1, 1}})
      for (const Mode mode : {Mode::full, Mode::same, Mode::valid})
        check({.signal = n, .filter = m, .mode = mode, .type = Type::int64, .operation = operation});
}

TEST_F(Pieces, GiveTheWholeBeyondTheEnds) {
  for (const Boundary boundary :
       {Boundary::zero, Boundary::constant, Boundary::nearest, Boundary::reflect, Boundary::mirror, Boundary::wrap})
    for (auto const& [n, m] : {std::pair{50, 8}, {8, 50}, {20, 19}}) {
      Problem p{.signal = n, .filter = m, .mode = Mode::same, .type = Type::int64, .boundary = boundary};
      p.constant = 3;
      check(p);
      p.window = Slice{-100, 250};
      check(p);
      p.window = Slice{-3, 25, 11};
      check(p);
    }
}

TEST_F(Pieces, AreAboutEquallyLongAndFollowFromTheRowAlone) {
  const Problem p{.signal = std::int64_t{1} << 30, .filter = 1000};
  const std::int64_t piece = tool::piece_outputs(p, 1), outputs = output_slice(p).length;
  EXPECT_LT(piece, std::int64_t{1} << 24);
  EXPECT_GT(outputs % piece, piece / 2);
  Problem batch = p;
  batch.batch = 7;
  EXPECT_EQ(tool::piece_outputs(batch, 1), piece);
  EXPECT_EQ(tool::piece_outputs({.signal = 1 << 20, .filter = 1 << 20}, 1), (1 << 21) - 1);
  const Problem longest{.signal = std::int64_t{1} << 40, .filter = std::int64_t{1} << 30};
  EXPECT_GE(tool::piece_outputs(longest, 1), std::int64_t{1} << 32) << "not much is computed twice";
  EXPECT_LE((tool::piece_outputs(longest, 1000) - 1) * 8000, std::int64_t{1} << 29) << "and memory is bounded";
}

TEST(Loops, ThatFollowEachOtherAreOne) {
  std::vector<tool::Loop> loops;
  tool::add_loop(loops, {.count = 4, .step = {.signal = 30, .filter = 0, .out = 0}});
  tool::add_loop(loops, {.count = 1, .step = {.signal = 99}});
  tool::add_loop(loops, {.count = 3, .step = {.signal = 10}});
  ASSERT_EQ(loops.size(), 1u);
  EXPECT_EQ(loops[0].count, 12);
  EXPECT_EQ(loops[0].step.signal, 10);
  tool::add_loop(loops, {.count = 2, .step = {.signal = 5, .filter = 1}});
  EXPECT_EQ(loops.size(), 2u) << "the filter moves in the inner one alone";
}

TEST(Loops, ReachEveryRowInOrder) {
  const std::vector<tool::Loop> loops{{.count = 2, .step = {.signal = 100}},
                                      {.count = 3, .step = {.signal = 1, .out = 7}}};
  std::vector<std::int64_t> signal, out;
  tool::each_turn(loops, tool::Offsets{.signal = 5},
                  [&](tool::Offsets const& at) { signal.push_back(at.signal), out.push_back(at.out); });
  EXPECT_EQ(signal, (std::vector<std::int64_t>{5, 6, 7, 105, 106, 107}));
  EXPECT_EQ(out, (std::vector<std::int64_t>{0, 7, 14, 0, 7, 14}));
}

}  // namespace

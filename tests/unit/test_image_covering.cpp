// Everything with everything, for images: a pairwise covering array over what their problems can ask for, by every
// solver, against sums by their definition. GPUCONV_TEST_CHOICES=N tries N choices at random, "all" every type with
// every other, with every kind of outputs, boundary and batch, for who has the time.
#include "support/covering.hpp"
#include "support/pictures.hpp"
#include "support/scale.hpp"
#include "support/solvers.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string_view>

namespace gpuconv::test {
namespace {

enum RowKinds { one_image, one_filter, filter_per_image, bank };
enum Data { ordinary, not_finite, products };

struct Sizes {
  int64_t lines, columns, filter_lines, taps;
};
constexpr Sizes kSizes[] = {{12, 40, 3, 3}, {9, 8, 5, 6},   {3, 4, 7, 9},   {1, 50, 3, 5},
                            {40, 1, 2, 1},  {20, 30, 1, 4}, {7, 200, 2, 5}, {17, 13, 11, 10}};

std::vector<Asked> const& questions() {
  static const std::vector<Asked> all = [] {
    std::vector<std::string> sizes_text;
    for (auto const [lines, columns, filter_lines, taps] : kSizes)
      sizes_text.push_back(std::to_string(lines) + " x " + std::to_string(columns) + ", filter " +
                           std::to_string(filter_lines) + " x " + std::to_string(taps));
    const std::vector<std::string> lie{"densely", "a crop of larger ones", "from the last sample to the first",
                                       "a channel of a photograph"};
    const std::vector<Asked> others{
        {"Images",
         {"one", "a batch with one filter", "a batch with a filter per image", "a batch with a bank of filters"}},
        {"Sizes", sizes_text},
        {"Images in memory", lie},
        {"Filters in memory", lie},
        {"Outputs in memory", lie},
        {"Data", {"ordinary", "with NaN and infinity", "filters that are a column times a row"}},
        {"Threads", {"one", "three"}},
    };
    return with_common_questions("all ends", others);
  }();
  return all;
}

// Valid needs operands of which one holds the other.
bool has_outputs(Choices const& c) {
  Sizes const& s = kSizes[c[sizes]];
  return c[outputs] != valid || (s.lines >= s.filter_lines) == (s.columns >= s.taps) || s.lines == s.filter_lines ||
         s.columns == s.taps;
}

Problem problem_of(Choices const& c) {
  Sizes const& s = kSizes[c[sizes]];
  Problem p{.signal = s.columns,
            .filter = s.taps,
            .type = static_cast<Type>(c[signal_type]),
            .filter_type = static_cast<Type>(c[filter_type_]),
            .operation = static_cast<Operation>(c[operation]),
            .boundary = static_cast<Boundary>(c[beyond]),
            .constant = 3,
            .lines = {.signal = s.lines, .filter = s.filter_lines, .separable = c[data] == products}};
  if (c[result] == 1) p.result_type = is_complex(result_type(p)) ? Type::complex128 : Type::float64;
  const int64_t lines = s.lines + s.filter_lines - 1, columns = s.columns + s.taps - 1;
  switch (static_cast<Outputs>(c[outputs])) {
    case valid:
      p.mode = Mode::valid;
      break;
    case same_numpy:
    case same_scipy:
    case same_matlab:
      p.mode = Mode::same, p.same = static_cast<Same>(c[outputs] - same_numpy);
      break;
    case window:
      p.window = {columns / 3, columns / 4 + 1}, p.lines.window = {lines / 4, lines / 3 + 1};
      break;
    case window_beyond:
      p.window = {-6, columns + 11}, p.lines.window = {-4, lines + 9};
      break;
    case window_steps:
      p.window = {columns / 5, columns / 6 + 1, 3}, p.lines.window = {0, lines / 2 + 1, 2};
      break;
    default:
      break;
  }
  if (c[rows] != one_image) p.batch = c[rows] == bank ? 2 : 3;
  if (c[rows] == filter_per_image) p.filters = Filters::per_row;
  if (c[rows] == bank) p.filters = Filters::bank, p.bank = 3;
  return p;
}

class ImageCovering : public SolverTest {
 protected:
  bool expect_right(Choices const& c, Rng& rng) const {
    if (!may_be(c) || !has_outputs(c)) return false;
    const Problem p = problem_of(c);
    if (!takes(p)) return false;
    const auto placing = [&](Question q) { return static_cast<Placing>(c[q]); };
    Scene s(p, rng, {placing(signal_lies), placing(filter_lies), placing(output_lies)});
    if (c[data] == products) make_product(s, 0, rng);
    if (c[data] == not_finite && !is_integer(p.type)) spoil(s.signal, rng);
    if (c[data] == not_finite && !is_integer(filter_type(p)) && pick(rng, 0, 2) == 0) spoil(s.filter, rng);
    const std::string text = s.run(options(c[threads] == 0 ? 1 : 3));
    EXPECT_TRUE(is_right(s, solver()->method == Method::overlap_save || solver()->method == Method::fft)) << text;
    return true;
  }

 private:
  static void spoil(Pictures& of, Rng& rng) {
    for (const double v : {static_cast<double>(NAN), static_cast<double>(INFINITY)})
      of.set(pick(rng, 0, of.images() - 1), pick(rng, 0, of.lines() - 1), pick(rng, 0, of.columns() - 1), 0, v);
  }
};

TEST_P(ImageCovering, EveryTwoChoicesAreRightTogether) {
  std::vector<Choices> const& all = covered_images().rows;
  Rng rng = test_rng();
  int64_t taken = 0;
  for (std::size_t i = 0; i < all.size() && !HasFailure(); i += static_cast<std::size_t>(kSlowdown))
    taken += expect_right(all[i], rng);
  const bool takes_most = solver()->device == Device::cuda || solver()->method != Method::fft;
  // Of the few that a slow build tries none may be an image of one line, which is all that the other solver takes.
  const int64_t least = takes_most ? std::ssize(all) / 4 / kSlowdown : kSlowdown > 1 ? -1 : 0;
  EXPECT_GT(taken, least);
}

TEST_P(ImageCovering, AnyChoicesAreRight) {
  const char* const wanted = std::getenv("GPUCONV_TEST_CHOICES");
  Rng rng = test_rng();
  if (wanted && std::string_view(wanted) == "all") {
    int64_t taken = 0;
    each_of_product(counts_of(questions()), {signal_type, filter_type_, operation, outputs, beyond, rows},
                    [&](Choices const& c) {
                      taken += expect_right(c, rng);
                      return !HasFailure();
                    });
    std::cout << taken << " problems\n";
    return;
  }
  const int64_t count = wanted ? std::strtoll(wanted, nullptr, 10) : cases(40);
  for (int64_t i = 0; i < count && !HasFailure(); ++i) {
    Choices c;
    for (Asked const& q : questions()) c.push_back(static_cast<int>(pick(rng, 0, std::ssize(q.choices) - 1)));
    expect_right(c, rng);
  }
}
GPUCONV_OVER_SOLVERS(ImageCovering);

}  // namespace

CoveredProblems const& covered_images() {
  static const CoveredProblems all = [] {
    CoveredProblems out{questions(), covering_array(counts_of(questions()), may_be), problem_of};
    std::erase_if(out.rows, [](Choices const& c) { return !has_outputs(c); });
    return out;
  }();
  return all;
}

}  // namespace gpuconv::test

#include "support/covering.hpp"

#include <algorithm>
#include <numeric>

namespace gpuconv::test {
namespace {

// Which pairs of choices no row has yet.
class Uncovered {
 public:
  explicit Uncovered(std::vector<int> const& counts) {
    int choices = 0;
    for (int const count : counts) first_.push_back(choices), choices += count;
    size_ = static_cast<std::size_t>(choices);
    open_.assign(size_ * size_, true);
  }
  bool contains(std::size_t a, int choice_a, std::size_t b, int choice_b) const {
    return open_[index(a, choice_a, b, choice_b)];
  }
  void remove(std::size_t a, int choice_a, std::size_t b, int choice_b) {
    open_[index(a, choice_a, b, choice_b)] = open_[index(b, choice_b, a, choice_a)] = false;
  }
  /// Pairs that a choice would cover together with those that are made.
  int gain(Choices const& row, std::size_t q, int choice) const {
    int pairs = 0;
    for (std::size_t other = 0; other < row.size(); ++other)
      if (other != q && row[other] >= 0) pairs += contains(q, choice, other, row[other]);
    return pairs;
  }

 private:
  std::size_t index(std::size_t a, int choice_a, std::size_t b, int choice_b) const {
    return static_cast<std::size_t>(first_[a] + choice_a) * size_ + static_cast<std::size_t>(first_[b] + choice_b);
  }

  std::vector<int> first_;  // choice of each question, among all
  std::size_t size_;
  std::vector<bool> open_;
};

// Fills in the open questions, each with the choice that covers most. Of equal ones the first from `turn` on, so that
// all get their turn.
bool complete(Choices& row, std::vector<int> const& counts, Uncovered const& uncovered, std::size_t turn,
              std::function<bool(Choices const&)> const& allowed) {
  std::vector<std::size_t> order(counts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater(), [&](std::size_t q) { return counts[q]; });
  for (std::size_t const q : order) {
    if (row[q] >= 0) continue;
    int best = -1, most = -1;
    for (int i = 0; i < counts[q]; ++i) {
      Choices tried = row;
      tried[q] = static_cast<int>((static_cast<std::size_t>(i) + turn) % static_cast<std::size_t>(counts[q]));
      if (!allowed(tried)) continue;
      if (int const gain = uncovered.gain(row, q, tried[q]); gain > most) most = gain, best = tried[q];
    }
    if (best < 0) return false;
    row[q] = best;
  }
  return true;
}

std::vector<std::string> type_names() {
  std::vector<std::string> out;
  for (int t = 0; t < type_count; ++t) out.emplace_back(name(static_cast<Type>(t)));
  return out;
}

std::vector<std::string> boundary_names() {
  constexpr int count = static_cast<int>(Boundary::wrap) + 1;
  std::vector<std::string> out;
  for (int b = 0; b < count; ++b) out.emplace_back(name(static_cast<Boundary>(b)));
  return out;
}

}  // namespace

std::vector<Choices> covering_array(std::vector<int> const& counts,
                                    std::function<bool(Choices const&)> const& allowed) {
  Uncovered uncovered(counts);
  std::vector<Choices> rows;
  const std::size_t questions = counts.size();
  const auto cover = [&](std::size_t a, int choice_a, std::size_t b, int choice_b) {
    Choices row(questions, -1);
    row[a] = choice_a, row[b] = choice_b;
    const bool possible = allowed(row) && complete(row, counts, uncovered, rows.size(), allowed);
    uncovered.remove(a, choice_a, b, choice_b);
    if (!possible) return;
    for (std::size_t p = 0; p < questions; ++p)
      for (std::size_t q = 0; q < p; ++q) uncovered.remove(p, row[p], q, row[q]);
    rows.push_back(std::move(row));
  };
  for (std::size_t a = 0; a < questions; ++a)
    for (std::size_t b = a + 1; b < questions; ++b)
      for (int i = 0; i < counts[a]; ++i)
        for (int j = 0; j < counts[b]; ++j)
          if (uncovered.contains(a, i, b, j)) cover(a, i, b, j);
  return rows;
}

void each_of_product(std::vector<int> const& counts, std::vector<int> const& product,
                     std::function<bool(Choices const&)> const& try_one) {
  const auto count_of = [&](int q) { return counts[static_cast<std::size_t>(q)]; };
  std::int64_t turn = 0;
  for (Choices c(counts.size(), 0);;) {
    std::int64_t quotient = turn++;
    for (int q = 0; q < static_cast<int>(counts.size()); ++q)
      if (std::ranges::find(product, q) == product.end())
        c[static_cast<std::size_t>(q)] = static_cast<int>(quotient % count_of(q)), quotient /= count_of(q);
    if (!try_one(c)) return;
    std::size_t i = 0;
    const auto next = [&](int q) { return ++c[static_cast<std::size_t>(q)] == count_of(q); };
    while (i < product.size() && next(product[i])) c[static_cast<std::size_t>(product[i++])] = 0;
    if (i == product.size()) return;
  }
}

bool may_be(Choices const& c) { return c[beyond] <= 0 || (c[outputs] != full && c[outputs] != valid); }

std::vector<Asked> with_common_questions(const char* ends, std::vector<Asked> const& others) {
  std::vector<Asked> all{
      {"Signal", type_names()},
      {"Filter", type_names()},
      {"Result", {"the default type", "the widest type"}},
      {"Operation", {"convolve", "correlate"}},
      {"Outputs",
       {"full", "valid", "same (NumPy)", "same (SciPy)", "same (MATLAB)", "a window",
        "a window beyond " + std::string(ends), "a window with steps"}},
      {"Boundary", boundary_names()},
  };
  all.insert(all.end(), others.begin(), others.end());
  return all;
}

std::vector<int> counts_of(std::vector<Asked> const& questions) {
  std::vector<int> out;
  for (Asked const& q : questions) out.push_back(static_cast<int>(q.choices.size()));
  return out;
}

}  // namespace gpuconv::test

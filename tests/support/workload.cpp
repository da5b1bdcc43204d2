#include "support/workload.hpp"

#include "support/tolerance.hpp"

#include <algorithm>
#include <cmath>

namespace gpuconv::test {
namespace {

// Which classes the sum may have. Where every order of summation agrees there is one; where partial sums may overflow
// on the way, the order decides, and so several are right.
template <class R>
unsigned classes_of(bool any_nan, bool plus, bool minus, long double positive, long double negative) {
  constexpr long double largest = std::numeric_limits<R>::max(), margin = 0x1p-20L;
  if (any_nan || (plus && minus)) return nan;
  const bool may_exceed = positive > largest * (1 - margin), may_fall_below = negative > largest * (1 - margin);
  if (plus) return may_fall_below ? plus_infinity | nan : plus_infinity;
  if (minus) return may_exceed ? minus_infinity | nan : minus_infinity;
  if (!may_exceed && !may_fall_below) return finite;
  const long double sum = positive - negative;
  if (sum > largest * (1 + margin) && !may_fall_below) return plus_infinity;
  if (-sum > largest * (1 + margin) && !may_exceed) return minus_infinity;
  return finite | (may_exceed ? plus_infinity : 0u) | (may_fall_below ? minus_infinity : 0u) |
         (may_exceed && may_fall_below ? nan : 0u);
}

// 2-norm of the samples that any block of `size` holding output `k` of the full convolution may hold.
class BlockNorms {
 public:
  BlockNorms(std::vector<long double> const& signal, std::int64_t size) : size_(size) {
    squares_.resize(signal.size() / static_cast<std::size_t>(size) + 1);
    for (std::size_t i = 0; i < signal.size(); ++i)
      squares_[i / static_cast<std::size_t>(size)] += signal[i] * signal[i];
  }
  long double around(std::int64_t k) const {
    long double sum = 0;
    for (std::int64_t b = k / size_ - 1; b <= k / size_ + 1; ++b)
      if (b >= 0 && b < static_cast<std::int64_t>(squares_.size())) sum += squares_[static_cast<std::size_t>(b)];
    return std::sqrt(sum);
  }

 private:
  std::int64_t size_;
  std::vector<long double> squares_;
};

}  // namespace

Workload empty_workload(Problem const& p, Layouts const& layouts) {
  return {p, Array(p.type, p.batch, p.signal, layouts.signal),
          Array(filter_type(p), p.filters == Filters::per_row ? p.batch : 1, p.filter, layouts.filter)};
}

Workload random_workload(Problem const& p, Rng& rng, Layouts const& layouts) {
  Workload w = empty_workload(p, layouts);
  fill_random(w.signal, rng);
  fill_random(w.filter, rng);
  return w;
}

Outcome run(Workload const& w, Options const& options, Layout layout) {
  Plan plan(w.problem, options);
  Outcome outcome{Array(result_type(w.problem), w.problem.batch, plan.output_length(), layout), plan.describe(), plan.method()};
  const Workload before = w;
  plan.set_filter(w.filter.input());
  plan.execute(w.signal.input(), outcome.out.output());
  EXPECT_TRUE(outcome.out.guards_intact()) << to_string(w.problem) << ", " << outcome.plan;
  EXPECT_TRUE(w.signal == before.signal && w.filter == before.filter)
      << "the input was written: " << to_string(w.problem) << ", " << outcome.plan;
  return outcome;
}

std::int64_t block_size(std::string const& plan) {
  const std::string words = "blocks of ";
  const auto at = plan.find(words);
  return at == std::string::npos ? 0 : std::stoll(plan.substr(at + words.size()));
}

Oracle::Oracle(Workload const& w) : problem_(w.problem), slice_(output_slice(w.problem)) {
  const Type type = result_type(problem_);
  for (std::int64_t r = 0; r < problem_.batch; ++r)
    rows_.push_back(type == Type::float32   ? row<float>(w, r)
                    : type == Type::float64 ? row<double>(w, r)
                                            : row<std::uint64_t>(w, r));
}

template <class R>
Oracle::Row Oracle::row(Workload const& w, std::int64_t r) const {
  const std::vector<R> x = w.signal.as<R>(r);
  const std::vector<R> h = w.filter.as<R>(problem_.filters == Filters::per_row ? r : 0);
  Row out;
  for (std::int64_t k = slice_.first; k < slice_.first + slice_.length; ++k) {
    const std::int64_t begin = std::max<std::int64_t>(0, k - problem_.signal + 1), end = std::min(problem_.filter, k + 1);
    const auto xs = [&](std::int64_t j) { return x[static_cast<std::size_t>(k - j)]; };
    const auto hs = [&](std::int64_t j) { return h[static_cast<std::size_t>(j)]; };
    if constexpr (!std::is_floating_point_v<R>) {
      std::uint64_t sum = 0;
      for (std::int64_t j = begin; j < end; ++j) sum += xs(j) * hs(j);
      out.integers.push_back(sum);
    } else {
      Output o;
      long double positive = 0, negative = 0;
      bool any_nan = false, plus = false, minus = false;
      for (std::int64_t j = begin; j < end; ++j) {
        const long double p = static_cast<long double>(xs(j)) * static_cast<long double>(hs(j));
        if (std::isfinite(p)) (p > 0 ? positive : negative) += std::abs(p);
        else (std::isnan(p) ? any_nan : p > 0 ? plus : minus) = true;
        o.value += p;
      }
      o.magnitude = positive + negative;
      o.classes = classes_of<R>(any_nan, plus, minus, positive, negative);
      o.terms = std::max<std::int64_t>(0, end - begin);
      out.outputs.push_back(o);
    }
  }
  if constexpr (std::is_floating_point_v<R>) {
    const auto magnitude = [](R v) { return std::isfinite(v) ? std::abs(static_cast<long double>(v)) : 0.0L; };
    for (R const v : x) out.signal.push_back(magnitude(v));
    for (R const v : h) out.filter_norm += magnitude(v) * magnitude(v);
    out.filter_norm = std::sqrt(out.filter_norm);
  }
  return out;
}

std::vector<Expected> Oracle::expected(std::int64_t r, Outcome const& outcome) const {
  const Row& row = rows_[static_cast<std::size_t>(r)];
  const Type type = result_type(problem_);
  const std::int64_t size = block_size(outcome.plan);
  const BlockNorms norms(row.signal, size ? size : 1);
  std::vector<Expected> out;
  for (std::size_t i = 0; i < row.outputs.size(); ++i) {
    const Output& o = row.outputs[i];
    Expected e{o.value, 0, o.classes};
    const long double rounding = tolerance(type).unit * std::abs(o.value) + tolerance(type).smallest;
    if (outcome.method == Method::reference) e.bound = rounding + 0x1p-50L * tolerance(type).unit * o.magnitude * static_cast<long double>(o.terms);
    else if (outcome.method == Method::direct) e.bound = direct_bound(type, o.terms, o.magnitude);
    else e.bound = rounding + transform_bound(type, size, row.filter_norm, norms.around(slice_.first + static_cast<std::int64_t>(i)));
    out.push_back(e);
  }
  return out;
}

testing::AssertionResult Oracle::accepts_row(std::int64_t r, Outcome const& outcome) const {
  return visit_type(outcome.out.type(), [&]<class T>(std::type_identity<T>) {
    const auto got = outcome.out.row<T>(r);
    if constexpr (std::is_floating_point_v<T>) {
      return is_close(got, std::span<Expected const>(expected(r, outcome)));
    } else {
      std::vector<T> want;
      for (std::uint64_t const v : rows_[static_cast<std::size_t>(r)].integers) want.push_back(static_cast<T>(v));
      return is_equal(got, std::span<T const>(want));
    }
  });
}

testing::AssertionResult Oracle::accepts(Outcome const& outcome) const {
  if (outcome.out.type() != result_type(problem_) || outcome.out.rows() != problem_.batch)
    return testing::AssertionFailure() << "the outcome is not one of this problem: " << to_string(problem_);
  for (std::int64_t r = 0; r < problem_.batch; ++r)
    if (const auto result = accepts_row(r, outcome); !result)
      return testing::AssertionFailure() << result.message() << "\n  row " << r << " of " << to_string(problem_)
                                         << "\n  by " << outcome.plan;
  return testing::AssertionSuccess();
}

long double Oracle::worst_ratio(Outcome const& outcome) const {
  const long double c = outcome.method == Method::direct ? 1 : tolerance(result_type(problem_)).c;
  long double worst = 0;
  for (std::int64_t r = 0; r < problem_.batch; ++r) {
    const std::vector<Expected> want = expected(r, outcome);
    const std::vector<long double> got = outcome.out.as<long double>(r);
    for (std::size_t i = 0; i < want.size(); ++i)
      if (want[i].bound > 0) worst = std::max(worst, c * std::abs(got[i] - want[i].value) / want[i].bound);
  }
  return worst;
}

}  // namespace gpuconv::test

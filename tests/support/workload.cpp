#include "support/workload.hpp"

#include "support/tolerance.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <utility>

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

DeviceArray::DeviceArray(Array const& array)
    : bytes_(std::ssize(array.storage())), type_(array.type()), begin_(array.begin()), shape_(array.shape()) {
  copy(HostView(reinterpret_cast<std::uint8_t const*>(array.storage().data()), bytes_.size()), bytes_);
}
void DeviceArray::copy_to(Array& array) const {
  copy(bytes_, HostView(reinterpret_cast<std::uint8_t*>(array.storage().data()), bytes_.size()));
}

namespace {

// On copies in device memory, guards included; they come back for the checks on what was written.
void execute_on_device(Plan& plan, Workload& w, Array& out) {
  DeviceArray signal(w.signal), filter(w.filter), result(out);
  plan.set_filter(filter.input(), Stream{});
  plan.execute(signal.input(), result.output(), Stream{});
  signal.copy_to(w.signal);
  filter.copy_to(w.filter);
  result.copy_to(out);
}

}  // namespace

Outcome run(Workload const& w, Options const& options, Layout layout) {
  Plan plan(w.problem, options);
  Outcome outcome{Array(result_type(w.problem), w.problem.batch, plan.output_length(), layout), plan.describe(),
                  plan.method(), plan.block()};
  Workload before = w;
  if (options.memory == Memory::device) {
    execute_on_device(plan, before, outcome.out);
  } else {
    plan.set_filter(w.filter.input());
    plan.execute(w.signal.input(), outcome.out.output());
  }
  EXPECT_TRUE(outcome.out.guards_intact()) << to_string(w.problem) << ", " << outcome.plan;
  EXPECT_TRUE(w.signal == before.signal && w.filter == before.filter)
      << "the input was written: " << to_string(w.problem) << ", " << outcome.plan;
  return outcome;
}

Oracle::Oracle(Workload const& w) : problem_(w.problem), slice_(output_slice(w.problem)) {
  const Type type = result_type(problem_);
  for (std::int64_t r = 0; r < problem_.batch; ++r) {
    const std::int64_t f = problem_.filters == Filters::per_row ? r : 0;
    if (type == Type::float32) rows_.push_back(floating_row(w.signal.as<float>(r), w.filter.as<float>(f)));
    else if (type == Type::float64) rows_.push_back(floating_row(w.signal.as<double>(r), w.filter.as<double>(f)));
    else rows_.push_back(integer_row(w.signal.as<std::uint64_t>(r), w.filter.as<std::uint64_t>(f)));
  }
}

// Sums of the products one precision up, tap by tap and in pieces: for data whose sums cannot overflow.
template <class R>
std::vector<Oracle::Output> Oracle::plain_outputs(std::vector<R> const& x, std::vector<R> const& h) const {
  using W = std::conditional_t<std::is_same_v<R, float>, double, long double>;
  const auto length = static_cast<std::size_t>(slice_.length);
  std::vector<W> piece(length), value(length), magnitude(length);
  std::vector<std::int64_t> terms(length);
  const auto end_piece = [&] {
    for (std::size_t i = 0; i < length; ++i) value[i] += std::exchange(piece[i], W(0));
  };
  for (std::int64_t j = 0; j < problem_.filter; ++j) {
    if (j % kPiece == 0) end_piece();
    const W tap = h[static_cast<std::size_t>(j)];
    const std::int64_t begin = std::max(slice_.first, j),
                       end = std::min(slice_.first + slice_.length, j + problem_.signal);
    if (end <= begin) continue;
    const R* const from = x.data() + (begin - j);
    const auto at = static_cast<std::size_t>(begin - slice_.first), count = static_cast<std::size_t>(end - begin);
    for (std::size_t i = 0; i < count; ++i) {
      const W product = static_cast<W>(from[i]) * tap;
      piece[at + i] += product;
      magnitude[at + i] += std::abs(product);
      ++terms[at + i];
    }
  }
  end_piece();
  std::vector<Output> out;
  for (std::size_t i = 0; i < length; ++i) out.push_back({value[i], magnitude[i], finite, terms[i]});
  return out;
}

// One output whose products may be NaN, infinite or overflow when they are added up.
template <class R>
Oracle::Output Oracle::any_output(std::vector<R> const& x, std::vector<R> const& h, std::int64_t k) const {
  Output o;
  long double positive = 0, negative = 0;
  bool any_nan = false, plus = false, minus = false;
  const std::int64_t end = std::min(problem_.filter, k + 1);
  for (std::int64_t j = std::max<std::int64_t>(0, k - problem_.signal + 1); j < end; ++j) {
    const long double p = static_cast<long double>(x[static_cast<std::size_t>(k - j)]) *
                          static_cast<long double>(h[static_cast<std::size_t>(j)]);
    if (std::isfinite(p)) (p > 0 ? positive : negative) += std::abs(p);
    else (std::isnan(p) ? any_nan : p > 0 ? plus : minus) = true;
    o.value += p;
    ++o.terms;
  }
  o.magnitude = positive + negative;
  o.classes = classes_of<R>(any_nan, plus, minus, positive, negative);
  return o;
}

template <class R>
Oracle::Row Oracle::floating_row(std::vector<R> const& x, std::vector<R> const& h) const {
  Row out;
  const auto magnitude = [](R v) { return std::isfinite(v) ? std::abs(static_cast<long double>(v)) : 0.0L; };
  long double signal_peak = 0, filter_sum = 0;
  for (R const v : x) out.signal.push_back(magnitude(v)), signal_peak = std::max(signal_peak, magnitude(v));
  for (R const v : h) out.filter.push_back(magnitude(v)), filter_sum += magnitude(v);
  const auto norm = [](std::vector<long double> const& v) {
    return std::sqrt(std::inner_product(v.begin(), v.end(), v.begin(), 0.0L));
  };
  out.signal_norm = norm(out.signal), out.filter_norm = norm(out.filter);

  const auto all_finite = [](std::vector<R> const& v) {
    return std::all_of(v.begin(), v.end(), [](R e) { return std::isfinite(e); });
  };
  if (all_finite(x) && all_finite(h) && signal_peak * filter_sum < std::numeric_limits<R>::max() / 2) {
    out.outputs = plain_outputs(x, h);
    return out;
  }
  for (std::int64_t o = 0; o < slice_.length; ++o) out.outputs.push_back(any_output(x, h, slice_.first + o));
  return out;
}

Oracle::Row Oracle::integer_row(std::vector<std::uint64_t> const& x, std::vector<std::uint64_t> const& h) const {
  Row out;
  for (std::int64_t k = slice_.first; k < slice_.first + slice_.length; ++k) {
    const std::int64_t end = std::min(problem_.filter, k + 1);
    std::uint64_t sum = 0;
    for (std::int64_t j = std::max<std::int64_t>(0, k - problem_.signal + 1); j < end; ++j)
      sum += x[static_cast<std::size_t>(k - j)] * h[static_cast<std::size_t>(j)];
    out.integers.push_back(sum);
  }
  return out;
}

std::vector<Expected> Oracle::expected(std::int64_t r, Outcome const& outcome) const {
  const Row& row = rows_[static_cast<std::size_t>(r)];
  const Type type = result_type(problem_);
  const std::int64_t size = outcome.block;
  const BlockNorms norms(row.signal, size ? size : 1), filter_norms(row.filter, size ? size : 1);
  std::vector<Expected> out;
  for (std::size_t i = 0; i < row.outputs.size(); ++i) {
    const Output& o = row.outputs[i];
    Expected e{o.value, 0, o.classes};
    const std::int64_t k = slice_.first + static_cast<std::int64_t>(i);
    if (outcome.method == Method::direct) e.bound = direct_bound(type, o.terms, o.magnitude);
    else e.bound = reference_bound(type, o.terms, o.magnitude, o.value);
    if (!size) {
      out.push_back(e);
      continue;
    }
    long double bound = transform_bound(type, size, row.filter_norm, norms.around(k));
    if (problem_.filter > problem_.signal)  // the filter may have been cut into blocks in place of the signal
      bound = std::max(bound, transform_bound(type, size, row.signal_norm, filter_norms.around(k)));
    e.bound += bound;
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

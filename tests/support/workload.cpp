#include "support/workload.hpp"

#include "support/tolerance.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <numeric>
#include <utility>

namespace gpuconv::test {
namespace {

template <class R>
long double magnitude(R v) {
  return std::isfinite(v) ? std::abs(static_cast<long double>(v)) : 0.0L;
}

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

// A finite sum, once it has been rounded to `type`: where it is too large for that it is infinite.
Expected rounded(Expected e, Type type) {
  // Half a unit above the largest number.
  const long double overflow = type == Type::float16    ? 0x1.ffep15L
                               : type == Type::bfloat16 ? 0x1.ffp127L
                                                        : 0x1.ffffffp127L;
  if (std::abs(e.value) + e.bound >= overflow) {
    e.classes = e.value > 0 ? plus_infinity : minus_infinity;
    if (std::abs(e.value) - e.bound < overflow) e.classes |= finite;
  }
  e.bound = rounded_bound(type, e.value, e.bound);
  return e;
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

namespace {

// Index of the sample that stands at `i` beyond the ends of a row of n, step by step; -1 where a constant does.
std::int64_t walked(Boundary boundary, std::int64_t i, std::int64_t n) {
  if (boundary == Boundary::nearest) return std::clamp<std::int64_t>(i, 0, n - 1);
  if (boundary == Boundary::constant) return i < 0 || i >= n ? -1 : i;
  if (boundary == Boundary::mirror && n == 1) return 0;
  while (i < 0 || i >= n) {
    const bool before = i < 0;
    if (boundary == Boundary::wrap) i += before ? n : -n;
    else if (boundary == Boundary::reflect) i = before ? -1 - i : 2 * n - 1 - i;
    else i = before ? -i : 2 * n - 2 - i;
  }
  return i;
}

}  // namespace

Oracle::Oracle(Workload const& w) : problem_(w.problem), samples_(w.problem.signal) {
  const Slice slice = output_slice(problem_);
  first_ = slice.first, step_ = slice.step, span_ = (slice.length - 1) * slice.step + 1;
  if (is_extended()) {
    samples_ = span_ + problem_.filter - 1;
    origin_ = first_ - (problem_.filter - 1);
    first_ = problem_.filter - 1;
  }
  const Type type = sum_type(problem_);
  for (std::int64_t r = 0; r < problem_.batch; ++r)
    if (is_integer(result_type(problem_))) rows_.push_back(integer_row(w, r));
    else rows_.push_back(type == Type::float32 ? floating_row<float>(w, r) : floating_row<double>(w, r));
}

namespace {

std::int64_t filter_row(Problem const& p, std::int64_t r) { return p.filters == Filters::per_row ? r : 0; }

// A part of a row's filter as it is convolved: of a correlation reversed and conjugated.
template <class R>
std::vector<R> filter_part(Workload const& w, std::int64_t r, int part) {
  std::vector<R> h = w.filter.as<R>(filter_row(w.problem, r), part);
  if (w.problem.operation == Operation::convolve) return h;
  std::reverse(h.begin(), h.end());
  if (part == 1) std::ranges::transform(h, h.begin(), std::negate());
  return h;
}

}  // namespace

// `count` elements from `first` on of a row that goes on beyond its ends.
template <class R>
std::vector<R> Oracle::extended(std::vector<R> const& row, std::int64_t first, std::int64_t count,
                                double constant) const {
  if (!is_extended()) return row;
  std::vector<R> out;
  for (std::int64_t i = first; i < first + count; ++i) {
    const std::int64_t at = walked(problem_.boundary, i, problem_.signal);
    if (at >= 0) out.push_back(row[static_cast<std::size_t>(at)]);
    else if (std::is_floating_point_v<R>) out.push_back(static_cast<R>(constant));
    else out.push_back(static_cast<R>(static_cast<std::int64_t>(constant)));
  }
  return out;
}

// The magnitudes of a row's samples, and of those beyond its ends that blocks of `size` may hold besides: element
// first_ + size is then the one of the first output.
std::vector<long double> Oracle::around(Row const& row, std::int64_t size) const {
  std::vector<long double> out = extended(row.own, origin_ - size, samples_ + 2 * size, problem_.constant);
  for (long double& v : out) v = std::abs(v);
  return out;
}

// Sums of the products one precision up, tap by tap and in pieces: for data whose sums cannot overflow.
template <class R>
std::vector<Oracle::Output> Oracle::plain_outputs(Terms<R> const& terms) const {
  using W = std::conditional_t<std::is_same_v<R, float>, double, long double>;
  const auto length = static_cast<std::size_t>(span_);
  std::vector<W> piece(length), value(length), magnitude(length);
  std::vector<std::int64_t> count(length);
  const auto end_piece = [&] {
    for (std::size_t i = 0; i < length; ++i) value[i] += std::exchange(piece[i], W(0));
  };
  for (Term<R> const& term : terms)
    for (std::int64_t j = 0; j < problem_.filter; ++j) {
      if (j % kPiece == 0) end_piece();
      const W tap = term.h[static_cast<std::size_t>(j)];
      const std::int64_t begin = std::max(first_, j), end = std::min(first_ + span_, j + samples_);
      if (end <= begin) continue;
      const R* const from = term.x.data() + (begin - j);
      const auto at = static_cast<std::size_t>(begin - first_), n = static_cast<std::size_t>(end - begin);
      for (std::size_t i = 0; i < n; ++i) {
        const W product = static_cast<W>(from[i]) * tap;
        piece[at + i] += product;
        magnitude[at + i] += std::abs(product);
        ++count[at + i];
      }
    }
  end_piece();
  std::vector<Output> out;
  for (std::size_t i = 0; i < length; i += static_cast<std::size_t>(step_))
    out.push_back({value[i], magnitude[i], finite, count[i]});
  return out;
}

// One output whose products may be NaN, infinite or overflow when they are added up.
template <class R>
Oracle::Output Oracle::any_output(Terms<R> const& terms, std::int64_t k) const {
  Output o;
  long double positive = 0, negative = 0;
  bool any_nan = false, plus = false, minus = false;
  const std::int64_t end = std::min(problem_.filter, k + 1);
  for (Term<R> const& term : terms)
    for (std::int64_t j = std::max<std::int64_t>(0, k - samples_ + 1); j < end; ++j) {
      const long double p = static_cast<long double>(term.x[static_cast<std::size_t>(k - j)]) *
                            static_cast<long double>(term.h[static_cast<std::size_t>(j)]);
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
std::vector<Oracle::Output> Oracle::outputs_of(Terms<R> const& terms) const {
  const auto is_finite = [](R v) { return std::isfinite(v); };
  long double largest_sum = 0;
  bool all_finite = true;
  for (Term<R> const& term : terms) {
    long double peak = 0, sum = 0;
    for (R const v : term.x) peak = std::max(peak, magnitude(v));
    for (R const v : term.h) sum += magnitude(v);
    largest_sum += peak * sum;
    all_finite = all_finite && std::ranges::all_of(term.x, is_finite) && std::ranges::all_of(term.h, is_finite);
  }
  if (all_finite && largest_sum < std::numeric_limits<R>::max() / 2) return plain_outputs(terms);
  std::vector<Output> out;
  for (std::int64_t o = 0; o < span_; o += step_) out.push_back(any_output(terms, first_ + o));
  return out;
}

namespace {

// The magnitudes of a row's elements, of which there are the parts.
template <class R>
std::vector<long double> magnitudes(std::vector<R> const& real, std::vector<R> const& imaginary) {
  std::vector<long double> out;
  std::ranges::transform(real, std::back_inserter(out), magnitude<R>);
  for (std::size_t i = 0; i < imaginary.size(); ++i) out[i] = std::hypot(out[i], magnitude(imaginary[i]));
  return out;
}

long double norm(std::vector<long double> const& v) {
  return std::sqrt(std::inner_product(v.begin(), v.end(), v.begin(), 0.0L));
}

}  // namespace

template <class R>
Oracle::Row Oracle::floating_row(Workload const& w, std::int64_t r) const {
  std::vector<R> own[2], x[2], h[2];
  for (int p = 0; p < parts_of(w.signal.type()); ++p) {
    own[p] = w.signal.as<R>(r, p);
    x[p] = extended(own[p], origin_, samples_, p == 0 ? problem_.constant : 0);
  }
  for (int p = 0; p < parts_of(w.filter.type()); ++p) h[p] = filter_part<R>(w, r, p);

  Row out;
  out.signal = magnitudes(x[0], x[1]), out.filter = magnitudes(h[0], h[1]);
  out.signal_norm = norm(out.signal), out.filter_norm = norm(out.filter);
  if (is_extended()) out.own = magnitudes(own[0], own[1]);

  Terms<R> real{{x[0], h[0]}}, imaginary;
  if (!x[1].empty()) imaginary.push_back({x[1], h[0]});
  if (!h[1].empty()) imaginary.push_back({x[0], h[1]});
  if (!x[1].empty() && !h[1].empty()) {
    real.push_back({x[1], h[1]});
    std::ranges::transform(real.back().h, real.back().h.begin(), std::negate());
  }
  out.outputs = outputs_of(real);
  if (!imaginary.empty()) out.imaginary = outputs_of(imaginary);
  return out;
}

Oracle::Row Oracle::integer_row(Workload const& w, std::int64_t r) const {
  const std::vector<std::uint64_t> x = extended(w.signal.as<std::uint64_t>(r), origin_, samples_, problem_.constant),
                                   h = filter_part<std::uint64_t>(w, r, 0);
  Row out;
  for (std::int64_t k = first_; k < first_ + span_; k += step_) {
    const std::int64_t end = std::min(problem_.filter, k + 1);
    std::uint64_t sum = 0;
    for (std::int64_t j = std::max<std::int64_t>(0, k - samples_ + 1); j < end; ++j)
      sum += x[static_cast<std::size_t>(k - j)] * h[static_cast<std::size_t>(j)];
    out.integers.push_back(sum);
  }
  return out;
}

std::vector<Expected> Oracle::expected(std::int64_t r, Outcome const& outcome, int part) const {
  const Row& row = rows_[static_cast<std::size_t>(r)];
  const std::vector<Output>& outputs = part == 0 ? row.outputs : row.imaginary;
  const Type type = sum_type(problem_), result = part_type(result_type(problem_));
  const std::int64_t size = outcome.block;
  const bool wide = is_extended() && size > 0;
  const BlockNorms norms(wide ? around(row, size) : row.signal, size ? size : 1),
      filter_norms(row.filter, size ? size : 1);
  std::vector<Expected> out;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Output& o = outputs[i];
    Expected e{o.value, 0, o.classes};
    const std::int64_t k = first_ + static_cast<std::int64_t>(i) * step_;
    if (outcome.method == Method::direct) e.bound = direct_bound(type, o.terms, o.magnitude);
    else e.bound = reference_bound(type, o.terms, o.magnitude, o.value);
    if (size) {
      long double bound = transform_bound(type, size, row.filter_norm, norms.around(wide ? k + size : k));
      if (problem_.filter > problem_.signal)  // the filter may have been cut into blocks in place of the signal
        bound = std::max(bound, transform_bound(type, size, row.signal_norm, filter_norms.around(k)));
      e.bound += bound;
    }
    out.push_back(type == result ? e : rounded(e, result));
  }
  return out;
}

testing::AssertionResult Oracle::accepts_row(std::int64_t r, Outcome const& outcome) const {
  return visit_part(outcome.out.type(), [&]<class T>(std::type_identity<T>) {
    if constexpr (is_integer(type_of<T>)) {
      std::vector<T> want;
      for (std::uint64_t const v : rows_[static_cast<std::size_t>(r)].integers) want.push_back(static_cast<T>(v));
      return is_equal(outcome.out.row<T>(r), std::span<T const>(want));
    } else {
      using Value = std::conditional_t<sizeof(T) == 2, float, T>;
      testing::AssertionResult right = testing::AssertionSuccess();
      for (int p = 0; p < parts_of(outcome.out.type()) && right; ++p) {
        const std::vector<Value> got = outcome.out.as<Value>(r, p);
        right = is_close(std::span<Value const>(got), std::span<Expected const>(expected(r, outcome, p)));
        if (p == 1) right << " (imaginary parts)";
      }
      return right;
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
  const long double c = outcome.method == Method::direct ? 1 : tolerance(sum_type(problem_)).c;
  long double worst = 0;
  for (std::int64_t r = 0; r < problem_.batch; ++r)
    for (int p = 0; p < parts_of(outcome.out.type()); ++p) {
      const std::vector<Expected> want = expected(r, outcome, p);
      const std::vector<long double> got = outcome.out.as<long double>(r, p);
      for (std::size_t i = 0; i < want.size(); ++i)
        if (want[i].bound > 0) worst = std::max(worst, c * std::abs(got[i] - want[i].value) / want[i].bound);
    }
  return worst;
}

}  // namespace gpuconv::test

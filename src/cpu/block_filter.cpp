#include "block_filter.hpp"

#include "thread_pool.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gpuconv::detail {
namespace {

template <class C>
void scale(C* x, std::int64_t count, int exponent) {
  if (exponent == 0) return;
  // In two steps: 2^exponent itself may be out of range.
  const C half = std::ldexp(C(1), exponent / 2), rest = std::ldexp(C(1), exponent - exponent / 2);
  for (std::int64_t i = 0; i < count; ++i) x[i] = x[i] * half * rest;
}

template <class C>
double norm(const C* x, std::int64_t count) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return std::sqrt(sum);
}

// y times 2^exponent. What certainly overflows becomes infinite; where the error of a transform of operands with the
// product `norms` of their norms leaves it open, `direct_sum(i)` decides.
template <class C, class Sum>
void scale_back(C* y, std::int64_t count, int exponent, double norms, Sum direct_sum) {
  using Limits = std::numeric_limits<C>;
  const C limit = std::ldexp(Limits::max(), -exponent);  // infinite where nothing can overflow
  const C margin = static_cast<C>(128 * static_cast<double>(Limits::epsilon()) * norms);  // above c u log2(N), N < 2^64
  for (std::int64_t i = 0; i < count; ++i) {
    const C size = std::abs(y[i]);
    if (size > limit + margin) y[i] = std::copysign(Limits::infinity(), y[i]);
    else if (size >= limit - margin) y[i] = direct_sum(i);
    else y[i] = std::ldexp(y[i], exponent);
  }
}

// Sets what is not finite to zero and returns the largest magnitude left.
template <class C>
C clean(C* x, std::int64_t count) {
  C largest = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    if (!std::isfinite(x[i])) x[i] = 0;
    largest = std::max(largest, std::abs(x[i]));
  }
  return largest;
}

}  // namespace

template <class C>
BlockFilter<C>::BlockFilter(Geometry const& g, std::int64_t block_size, int slots)
    : g_(g),
      shape_(BlockShape::of(block_size, g.filter, simd_target().kernels<C>().lanes)),
      stream_(saturating_multiply(saturating_multiply(g.batch, g.length), sizeof(C)) > kStreamBytes) {
  // Sizes in doubles: an estimate that cannot overflow, to refuse what cannot be had.
  const double elements = static_cast<double>(g.filters) * static_cast<double>(g.filter + block_size) +
                          static_cast<double>(slots) * 3.2 * static_cast<double>(block_size);
  check_fits(g.bytes + elements * sizeof(C));

  transform_ = RightAngleTransform<C>::get(block_size / 2);
  filters_.resize(static_cast<std::size_t>(g.filters));
  taps_ = AlignedBuffer<C>(g.filters * g.filter);
  spectra_ = AlignedBuffer<C>(g.filters * transform_->spectrum_size());
  for (int s = 0; s < slots; ++s)
    workspaces_.push_back(
        {AlignedBuffer<C>(transform_->work_size()), AlignedBuffer<C>(shape_.size), AlignedBuffer<C>(shape_.size)});
}

template <class C>
std::size_t BlockFilter<C>::bytes() const {
  std::size_t sum = taps_.bytes() + spectra_.bytes() + transform_->table_bytes();
  for (Workspace const& w : workspaces_) sum += w.work.bytes() + w.in.bytes() + w.out.bytes();
  return sum;
}

template <class C>
void BlockFilter<C>::set_filter(Source<C> const& source, int threads) {
  for (std::int64_t f = 0; f < g_.filters; ++f) {
    C* const taps = taps_.data() + f * g_.filter;
    source.load(f, 0, g_.filter, taps);
    Filter& filter = filters_[static_cast<std::size_t>(f)];
    filter = {};
    for (std::int64_t j = 0; j < g_.filter; ++j)
      if (!std::isfinite(taps[j])) filter.not_finite.push_back(j);
  }
  // Threads share the filters out where each has a workspace, or work on one after the other.
  const int slots = static_cast<int>(workspaces_.size());
  const auto task = [&](std::int64_t f, int slot) { prepare(f, slot, slots == 1 ? threads : 1); };
  parallel_for(g_.filters, std::min(slots, threads), task);
}

template <class C>
void BlockFilter<C>::prepare(std::int64_t f, int slot, int threads) {
  Filter& filter = filters_[static_cast<std::size_t>(f)];
  Workspace& w = workspaces_[static_cast<std::size_t>(slot)];
  C* const padded = w.in.data();
  std::copy_n(taps_.data() + f * g_.filter, g_.filter, padded);
  std::fill(padded + g_.filter, padded + shape_.size, C(0));
  const C largest = clean(padded, g_.filter);
  // A spectrum's values are at most the sum of the magnitudes, and 1 / points is a factor of them: half the range of
  // exponents is left to the signal, upwards and downwards.
  using Limits = std::numeric_limits<C>;
  const C too_large = std::sqrt(Limits::max()) / static_cast<C>(g_.filter);
  const C too_small = std::sqrt(Limits::min()) * static_cast<C>(shape_.size);
  if (largest > 0 && !(largest >= too_small && largest <= too_large)) filter.exponent = std::ilogb(largest) + 1;
  scale(padded, g_.filter, -filter.exponent);
  filter.norm = norm(padded, g_.filter);
  transform_->spectrum(padded, w.work.data(), spectra_.data() + f * transform_->spectrum_size(), threads);
}

template <class C>
void BlockFilter<C>::run(Source<C> const& signal, Sink<C> const& out, std::int64_t row, std::int64_t b, int slot,
                         int threads) {
  Workspace& w = workspaces_[static_cast<std::size_t>(slot)];
  const std::int64_t begin = b * shape_.step, count = std::min(shape_.step, g_.length - begin);
  const std::int64_t first = g_.first + begin - shape_.drop;  // sample of the row at the block's start
  const std::int64_t f = g_.filter_row(row);

  // Blocks within the row are read where they are; the next one, if it is, is fetched ahead.
  const C* const samples = signal.direct(row);
  const auto inside = [&](std::int64_t i) { return samples && i >= 0 && i + shape_.size <= g_.signal; };
  const C* const next = inside(first + shape_.step) ? samples + first + shape_.step : nullptr;
  const C* x = w.in.data();
  if (inside(first)) x = samples + first;
  else signal.load_padded(row, g_.signal, first, shape_.size, w.in.data());
  Filter const& filter = filters_[static_cast<std::size_t>(f)];
  C* const result = out.direct(row);
  const bool whole = result && count == shape_.step;
  // Outputs that cannot be streamed go through the cache once more, which costs less than reading `out`.
  const bool in_place = whole && filter.exponent == 0 && (!stream_ || streams_to(result + begin));
  C* const y = in_place ? result + begin : w.out.data();
  bool finite =
      filter.not_finite.empty() && transform_->convolve(x, spectra_.data() + f * transform_->spectrum_size(), y,
                                                        shape_.drop, w.work.data(), next, stream_ && in_place, threads);
  if (finite && filter.exponent != 0) {
    scale(y, count, filter.exponent);
    finite = all_finite(y, count);
  }
  if (!finite) {
    repair(signal, row, first, count, w, threads);
    out.store(row, begin, count, w.out.data());
  } else if (!in_place) {
    if (whole && stream_) simd_target().kernels<C>().stream_copy(y, result + begin, count);
    else out.store(row, begin, count, y);
  }
}

template <class C>
bool BlockFilter<C>::streams_to(const C* out) const {
  return to_vector_boundary(out) == 0 || (simd_target().kernels<C>().transform.streams_unaligned &&
                                          RightAngleTransform<C>::block_in_cache(shape_.size));
}

template <class C>
void BlockFilter<C>::repair(Source<C> const& signal, std::int64_t row, std::int64_t first, std::int64_t count,
                            Workspace& w, int threads) {
  const std::int64_t f = g_.filter_row(row);
  const C* const taps = taps_.data() + f * g_.filter;
  C* const x = w.in.data();
  C* const y = w.out.data();
  const auto load = [&] { signal.load_padded(row, g_.signal, first, shape_.size, x); };

  load();
  const C largest = clean(x, shape_.size);
  const int exponent = largest > C(1) ? std::ilogb(largest) + 1 : 0;
  scale(x, shape_.size, -exponent);
  transform_->convolve(x, spectra_.data() + f * transform_->spectrum_size(), y, shape_.drop, w.work.data(), nullptr,
                       false, threads);
  const double x_norm = norm(x, shape_.size);
  load();
  Filter const& filter = filters_[static_cast<std::size_t>(f)];
  scale_back(y, count, exponent + filter.exponent, x_norm * filter.norm, [&](std::int64_t o) {
    const std::int64_t k = first + shape_.drop + o;  // index within the full convolution
    const std::int64_t end = std::min(g_.filter, k + 1);
    C sum = 0;  // stays non-finite once it is
    for (std::int64_t j = std::max<std::int64_t>(0, k - g_.signal + 1); j < end && std::isfinite(sum); ++j)
      sum += x[shape_.drop + o - j] * taps[j];
    return sum;
  });
  add_not_finite(row, first, count, w);
}

// Adds the products that hold a non-finite sample or tap, and no others: zero times infinity is NaN.
template <class C>
void BlockFilter<C>::add_not_finite(std::int64_t row, std::int64_t first, std::int64_t count, Workspace& w) const {
  const std::int64_t f = g_.filter_row(row);
  const C* const taps = taps_.data() + f * g_.filter;
  const C* const x = w.in.data();
  C* const y = w.out.data();
  std::int64_t nan_until = 0;  // outputs below it have a NaN in their window
  for (std::int64_t i = shape_.drop - (g_.filter - 1); i < shape_.size; ++i) {
    const std::int64_t o = i - shape_.drop;  // of the first output that sees sample i
    if (std::isnan(x[i])) nan_until = o + g_.filter;
    else if (std::isinf(x[i])) {
      const std::int64_t begin = std::max<std::int64_t>(o, 0), end = std::min(o + g_.filter, count);
      for (std::int64_t k = begin; k < end; ++k) y[k] += x[i] * taps[k - o];
    }
    if (o >= 0 && o < count && o < nan_until) y[o] = std::numeric_limits<C>::quiet_NaN();
  }
  for (const std::int64_t j : filters_[static_cast<std::size_t>(f)].not_finite) {
    const std::int64_t shift = shape_.drop - j;  // output k takes sample k + shift of the block
    const std::int64_t begin = std::max<std::int64_t>(0, -first - shift);
    const std::int64_t end = std::min(count, g_.signal - first - shift);
    for (std::int64_t k = begin; k < end; ++k) y[k] += x[k + shift] * taps[j];
  }
}

template class BlockFilter<float>;
template class BlockFilter<double>;

}  // namespace gpuconv::detail

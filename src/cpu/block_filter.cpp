#include "block_filter.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gpuconv::detail {
namespace {

// Results larger than this are written around the cache.
constexpr std::int64_t kStreamBytes = std::int64_t{4} << 20;

template <class C>
void scale(C* x, std::int64_t count, int exponent) {
  if (exponent == 0) return;
  // In two steps: 2^exponent itself may be out of range.
  const C half = std::ldexp(C(1), exponent / 2), rest = std::ldexp(C(1), exponent - exponent / 2);
  for (std::int64_t i = 0; i < count; ++i) x[i] = x[i] * half * rest;
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
  check_fits(elements * sizeof(C));

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
    source.load(f, 0, g_.filter, taps_.data() + f * g_.filter);
    prepare(f, threads);
  }
}

template <class C>
void BlockFilter<C>::prepare(std::int64_t f, int threads) {
  Filter& filter = filters_[static_cast<std::size_t>(f)];
  const C* const taps = taps_.data() + f * g_.filter;
  filter = {};
  for (std::int64_t j = 0; j < g_.filter; ++j)
    if (!std::isfinite(taps[j])) filter.not_finite.push_back(j);

  Workspace& w = workspaces_[0];
  C* const padded = w.in.data();
  std::copy_n(taps, g_.filter, padded);
  std::fill(padded + g_.filter, padded + shape_.size, C(0));
  const C largest = clean(padded, g_.filter);
  // A spectrum's values are at most the sum of the magnitudes, and 1 / points is a factor of them: half the range of
  // exponents is left to the signal, upwards and downwards.
  using Limits = std::numeric_limits<C>;
  const C too_large = std::sqrt(Limits::max()) / static_cast<C>(g_.filter);
  const C too_small = std::sqrt(Limits::min()) * static_cast<C>(shape_.size);
  if (largest > 0 && !(largest >= too_small && largest <= too_large)) filter.exponent = std::ilogb(largest) + 1;
  filter.plain = filter.not_finite.empty() && filter.exponent == 0;
  scale(padded, g_.filter, -filter.exponent);
  transform_->spectrum(padded, w.work.data(), spectra_.data() + f * transform_->spectrum_size(), threads);
}

template <class C>
void BlockFilter<C>::run(Source<C> const& signal, Sink<C> const& out, std::int64_t row, std::int64_t b, int slot,
                         int threads) {
  Workspace& w = workspaces_[static_cast<std::size_t>(slot)];
  const std::int64_t begin = b * shape_.step, count = std::min(shape_.step, g_.length - begin);
  const std::int64_t first = g_.first + begin - shape_.drop;  // sample of the row at the block's start
  const std::int64_t f = g_.filter_row(row);

  const C* x = signal.direct(row);
  const C* next = nullptr;
  if (x && first >= 0 && first + shape_.size <= g_.signal) {
    x += first;
    if (first + shape_.step + shape_.size <= g_.signal) next = x + shape_.step;
  } else {
    signal.load_padded(row, g_.signal, first, shape_.size, w.in.data());
    x = w.in.data();
  }
  C* const result = out.direct(row);
  const bool whole = result && count == shape_.step;
  const bool aligned = reinterpret_cast<std::uintptr_t>(result + begin) % 64 == 0;
  // Unaligned vectors cannot be streamed: they go through the cache once more, which costs less than reading `out`.
  C* const y = whole && (aligned || !stream_) ? result + begin : w.out.data();
  const bool finite = transform_->convolve(x, spectra_.data() + f * transform_->spectrum_size(), y, shape_.drop,
                                           w.work.data(), next, stream_ && y != w.out.data(), threads);
  if (!finite || !filters_[static_cast<std::size_t>(f)].plain) {
    repair(signal, row, first, count, w, threads);
    out.store(row, begin, count, w.out.data());
  } else if (y == w.out.data()) {
    if (whole) simd_target().kernels<C>().stream_copy(y, result + begin, count);
    else out.store(row, begin, count, y);
  }
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
  scale(y, count, exponent + filters_[static_cast<std::size_t>(f)].exponent);

  load();
  for (std::int64_t o = 0; o < count; ++o) {
    if (std::isfinite(y[o])) continue;
    // Overflows, or just not: the direct sum decides. It stays non-finite once it is.
    const std::int64_t k = first + shape_.drop + o;  // index within the full convolution
    const std::int64_t end = std::min(g_.filter, k + 1);
    C sum = 0;
    for (std::int64_t j = std::max<std::int64_t>(0, k - g_.signal + 1); j < end && std::isfinite(sum); ++j)
      sum += x[shape_.drop + o - j] * taps[j];
    y[o] = sum;
  }
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

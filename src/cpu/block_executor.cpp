#include "block_executor.hpp"

#include "../core/long_sum.hpp"
#include "../core/thread_pool.hpp"
#include "../problem.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gpuconv::detail {
namespace {

constexpr std::int64_t kBlocksTogether = 16;  // neighbours prefetch each other
constexpr std::int64_t kTasksPerThread = 8;   // so that no thread waits long for the last

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
BlockExecutor<C>::BlockExecutor(Work const& work, Cut const& cut, int threads)
    : work_(work),
      cut_(cut),
      threads_(threads),
      stream_(saturating_multiply(saturating_multiply(work.rows(), work.axis.outputs), sizeof(C)) > kStreamBytes),
      shared_out_(RightAngleTransform<C>::block_in_cache(cut.size)),
      slots_(shared_out_ ? threads : 1),
      transform_(RightAngleTransform<C>::get(cut.size / 2)),
      taps_(work.filters(), work.axis.filter),
      spectra_(work.filters() * transform_->spectrum_size()),
      filters_(static_cast<std::size_t>(work.filters())) {
  slot_bytes_ = whole_pages(static_cast<std::size_t>(transform_->work_size()) * sizeof(C)) +
                2 * whole_pages(static_cast<std::size_t>(cut.size) * sizeof(C));
}

template <class C>
std::size_t BlockExecutor<C>::own_bytes() const {
  return taps_.bytes() + spectra_.bytes() + transform_->table_bytes();
}

template <class C>
typename BlockExecutor<C>::Workspace BlockExecutor<C>::workspace(void* scratch, int slot) const {
  char* const work = static_cast<char*>(scratch) + static_cast<std::size_t>(slot) * slot_bytes_;
  char* const in = work + whole_pages(static_cast<std::size_t>(transform_->work_size()) * sizeof(C));
  char* const out = in + whole_pages(static_cast<std::size_t>(cut_.size) * sizeof(C));
  return {reinterpret_cast<C*>(work), reinterpret_cast<C*>(in), reinterpret_cast<C*>(out)};
}

template <class C>
void BlockExecutor<C>::set_filter(Input const& filter, std::int64_t count, Means const& means) {
  taps_.set(filter, count, means);
  // Threads share the filters out where each has a workspace, or work on one after the other.
  const auto task = [&](std::int64_t f, int slot) {
    prepare(f, workspace(means.scratch, slot), slots_ == 1 ? threads_ : 1);
  };
  parallel_for(count, slots_, task);
}

template <class C>
void BlockExecutor<C>::prepare(std::int64_t f, Workspace const& w, int threads) {
  const std::int64_t taps = work_.axis.filter;
  Filter filter{.finite = all_finite(taps_[f], taps)};
  C* const padded = w.in;
  std::copy_n(taps_[f], taps, padded);
  std::fill(padded + taps, padded + cut_.size, C(0));
  const C largest = clean(padded, taps);
  // A spectrum's values are at most the sum of the magnitudes, and 1 / points is a factor of them: half the range of
  // exponents is left to the signal, upwards and downwards.
  using Limits = std::numeric_limits<C>;
  const C too_large = std::sqrt(Limits::max()) / static_cast<C>(taps);
  const C too_small = std::sqrt(Limits::min()) * static_cast<C>(cut_.size);
  if (largest > 0 && !(largest >= too_small && largest <= too_large)) filter.exponent = std::ilogb(largest) + 1;
  scale(padded, taps, -filter.exponent);
  filter.norm = norm(padded, taps);
  transform_->spectrum(padded, w.work, spectra_.data() + f * transform_->spectrum_size(), threads);
  filters_[static_cast<std::size_t>(f)] = filter;
}

template <class C>
void BlockExecutor<C>::run(Input const& signal, Output const& out, Part const& part, Means const& means) {
  const Run r{Source<C>(signal, work_.loops), Sink<C>(out, work_.loops), part, means.scratch};
  const std::int64_t total = cut_.blocks(part.outputs) * part.rows;
  if (!shared_out_) {
    for (std::int64_t b = 0; b < total; ++b) run_block(r, b, 0, threads_);
    return;
  }
  const std::int64_t each = std::clamp<std::int64_t>(total / (kTasksPerThread * threads_), 1, kBlocksTogether);
  const auto task = [&](std::int64_t i, int slot) {
    for (std::int64_t b = i * each; b < std::min(total, (i + 1) * each); ++b) run_block(r, b, slot, 1);
  };
  parallel_for((total + each - 1) / each, threads_, task);
}

// Block `number` of all rows.
template <class C>
void BlockExecutor<C>::run_block(Run const& run, std::int64_t number, int slot, int threads) const {
  const std::int64_t row_blocks = cut_.blocks(run.part.outputs), samples = run.part.samples;
  const std::int64_t row = run.part.row + number / row_blocks, output = number % row_blocks * cut_.step;
  const Block b{.row = row,
                .filter = work_.loops.filter_of(row),
                .output = output,
                .count = std::min(cut_.step, run.part.outputs - output),
                .origin = run.part.first + output - cut_.skip,
                .memory = workspace(run.scratch, slot),
                .threads = threads};

  // Blocks within the row are read where they are; the next one, if it is, is fetched ahead.
  const C* const here = run.signal.in_place(row);
  const auto inside = [&](std::int64_t i) { return here && i >= 0 && i + cut_.size <= samples; };
  const C* const next = inside(b.origin + cut_.step) ? here + b.origin + cut_.step : nullptr;
  const C* x = b.memory.in;
  if (inside(b.origin)) x = here + b.origin;
  else run.signal.load_padded(row, samples, b.origin, cut_.size, b.memory.in);
  Filter const& filter = filters_[static_cast<std::size_t>(b.filter)];
  C* const result = run.out.in_place(row);
  const bool whole = result && b.count == cut_.step;
  // Outputs that cannot be streamed go through the cache once more, which costs less than reading `out`.
  const bool in_place = whole && filter.exponent == 0 && (!stream_ || streams_to(result + output));
  C* const y = in_place ? result + output : b.memory.out;
  bool finite = filter.finite && transform_->convolve(x, spectrum(b.filter), y, cut_.skip, b.memory.work, next,
                                                      stream_ && in_place, threads);
  if (finite && filter.exponent != 0) {
    scale(y, b.count, filter.exponent);
    finite = all_finite(y, b.count);
  }
  if (!finite) {
    repair(run, b);
    run.out.store(row, output, b.count, b.memory.out);
  } else if (!in_place) {
    if (whole && stream_) simd_target().kernels<C>().stream_copy(y, result + output, b.count);
    else run.out.store(row, output, b.count, y);
  }
}

template <class C>
bool BlockExecutor<C>::streams_to(const C* out) const {
  return to_vector_boundary(out) == 0 || (simd_target().kernels<C>().transform.streams_unaligned && shared_out_);
}

// The block's outputs again, into its memory.
template <class C>
void BlockExecutor<C>::repair(Run const& run, Block const& b) const {
  const C* const taps = taps_[b.filter];
  const std::int64_t count = work_.axis.filter, samples = run.part.samples;
  C* const x = b.memory.in;
  C* const y = b.memory.out;
  const auto load = [&] { run.signal.load_padded(b.row, samples, b.origin, cut_.size, x); };

  load();
  const C largest = clean(x, cut_.size);
  const int exponent = largest > C(1) ? std::ilogb(largest) + 1 : 0;
  scale(x, cut_.size, -exponent);
  transform_->convolve(x, spectrum(b.filter), y, cut_.skip, b.memory.work, nullptr, false, b.threads);
  const double x_norm = norm(x, cut_.size);
  load();
  Filter const& filter = filters_[static_cast<std::size_t>(b.filter)];
  scale_back(y, b.count, exponent + filter.exponent, x_norm * filter.norm, [&](std::int64_t o) {
    const std::int64_t k = b.origin + cut_.skip + o;  // index within the full convolution
    const std::int64_t end = std::min(count, k + 1);
    LongSum<C> sum;  // stays non-finite once it is
    for (std::int64_t j = std::max<std::int64_t>(0, k - samples + 1); j < end && std::isfinite(sum.total);) {
      C piece = 0;
      for (const std::int64_t piece_end = std::min(end, j + kRepairPiece); j < piece_end; ++j)
        piece += x[cut_.skip + o - j] * taps[j];
      sum.add(piece);
    }
    return sum.value();
  });
  add_not_finite(run.part, b);
}

// Adds the products that hold a non-finite sample or tap, and no others: zero times infinity is NaN.
template <class C>
void BlockExecutor<C>::add_not_finite(Part const& part, Block const& b) const {
  const std::int64_t taps_count = work_.axis.filter;
  const C* const taps = taps_[b.filter];
  const C* const x = b.memory.in;
  C* const y = b.memory.out;
  std::int64_t nan_until = 0;  // outputs below it have a NaN in their window
  for (std::int64_t i = cut_.skip - (taps_count - 1); i < cut_.size; ++i) {
    const std::int64_t o = i - cut_.skip;  // of the first output that sees sample i
    if (std::isnan(x[i])) nan_until = o + taps_count;
    else if (std::isinf(x[i])) {
      const std::int64_t begin = std::max<std::int64_t>(o, 0), end = std::min(o + taps_count, b.count);
      for (std::int64_t k = begin; k < end; ++k) y[k] += x[i] * taps[k - o];
    }
    if (o >= 0 && o < b.count && o < nan_until) y[o] = std::numeric_limits<C>::quiet_NaN();
  }
  if (filters_[static_cast<std::size_t>(b.filter)].finite) return;
  for (std::int64_t j = 0; j < taps_count; ++j) {
    if (std::isfinite(taps[j])) continue;
    const std::int64_t shift = cut_.skip - j;  // output k takes sample k + shift of the block
    const std::int64_t begin = std::max<std::int64_t>(0, -b.origin - shift);
    const std::int64_t end = std::min(b.count, part.samples - b.origin - shift);
    for (std::int64_t k = begin; k < end; ++k) y[k] += x[k + shift] * taps[j];
  }
}

template class BlockExecutor<float>;
template class BlockExecutor<double>;

}  // namespace gpuconv::detail

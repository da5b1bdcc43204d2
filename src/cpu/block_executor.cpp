#include "block_executor.hpp"

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
  // In three steps: 2^exponent, a product of two scales, may be far out of range.
  const C third = std::ldexp(C(1), exponent / 3), rest = std::ldexp(C(1), exponent - exponent / 3 * 2);
  for (std::int64_t i = 0; i < count; ++i) x[i] = x[i] * third * third * rest;
}

template <class C>
C norm(const C* x, std::int64_t count) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return static_cast<C>(std::sqrt(sum));
}

template <class C>
C largest_magnitude(const C* x, std::int64_t count) {
  constexpr std::int64_t kSide = 16;  // maxima side by side, for vectors
  C largest[kSide] = {};
  const auto take = [&](std::int64_t i, std::int64_t s) {
    const C size = std::abs(x[i]);
    largest[s] = size > largest[s] ? size : largest[s];
  };
  std::int64_t i = 0;
  for (; i + kSide <= count; i += kSide)
    for (std::int64_t s = 0; s < kSide; ++s) take(i + s, s);
  for (; i < count; ++i) take(i, 0);
  return *std::max_element(largest, largest + kSide);
}

// Sets what is not finite to zero and returns the largest magnitude left.
template <class C>
C clean(C* x, std::int64_t count) {
  std::replace_if(
      x, x + count, [](C v) { return !std::isfinite(v); }, C(0));
  return largest_magnitude(x, count);
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
  const std::int64_t words = Signs::kSets * (bit_set_words(cut.size) + bit_set_words(work.axis.filter));
  slot_bytes_ = whole_pages(static_cast<std::size_t>(transform_->work_size()) * sizeof(C)) +
                2 * whole_pages(static_cast<std::size_t>(cut.size) * sizeof(C)) +
                whole_pages(static_cast<std::size_t>(words) * sizeof(std::uint64_t));
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
  char* const bits = out + whole_pages(static_cast<std::size_t>(cut_.size) * sizeof(C));
  return {reinterpret_cast<C*>(work), reinterpret_cast<C*>(in), reinterpret_cast<C*>(out),
          reinterpret_cast<std::uint64_t*>(bits)};
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
  const auto convolved = [&] {
    const C largest =
        transform_->convolve(x, spectrum(b.filter), y, cut_.skip, b.memory.work, next, stream_ && in_place, threads);
    return largest <= std::numeric_limits<C>::max() && !lost_bits(filter, x, largest);
  };
  bool good = filter.finite && convolved();
  if (good && filter.exponent != 0) {
    scale(y, b.count, filter.exponent);
    good = all_finite(y, b.count);
  }
  if (!good) {
    repair(run, b);
    run.out.store(row, output, b.count, b.memory.out);
  } else if (!in_place) {
    if (whole && stream_) simd_target().kernels<C>().stream_copy(y, result + output, b.count);
    else run.out.store(row, output, b.count, y);
  }
}

// On the way denormals round in steps of u times the smallest normal number. That is below the bound's u |h| |x|
// where the samples and, over all points, the outputs' bound |h| |x| stay above that number.
template <class C>
bool BlockExecutor<C>::lost_bits(Filter const& filter, const C* x, C largest) const {
  const C small = 64 * std::numeric_limits<C>::min() * static_cast<C>(cut_.size);
  if (filter.norm == 0 || largest >= small * std::max(C(1), filter.norm)) return false;
  const C sample = largest_magnitude(x, cut_.size);
  return sample > 0 && (sample < small || sample * filter.norm < small);
}

template <class C>
bool BlockExecutor<C>::streams_to(const C* out) const {
  return to_vector_boundary(out) == 0 || (simd_target().kernels<C>().transform.streams_unaligned && shared_out_);
}

// The block's outputs again, into its memory. An output that comes out within the transform's error of overflow may
// overflow where the direct sum does not, and the other way round.
template <class C>
void BlockExecutor<C>::repair(Run const& run, Block const& b) const {
  C* const x = b.memory.in;
  C* const y = b.memory.out;
  const auto load = [&] { run.signal.load_padded(b.row, run.part.samples, b.origin, cut_.size, x); };

  load();
  const C largest = clean(x, cut_.size);
  if (largest == 0) {
    std::fill_n(y, b.count, C(0));
  } else {
    const int exponent = std::ilogb(largest) + 1;
    scale(x, cut_.size, -exponent);
    transform_->convolve(x, spectrum(b.filter), y, cut_.skip, b.memory.work, nullptr, false, b.threads);
    scale(y, b.count, exponent + filters_[static_cast<std::size_t>(b.filter)].exponent);
  }
  load();
  add_nans(run.part, b);
  add_infinities(run.part, b);
}

// NaN where a NaN sample meets any tap, or a NaN tap any sample.
template <class C>
void BlockExecutor<C>::add_nans(Part const& part, Block const& b) const {
  constexpr C kNan = std::numeric_limits<C>::quiet_NaN();
  const std::int64_t taps_count = work_.axis.filter;
  const C* const taps = taps_[b.filter];
  const C* const x = b.memory.in;
  C* const y = b.memory.out;
  std::int64_t nan_until = 0;  // outputs below it have a NaN in their window
  for (std::int64_t i = cut_.skip - (taps_count - 1); i < cut_.size; ++i) {
    const std::int64_t o = i - cut_.skip;  // of the first output that sees sample i
    if (std::isnan(x[i])) nan_until = o + taps_count;
    if (o >= 0 && o < b.count && o < nan_until) y[o] = kNan;
  }
  if (filters_[static_cast<std::size_t>(b.filter)].finite) return;
  std::int64_t done = 0;  // outputs below it are set, or met by no NaN tap yet to come
  for (std::int64_t j = 0; j < taps_count; ++j) {
    if (!std::isnan(taps[j])) continue;
    const std::int64_t first = j - cut_.skip - b.origin;  // the output where the tap meets the row's first sample
    const std::int64_t begin = std::max(done, first), end = std::min(b.count, first + part.samples);
    if (begin < end) std::fill(y + begin, y + end, kNan);
    done = std::max(done, end);
  }
}

// Adds the products that hold an infinite sample or tap, and no others: zero times infinity is NaN.
template <class C>
void BlockExecutor<C>::add_infinities(Part const& part, Block const& b) const {
  const auto is_infinite = [](C v) { return std::isinf(v); };
  const bool infinite_samples = std::any_of(b.memory.in, b.memory.in + cut_.size, is_infinite);
  const bool infinite_taps = !filters_[static_cast<std::size_t>(b.filter)].finite;  // or NaN
  if (!infinite_samples && !infinite_taps) return;

  // Of the samples only those that the row has: its ends are no zeros.
  const std::int64_t begin = std::max<std::int64_t>(0, -b.origin);
  const std::int64_t end = std::min(cut_.size, part.samples - b.origin);
  if (begin >= end) return;
  std::uint64_t* free = b.memory.bits;
  const Signs samples = signs(b.memory.in + begin, end - begin, infinite_samples, infinite_taps, &free);
  const Signs taps = signs(taps_[b.filter], work_.axis.filter, infinite_taps, infinite_samples, &free);
  for (std::int64_t o = 0; o < b.count; o += 64) {
    const std::int64_t count = std::min<std::int64_t>(64, b.count - o);
    add_infinities(samples, taps, cut_.skip + o - begin, b.memory.out + o, count);
  }
}

// The same for up to 64 outputs, the first of which is the sum of samples i times taps first - i.
template <class C>
void BlockExecutor<C>::add_infinities(Signs const& x, Signs const& h, std::int64_t first, C* y, std::int64_t count) {
  std::uint64_t wanted = 0;  // what is no NaN yet
  for (std::int64_t o = 0; o < count; ++o) wanted |= std::uint64_t{!std::isnan(y[o])} << o;
  const auto drop = [&](BitSet const& infinite, BitSet const& zero) { wanted &= ~sums(infinite, zero, first, wanted); };
  drop(x.plus_infinity, h.zero);
  drop(x.minus_infinity, h.zero);
  drop(h.plus_infinity, x.zero);
  drop(h.minus_infinity, x.zero);

  std::uint64_t plus = 0, minus = 0;
  const auto find = [&](std::uint64_t& found, BitSet const& a, BitSet const& c) {
    found |= sums(a, c, first, wanted & ~found);
  };
  find(plus, x.plus_infinity, h.positive);
  find(plus, x.minus_infinity, h.negative);
  find(plus, x.positive, h.plus_infinity);
  find(plus, x.negative, h.minus_infinity);
  find(minus, x.plus_infinity, h.negative);
  find(minus, x.minus_infinity, h.positive);
  find(minus, x.positive, h.minus_infinity);
  find(minus, x.negative, h.plus_infinity);

  constexpr C kInfinity = std::numeric_limits<C>::infinity(), kNan = std::numeric_limits<C>::quiet_NaN();
  for (std::int64_t o = 0; o < count; ++o) {
    const auto in = [o](std::uint64_t set) { return (set >> o & 1) != 0; };
    if (!in(wanted)) y[o] = kNan;
    if (in(plus)) y[o] += kInfinity;
    if (in(minus)) y[o] -= kInfinity;
  }
}

// Of the infinite values' signs and the others' those asked for; the other sets are empty.
template <class C>
auto BlockExecutor<C>::signs(const C* x, std::int64_t count, bool infinite, bool finite, std::uint64_t** free)
    -> Signs {
  constexpr C kInfinity = std::numeric_limits<C>::infinity();
  const auto set = [&](bool asked, auto holds) {
    if (!asked) return BitSet();
    std::uint64_t* const words = *free;
    *free += bit_set_words(count);
    return BitSet(words, count, [=](std::int64_t i) { return holds(x[i]); });
  };
  return {.plus_infinity = set(infinite, [](C v) { return v == kInfinity; }),
          .minus_infinity = set(infinite, [](C v) { return v == -kInfinity; }),
          .positive = set(finite, [](C v) { return v > 0; }),
          .negative = set(finite, [](C v) { return v < 0; }),
          .zero = set(finite, [](C v) { return v == 0; })};
}

template class BlockExecutor<float>;
template class BlockExecutor<double>;

}  // namespace gpuconv::detail

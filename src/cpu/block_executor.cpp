#include "block_executor.hpp"

#include "side_by_side.hpp"

#include "../core/thread_pool.hpp"
#include "../problem.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gpuconv::detail {
namespace {

constexpr std::int64_t kBlocksTogether = 16;  // neighbours prefetch each other
constexpr std::int64_t kTasksPerThread = 8;   // so that no thread waits long for the last

// Of rows that lie across memory: bytes of a sample that are loaded together, and how far blocks are apart beside their
// samples, against strides of powers of two.
constexpr std::int64_t kAcrossBytes = 128, kApartBytes = 64;
constexpr std::int64_t kFewestTogether = 4;

template <class C>
std::int64_t staged_step(Cut const& cut) {
  return cut.size + kApartBytes / static_cast<std::int64_t>(sizeof(C));
}
// Complex numbers, whose parts are split, are taken row by row.
template <class C>
std::int64_t rows_together(Work const& work, Cut const& cut) {
  constexpr auto kSize = static_cast<std::int64_t>(sizeof(C));
  const std::int64_t most = NeighbouringRows::most(work.loops);
  const std::int64_t fit = kStagedBytes / (2 * staged_step<C>(cut) * kSize);
  const std::int64_t rows = std::min({most, kAcrossBytes / kSize, fit});
  const bool enough = rows == most || rows >= kFewestTogether;
  return enough && !is_complex(work.result_type) ? std::max<std::int64_t>(1, rows) : 1;
}

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
      parts_(parts_of(work.result_type)),
      elements_(cut.size * parts_),
      drop_(parts_ == 1 ? cut.skip : 0),
      stream_(saturating_multiply(saturating_multiply(work.rows(), work.axis.outputs),
                                  parts_ * static_cast<std::int64_t>(sizeof(C))) > kStreamBytes),
      shared_out_(RightAngleTransform<C>::block_in_cache(elements_)),
      slots_(shared_out_ ? threads : 1),
      together_(shared_out_ ? rows_together<C>(work, cut) : 1),
      transform_(RightAngleTransform<C>::get(elements_ / 2)),
      taps_(work.filters(), work.axis.filter, parts_of(work.filter_type)),
      spectra_(work.filters() * transform_->spectrum_size()),
      filters_(static_cast<std::size_t>(work.filters())) {
  const std::int64_t words = (kSigns - 1) * (bit_set_words(cut.size) + bit_set_words(work.axis.filter));
  slot_bytes_ = whole_pages(static_cast<std::size_t>(transform_->work_size()) * sizeof(C)) +
                2 * whole_pages(static_cast<std::size_t>(elements_) * sizeof(C)) +
                whole_pages(static_cast<std::size_t>(words) * sizeof(Word));
  if (together_ > 1)
    slot_bytes_ += 2 * whole_pages(static_cast<std::size_t>(together_ * staged_step<C>(cut)) * sizeof(C));
}

template <class C>
std::size_t BlockExecutor<C>::own_bytes() const {
  return taps_.bytes() + spectra_.bytes() + transform_->table_bytes();
}

template <class C>
typename BlockExecutor<C>::Workspace BlockExecutor<C>::workspace(void* scratch, int slot) const {
  char* const work = static_cast<char*>(scratch) + static_cast<std::size_t>(slot) * slot_bytes_;
  char* const in = work + whole_pages(static_cast<std::size_t>(transform_->work_size()) * sizeof(C));
  char* const out = in + whole_pages(static_cast<std::size_t>(elements_) * sizeof(C));
  char* const bits = out + whole_pages(static_cast<std::size_t>(elements_) * sizeof(C));
  char* const end = work + slot_bytes_;
  const std::size_t staged = whole_pages(static_cast<std::size_t>(together_ * staged_step<C>(cut_)) * sizeof(C));
  return {.work = reinterpret_cast<C*>(work),
          .in = reinterpret_cast<C*>(in),
          .out = reinterpret_cast<C*>(out),
          .bits = reinterpret_cast<Word*>(bits),
          .ins = together_ > 1 ? reinterpret_cast<C*>(end - 2 * staged) : nullptr,
          .outs = together_ > 1 ? reinterpret_cast<C*>(end - staged) : nullptr};
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
  const std::int64_t taps = work_.axis.filter, parts = parts_of(work_.filter_type);
  Filter filter{.finite = all_finite(taps_[f], taps * parts)};
  C* const padded = w.in;
  C largest = 0;
  for (int p = 0; p < parts; ++p) {
    C* const part = padded + p * cut_.size;
    std::copy_n(taps_.part(f, p), taps, part);
    std::fill(part + taps, part + cut_.size, C(0));
    largest = std::max(largest, clean(part, taps));
  }
  std::fill(padded + parts * cut_.size, padded + elements_, C(0));
  // A spectrum's values are at most the sum of the magnitudes, and 1 / points is a factor of them: half the range of
  // exponents is left to the signal, upwards and downwards.
  using Limits = std::numeric_limits<C>;
  const C too_large = std::sqrt(Limits::max()) / static_cast<C>(taps * parts);
  const C too_small = std::sqrt(Limits::min()) * static_cast<C>(elements_);
  if (largest > 0 && !(largest >= too_small && largest <= too_large)) filter.exponent = std::ilogb(largest) + 1;
  for (int p = 0; p < parts; ++p) {
    scale(padded + p * cut_.size, taps, -filter.exponent);
    filter.norm = std::hypot(filter.norm, norm(padded + p * cut_.size, taps));
  }
  transform_->spectrum(padded, w.work, spectra_.data() + f * transform_->spectrum_size(), threads);
  filters_[static_cast<std::size_t>(f)] = filter;
}

template <class C>
void BlockExecutor<C>::run(Input const& signal, Output const& out, Part const& part, Means const& means) {
  const Run r{PartSource<C>(signal, work_.loops), PartSink<C>(out, work_.loops), part, means.scratch};
  const bool inner = NeighbouringRows::are_inner(work_.loops, signal, out);
  if (together_ > 1 && (inner || lies_across(signal) || lies_across(out)) && part.row % work_.loops.inner.count == 0 &&
      part.rows % work_.loops.inner.count == 0)
    return run_across(r, signal, out, {work_.loops, part, inner});
  const std::int64_t row_blocks = cut_.blocks(part.outputs), total = row_blocks * part.rows;
  const auto one = [&](std::int64_t b, int slot, int threads) {
    run_block(r, block(r, part.row + b / row_blocks, b % row_blocks, slot, threads), {});
  };
  if (!shared_out_) {
    for (std::int64_t b = 0; b < total; ++b) one(b, 0, threads_);
    return;
  }
  const std::int64_t each = std::clamp<std::int64_t>(total / (kTasksPerThread * threads_), 1, kBlocksTogether);
  const auto task = [&](std::int64_t i, int slot) {
    for (std::int64_t b = i * each; b < std::min(total, (i + 1) * each); ++b) one(b, slot, 1);
  };
  parallel_for((total + each - 1) / each, threads_, task);
}

// Rows that lie across memory: a task is the same block of several of them, which are transposed into the thread's
// memory and back.
template <class C>
void BlockExecutor<C>::run_across(Run const& run, Input const& signal, Output const& out,
                                  NeighbouringRows const& rows) const {
  const std::int64_t turns = rows.groups(), tasks = (rows.count() + together_ - 1) / together_,
                     row_blocks = cut_.blocks(run.part.outputs);
  const std::int64_t step = staged_step<C>(cut_);
  const auto task = [&](std::int64_t i, int slot) {
    const std::int64_t turn = i % turns, number = i / turns % row_blocks, row = i / turns / row_blocks * together_;
    const std::int64_t count = std::min(together_, rows.count() - row);
    const auto of_row = [&](std::int64_t r) { return block(run, rows.row(turn, row + r), number, slot, 1); };
    const Block b = of_row(0);
    const auto x = rows.from(signal, b.row, count);
    const auto y = rows.from(out, b.row, count);
    load_neighbours(x, run.part.samples, b.origin, cut_.size, Place<C>::row_after_row(b.memory.ins, step));
    for (std::int64_t r = 0; r < count; ++r)
      run_block(run, of_row(r), {b.memory.ins + r * step, b.memory.outs + r * step});
    store_neighbours(y, b.output, b.count, Place<C>::row_after_row(b.memory.outs, step));
  };
  parallel_for(tasks * row_blocks * turns, threads_, task);
}

// Block `number` of a row.
template <class C>
auto BlockExecutor<C>::block(Run const& run, std::int64_t row, std::int64_t number, int slot, int threads) const
    -> Block {
  const std::int64_t output = number * cut_.step;
  return {.row = row,
          .filter = work_.loops.filter_of(row),
          .output = output,
          .count = std::min(cut_.step, run.part.outputs - output),
          .origin = run.part.first + output - cut_.skip,
          .memory = workspace(run.scratch, slot),
          .threads = threads};
}

template <class C>
void BlockExecutor<C>::run_block(Run const& run, Block const& b, Staged staged) const {
  const std::int64_t row = b.row, output = b.output, samples = run.part.samples;
  // Blocks within the row are read where they are; the next one, if it is, is fetched ahead.
  const C* const here = staged.in ? nullptr : run.signal.re().in_place(row);
  const C* const lies = parts_ == 1 ? here : run.signal.pairs(row);
  const auto inside = [&](std::int64_t i) { return i >= 0 && i + cut_.size <= samples; };
  const C* const next = lies && inside(b.origin + cut_.step) ? lies + (b.origin + cut_.step) * parts_ : nullptr;
  const C* x = staged.in ? staged.in : b.memory.in;
  if (parts_ == 1 && here && inside(b.origin)) x = here + b.origin;
  else if (!staged.in) load(run, b);
  Filter const& filter = filters_[static_cast<std::size_t>(b.filter)];
  C* const result = staged.out ? nullptr : run.out.re().in_place(row);
  const bool whole = result && b.count == cut_.step;
  // Outputs that cannot be streamed go through the cache once more, which costs less than reading `out`.
  const bool in_place = whole && filter.exponent == 0 && (!stream_ || streams_to(result + output));
  C* const y = in_place ? result + output : staged.out ? staged.out : b.memory.out;
  const auto convolved = [&] {
    const C largest =
        transform_->convolve(x, spectrum(b.filter), y, drop_, b.memory.work, next, stream_ && in_place, b.threads);
    return largest <= std::numeric_limits<C>::max() && !lost_bits(filter, x, largest);
  };
  bool good = filter.finite && convolved();
  if (good && filter.exponent != 0)
    for (int p = 0; p < parts_; ++p) {
      scale(part_of_outputs(y, p), b.count, filter.exponent);
      good = good && all_finite(part_of_outputs(y, p), b.count);
    }
  if (!good) {
    repair(run, b);
    if (staged.out) std::copy_n(b.memory.out, b.count, staged.out);
    else store(run, b);
  } else if (!in_place && !staged.out) {
    if (whole && stream_) simd_target().kernels<C>().stream_copy(y, result + output, b.count);
    else store(run, b);
  }
}

// The samples of the block into its memory.
template <class C>
void BlockExecutor<C>::load(Run const& run, Block const& b) const {
  run.signal.load_extended(b.row, run.part.samples, b.origin, cut_.size, b.memory.in, cut_.size);
  if (run.signal.parts() < parts_) std::fill_n(b.memory.in + cut_.size, cut_.size, C(0));
}

// The outputs of the block from its memory to where they belong.
template <class C>
void BlockExecutor<C>::store(Run const& run, Block const& b) const {
  run.out.store(b.row, b.output, b.count, part_of_outputs(b.memory.out, 0), cut_.size, stream_);
}

// On the way denormals round in steps of u times the smallest normal number. That is below the bound's u |h| |x|
// where the samples and, over all points, the outputs' bound |h| |x| stay above that number.
template <class C>
bool BlockExecutor<C>::lost_bits(Filter const& filter, const C* x, C largest) const {
  const C small = 64 * std::numeric_limits<C>::min() * static_cast<C>(elements_);
  if (filter.norm == 0 || largest >= small * std::max(C(1), filter.norm)) return false;
  const C sample = largest_magnitude(x, elements_);
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

  load(run, b);
  const C largest = clean(x, elements_);
  if (largest == 0) {
    for (int p = 0; p < parts_; ++p) std::fill_n(part_of_outputs(y, p), b.count, C(0));
  } else {
    const int exponent = std::ilogb(largest) + 1;
    scale(x, elements_, -exponent);
    transform_->convolve(x, spectrum(b.filter), y, drop_, b.memory.work, nullptr, false, b.threads);
    for (int p = 0; p < parts_; ++p)
      scale(part_of_outputs(y, p), b.count, exponent + filters_[static_cast<std::size_t>(b.filter)].exponent);
  }
  load(run, b);
  const Existing existing =
      run.signal.is_extended() ? Existing{0, cut_.size} : Existing{-b.origin, run.part.samples - b.origin};
  for (int p = 0; p < parts_; ++p)
    for (Term const& term : terms_of(work_, p)) {
      const Products products{x + term.signal * cut_.size, taps_.part(b.filter, term.filter), part_of_outputs(y, p),
                              term.minus};
      add_nans(existing, b, products);
      add_infinities(existing, b, products);
    }
}

// NaN where a NaN sample meets any tap, or a NaN tap any sample.
template <class C>
void BlockExecutor<C>::add_nans(Existing const& samples, Block const& b, Products const& products) const {
  constexpr C kNan = std::numeric_limits<C>::quiet_NaN();
  const std::int64_t taps_count = work_.axis.filter;
  const C *const taps = products.taps, *const x = products.samples;
  C* const y = products.outputs;
  std::int64_t nan_until = 0;  // outputs below it have a NaN in their window
  for (std::int64_t i = std::max<std::int64_t>(0, cut_.skip - (taps_count - 1)); i < cut_.size; ++i) {
    const std::int64_t o = i - cut_.skip;  // of the first output that sees sample i
    if (std::isnan(x[i])) nan_until = o + taps_count;
    if (o >= 0 && o < b.count && o < nan_until) y[o] = kNan;
  }
  if (filters_[static_cast<std::size_t>(b.filter)].finite) return;
  std::int64_t done = 0;  // outputs below it are set, or met by no NaN tap yet to come
  for (std::int64_t j = 0; j < taps_count; ++j) {
    if (!std::isnan(taps[j])) continue;
    const std::int64_t first = j - cut_.skip;  // the output where the tap meets the block's first sample
    const std::int64_t begin = std::max(done, first + samples.begin), end = std::min(b.count, first + samples.end);
    if (begin < end) std::fill(y + begin, y + end, kNan);
    done = std::max(done, end);
  }
}

// Adds the products that hold an infinite sample or tap, and no others: zero times infinity is NaN.
template <class C>
void BlockExecutor<C>::add_infinities(Existing const& existing, Block const& b, Products const& products) const {
  const auto is_infinite = [](C v) { return std::isinf(v); };
  const bool infinite_samples = std::any_of(products.samples, products.samples + cut_.size, is_infinite);
  const bool infinite_taps = !filters_[static_cast<std::size_t>(b.filter)].finite;  // or NaN
  if (!infinite_samples && !infinite_taps) return;

  const std::int64_t begin = std::max<std::int64_t>(0, existing.begin), end = std::min(cut_.size, existing.end);
  if (begin >= end) return;
  Word* free = b.memory.bits;
  const Signs samples = signs(products.samples + begin, end - begin, infinite_samples, infinite_taps, &free);
  const Signs taps = signs(products.taps, work_.axis.filter, infinite_taps, infinite_samples, &free);
  for (std::int64_t o = 0; o < b.count; o += 64) {
    const std::int64_t count = std::min<std::int64_t>(64, b.count - o);
    add_infinities(samples, taps, cut_.skip + o - begin, products.outputs + o, count, products.minus);
  }
}

// The same for up to 64 outputs, the first of which is the sum of samples i times taps first - i.
template <class C>
void BlockExecutor<C>::add_infinities(Signs const& x, Signs const& h, std::int64_t first, C* y, std::int64_t count,
                                      bool minus) {
  Word wanted = 0;  // what is no NaN yet
  for (std::int64_t o = 0; o < count; ++o) wanted |= Word{!std::isnan(y[o])} << o;
  const auto of = [](Signs const& all) { return [&all](Sign sign) { return all[static_cast<std::size_t>(sign)]; }; };
  const Infinities found = infinities(of(x), of(h), first, wanted);
  constexpr C kNan = std::numeric_limits<C>::quiet_NaN();
  const C infinity = minus ? -std::numeric_limits<C>::infinity() : std::numeric_limits<C>::infinity();
  for (std::int64_t o = 0; o < count; ++o) {
    const auto in = [o](Word set) { return (set >> o & 1) != 0; };
    if (in(found.nan)) y[o] = kNan;
    if (in(found.plus)) y[o] += infinity;
    if (in(found.minus)) y[o] -= infinity;
  }
}

// Sets of the infinite values and of the others by sign, those of the two that are asked for; the other sets are empty.
template <class C>
auto BlockExecutor<C>::signs(const C* x, std::int64_t count, bool infinite, bool finite, Word** free) -> Signs {
  Signs all;
  const auto find = [&]<Sign sign>() {
    const auto holds = [=](std::int64_t i) { return has_sign(x[i], std::numeric_limits<C>::max(), sign); };
    all[static_cast<std::size_t>(sign)] = BitSet::of(*free, count, holds);
    *free += bit_set_words(count);
  };
  if (infinite) {
    find.template operator()<Sign::plus_infinity>();
    find.template operator()<Sign::minus_infinity>();
  }
  if (finite) {
    find.template operator()<Sign::positive>();
    find.template operator()<Sign::negative>();
    find.template operator()<Sign::zero>();
  }
  return all;
}

template class BlockExecutor<float>;
template class BlockExecutor<double>;

}  // namespace gpuconv::detail

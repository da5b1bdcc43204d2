// Convolution around missing samples.
//
// A row is cut into stretches that stay in a cache from their samples to their outputs. One with no missing sample is
// convolved where it lies; another one twice, its samples with zeros in the gaps and what is there of each window's
// weight.
#include "../core/access.hpp"
#include "../core/thread_pool.hpp"
#include "../cpu/simd_target.hpp"
#include "../planner.hpp"
#include "../text.hpp"
#include "../view_checks.hpp"
#include "checks.hpp"

#include <gpuconv/error.hpp>
#include <gpuconv/info.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace gpuconv::recipes {

using namespace gpuconv::detail;

namespace {

constexpr std::int64_t kStretchesAThread = 4;  // at least, or fewer threads work

// Cycles that a transform takes for an output, by vectors; those that a gap costs before its taps; the bytes of outputs
// that are written around the cache. Of a machine with AVX-512, where the choices below made the least time.
constexpr double kTransformCycles = 22, kCyclesAGap = 15, kCacheBytes = 8 << 20;

// Windows that have less of their weight are summed by themselves: the weight's error is relative to the whole filter.
constexpr double kThin = 1.0 / 8;

// The least sum of taps, relative to that of their magnitudes, which they can be divided by. astropy's tolerance.
constexpr double kLeastSum = 1e-8;

struct Filter {
  std::vector<double> taps;  // divided by their sum where they are to be normalised
  double sum;                // of these taps
  double magnitudes;         // of the taps, added up
};

Filter filter_of(HostInput const& view, Gaps const& how) {
  if (view.rows() != 1 || !view.data())
    throw InvalidArgument(text("the filter has ", view.rows(), " rows, one is expected"));
  check_window(view.columns());
  Filter f{zeros<double>(view.columns()), 1, 0};
  read(view, 0, 0, view.columns(), f.taps.data());
  double sum = 0;
  for (const double tap : f.taps) sum += tap, f.magnitudes += std::abs(tap);
  if (!std::isfinite(f.magnitudes)) throw InvalidArgument("the filter has taps that are not finite");
  if (!how.normalise && how.missing == Missing::fill) return f;
  if (!(std::abs(sum) > kLeastSum * f.magnitudes))
    throw InvalidArgument(text("the taps add up to ", sum, ", which nothing can be divided by"));
  if (!how.normalise) {
    f.sum = sum;
    return f;
  }
  for (double& tap : f.taps) tap /= sum;
  f.magnitudes /= std::abs(sum);
  return f;
}

// Does stretches, one at a time; T is the type that is computed in, that of the outputs.
template <class T>
class Worker {
 public:
  Worker(HostInput const& signal, Filter const& filter, HostOutput const& out, Gaps const& how, std::int64_t outputs,
         Options const& options)
      : signal_(signal),
        filter_(filter),
        out_(out),
        how_(how),
        m_(std::ssize(filter.taps)),
        outputs_(outputs),
        streams_(static_cast<double>(out.rows()) * static_cast<double>(out.columns()) * sizeof(T) > kCacheBytes),
        plan_({.signal = outputs + m_ - 1, .filter = m_, .mode = Mode::valid, .type = type_of<T>}, options),
        backwards_(filter.taps.rbegin(), filter.taps.rend()),
        samples_(zeros<T>(outputs + m_ - 1)),
        there_(samples_),
        sums_(zeros<T>(outputs)),
        weights_(sums_),
        next_(zeros<std::int64_t>(outputs + m_)) {
    next_.back() = std::ssize(samples_);
    plan_.set_filter(std::vector<T>(filter.taps.begin(), filter.taps.end()));
  }

  Device device() const { return plan_.device(); }

  void run(RowStretch const& s) {
    const T* samples = samples_.data();
    const std::int64_t count = std::ssize(samples_);
    if (lies_as_computed(s))
      samples = static_cast<const T*>(signal_.data()) + s.row * signal_.stride() + s.first - m_ / 2;
    else load(s);
    if (!gaps_.any_missing(samples, count)) return convolve(s, samples);
    convolve_around_gaps(s, gaps_.separate_missing(samples, fill(), samples_.data(), there_.data(), count));
  }

 private:
  static std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }
  T fill() const { return static_cast<T>(how_.missing == Missing::fill ? how_.fill : 0); }

  // Whether all samples are of a row of T and follow each other, none beyond its ends.
  bool lies_as_computed(RowStretch const& s) const {
    const std::int64_t first = s.first - m_ / 2, count = s.outputs + m_ - 1;
    return !how_.mask && signal_.type() == type_of<T> && signal_.element_stride() == 1 && s.outputs == outputs_ &&
           first >= 0 && first + count <= signal_.columns();
  }

  // Whether outputs can be written as they are computed.
  bool writes_in_place(RowStretch const& s) const { return out_.element_stride() == 1 && s.outputs == outputs_; }

  void convolve(RowStretch const& s, const T* samples) {
    T* const sums = writes_in_place(s) ? &element<T>(out_, s.row, s.first) : sums_.data();
    plan_.execute(HostView(samples, std::ssize(samples_)), HostView(sums, outputs_));
    if (!writes_in_place(s)) write(s);
  }

  void convolve_around_gaps(RowStretch const& s, std::int64_t missing) {
    plan_.execute(samples_, sums_);
    const T least = static_cast<T>(kThin * filter_.magnitudes), all = static_cast<T>(filter_.sum);
    const bool in_place = writes_in_place(s), interpolates = how_.missing == Missing::interpolate;
    T* const out = in_place && interpolates && !how_.keep ? &element<T>(out_, s.row, s.first) : sums_.data();
    if (interpolates) weigh(missing);
    if (interpolates && gaps_.divide_by_weights(sums_.data(), weights_.data(), all, least, out, s.outputs, streams_))
      sum_thin_windows(s, out, least);
    if (how_.keep) remove_missing(s);
    if (out == sums_.data()) write(s);
  }

  void write(RowStretch const& s) {
    for (std::int64_t k = 0; k < s.outputs; ++k) element<T>(out_, s.row, s.first + k) = sums_[index(k)];
  }

  // The weight that is there of each window: where few samples are missing, the taps that meet them are taken off.
  void weigh(std::int64_t missing) {
    const double vectors = static_cast<double>(m_) / simd_.lanes;
    const double convolved = static_cast<double>(outputs_) * std::min(vectors / 2, kTransformCycles / simd_.lanes);
    if (static_cast<double>(missing) * (vectors + kCyclesAGap) > convolved) return plan_.execute(there_, weights_);
    gaps_.weigh_gaps(there_.data(), backwards_.data(), m_, static_cast<T>(filter_.sum), weights_.data(), outputs_);
  }

  bool is_masked(std::int64_t row, std::int64_t i) const {
    const std::int64_t at = (how_.mask->rows() == 1 ? 0 : row * how_.mask->stride()) + i * how_.mask->element_stride();
    return static_cast<const std::uint8_t*>(how_.mask->data())[at] != 0;
  }

  // Samples of the row, NaN where they are missing, into `samples_` from its element `at` on.
  void read_row(std::int64_t row, std::int64_t first, std::int64_t count, std::int64_t at) {
    read(signal_, row, first, count, &samples_[index(at)]);
    if (!how_.mask) return;
    for (std::int64_t i = 0; i < count; ++i)
      if (is_masked(row, first + i)) samples_[index(at + i)] = std::numeric_limits<T>::quiet_NaN();
  }

  // The sample at `i`, which is beyond the ends.
  void read_beyond(std::int64_t row, std::int64_t i, std::int64_t at) {
    const std::int64_t extended = extended_index(how_.boundary, i, signal_.columns());
    if (extended >= 0) return read_row(row, extended, 1, at);
    const bool is_constant = how_.boundary == Boundary::constant;
    const double nothing = how_.missing == Missing::interpolate ? std::numeric_limits<double>::quiet_NaN() : 0;
    samples_[index(at)] = static_cast<T>(is_constant ? how_.constant : nothing);
  }

  // Reads the stretch's samples and what is beyond the ends, NaN where one is missing.
  void load(RowStretch const& s) {
    const std::int64_t first = s.first - m_ / 2, n = signal_.columns();
    const std::int64_t used = s.outputs + m_ - 1, begin = std::clamp<std::int64_t>(-first, 0, used);
    const std::int64_t end = std::clamp<std::int64_t>(n - first, begin, used);
    for (std::int64_t i = 0; i < begin; ++i) read_beyond(s.row, first + i, i);
    read_row(s.row, first + begin, end - begin, begin);
    for (std::int64_t i = end; i < used; ++i) read_beyond(s.row, first + i, i);
    std::fill(samples_.begin() + used, samples_.end(), T{});  // of outputs that are not there
  }

  // From the samples that are there alone, one at a time.
  void sum_thin_windows(RowStretch const& s, T* out, T least) {
    std::int64_t next = std::ssize(there_);
    for (std::int64_t i = std::ssize(there_); i-- > 0;) {
      next = there_[index(i)] != 0 ? i : next;
      next_[index(i)] = next;
    }
    for (std::int64_t k = 0; k < s.outputs; ++k) {
      if (std::abs(weights_[index(k)]) >= least) continue;
      double sum = 0, weight = 0;
      for (std::int64_t i = next_[index(k)]; i < k + m_; i = next_[index(i + 1)]) {
        const double tap = filter_.taps[index(k + m_ - 1 - i)];
        sum += tap * static_cast<double>(samples_[index(i)]);
        weight += tap;
      }
      out[k] = static_cast<T>(weight == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / weight * filter_.sum);
    }
  }

  void remove_missing(RowStretch const& s) {
    for (std::int64_t k = 0; k < s.outputs; ++k)
      if (there_[index(k + m_ / 2)] == 0) sums_[index(k)] = std::numeric_limits<T>::quiet_NaN();
  }

  HostInput signal_;
  Filter const& filter_;
  HostOutput out_;
  Gaps const& how_;
  std::int64_t m_, outputs_;
  SimdKernels<T> const& simd_ = gpuconv::detail::simd_target().kernels<T>();
  GapKernels<T> const& gaps_ = simd_.gaps;
  bool streams_;  // the outputs are larger than a cache
  Plan plan_;
  std::vector<T> backwards_;  // the taps
  std::vector<T> samples_, there_, sums_, weights_;
  std::vector<std::int64_t> next_;  // from each sample on, the first one that is there
};

template <class T>
void convolve_rows(HostInput const& signal, Filter const& filter, HostOutput const& out, Gaps const& how) {
  const RowStretches stretches(out, std::ssize(filter.taps));
  Options options = how.options;
  options.threads = 1;
  std::vector<Worker<T>> workers;
  workers.emplace_back(signal, filter, out, how, stretches.outputs(), options);
  if (workers[0].device() != Device::cpu) {  // whose errors are thrown while it runs
    for (std::int64_t i = 0; i < stretches.count(); ++i) workers[0].run(stretches[i]);
    return;
  }
  const std::int64_t wanted = how.options.threads > 0 ? how.options.threads : hardware_threads();
  const std::int64_t threads =
      std::clamp<std::int64_t>(stretches.count() / kStretchesAThread, 1, std::min<std::int64_t>(wanted, 64));
  while (std::ssize(workers) < threads) workers.emplace_back(signal, filter, out, how, stretches.outputs(), options);
  parallel_for(stretches.count(), static_cast<int>(threads),
               [&](std::int64_t i, int slot) { workers[static_cast<std::size_t>(slot)].run(stretches[i]); });
}

void check(HostInput const& signal, HostInput const& filter, HostOutput const& out, Gaps const& how) {
  if (is_complex(signal.type()) || is_complex(filter.type()) || is_complex(out.type()))
    throw InvalidArgument("gaps are of real numbers: convolve the parts of complex ones by themselves");
  check_result_type(out.type());
  check_options(how.options);
  const Type least = default_result(signal.type(), Type::float32);
  if (size_of(out.type()) < size_of(least))
    throw InvalidArgument(text("the output is ", name(out.type()), ", narrower than ", name(least)));
  if (how.missing != Missing::interpolate && how.missing != Missing::fill)
    throw InvalidArgument("unknown treatment of missing samples");
  if (static_cast<int>(how.boundary) > static_cast<int>(Boundary::wrap)) throw InvalidArgument("unknown boundary");
  if (signal.rows() < 1 || signal.columns() < 1)
    throw InvalidArgument(text("the signal is ", signal.rows(), " x ", signal.columns(), ": it is empty"));
  check_view(signal, "signal", signal.rows(), 1, signal.columns(), signal.type());
  check_view(out, "output", signal.rows(), 1, signal.columns(), out.type());
  check_apart(signal, out);
  if (!how.mask) return;
  check_view(*how.mask, "mask", how.mask->rows() == 1 ? 1 : signal.rows(), 1, signal.columns(), Type::uint8);
  check_apart(*how.mask, out);
}

}  // namespace

void convolve_gaps(HostInput signal, HostInput filter, HostOutput out, Gaps const& how) {
  guarded([&] {
    check(signal, filter, out, how);
    const Filter prepared = filter_of(filter, how);
    if (out.type() == Type::float32) convolve_rows<float>(signal, prepared, out, how);
    else convolve_rows<double>(signal, prepared, out, how);
  });
}

}  // namespace gpuconv::recipes

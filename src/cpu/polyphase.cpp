#include "polyphase.hpp"

#include "cost.hpp"
#include "rows.hpp"
#include "simd_target.hpp"

#include "../core/long_sum.hpp"
#include "../core/thread_pool.hpp"
#include "../problem.hpp"

#include <algorithm>
#include <vector>

namespace gpuconv::detail {
namespace {

constexpr std::int64_t kSamples = 16384;  // of a task, about: they and their phases stay in the second-level cache

/// The taps of a filter phase by phase, those of each in reversed order: phase p has taps p, p + step and so on.
struct Phases {
  std::int64_t taps, step;

  std::int64_t count() const { return std::min(taps, step); }
  std::int64_t taps_of(std::int64_t p) const { return (taps - p + step - 1) / step; }
  std::int64_t longest() const { return taps_of(0); }
  /// Taps in the phases before this one.
  std::int64_t before(std::int64_t p) const { return p * (taps / step) + std::min(p, taps % step); }
  /// Where a tap is.
  std::int64_t place(std::int64_t tap) const {
    const std::int64_t p = tap % step;
    return before(p) + taps_of(p) - 1 - tap / step;
  }
};

// ---- the executor ------------------------------------------------------------------------------------------------
template <class C>
class Polyphase final : public Executor {
 public:
  Polyphase(Work const& w, int threads)
      : work_(w),
        phases_{w.axis.filter, w.axis.step},
        threads_(threads),
        together_(outputs_together(w)),
        slot_bytes_(whole_pages(static_cast<std::size_t>(slot_elements()) * sizeof(C)) +
                    whole_pages(static_cast<std::size_t>(phases_.count()) * sizeof(Segment<C>))),
        filters_(w.filters(), w.axis.filter),
        finite_(static_cast<std::size_t>(w.filters())) {}

  /// Outputs of a task.
  static std::int64_t outputs_together(Work const& w) {
    const std::int64_t wanted = std::min(w.axis.outputs, std::max(tile(), kSamples / w.axis.step));
    return (wanted + tile() - 1) / tile() * tile();
  }
  static std::int64_t tile() { return std::int64_t{kTileVectors} * simd_target().kernels<C>().lanes; }
  static double bytes(Work const& w, int threads) {
    const double taps = static_cast<double>(w.axis.filter);
    const double samples = static_cast<double>(outputs_together(w)) * static_cast<double>(w.axis.step);
    return (static_cast<double>(w.filters()) * taps + threads * 2 * (samples + taps)) * sizeof(C);
  }

  std::size_t own_bytes() const override { return filters_.bytes(); }
  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(threads_) * slot_bytes_; }

  void set_filter(Input const& filter, std::int64_t count, Means const& means) override {
    filters_.set(filter, count, means);
    // In the order of the phases, by way of the scratch memory, which holds the taps of one filter.
    C* const taps = static_cast<C*>(means.scratch);
    for (std::int64_t f = 0; f < count; ++f) {
      finite_[static_cast<std::size_t>(f)] = all_finite(filters_[f], work_.axis.filter);
      std::copy_n(filters_[f], work_.axis.filter, taps);
      for (std::int64_t j = 0; j < work_.axis.filter; ++j) filters_[f][phases_.place(j)] = taps[j];
    }
  }

  void run(Input const& signal, Output const& out, Part const& part, Means const& means) override {
    const Run r{{signal, work_.loops}, {out, work_.loops}, part, static_cast<char*>(means.scratch)};
    const std::int64_t each = (part.outputs + together_ - 1) / together_;
    parallel_for(part.rows * each, threads_, [&](std::int64_t i, int slot) {
      const std::int64_t begin = i % each * together_;
      outputs(r, part.row + i / each, begin, std::min(begin + together_, part.outputs), slot);
    });
  }

 private:
  struct Run {
    Source<C> signal;
    Sink<C> out;
    Part part;
    char* scratch;
  };
  // A thread's part of the scratch memory.
  struct Memory {
    C *sums, *samples, *phases;
    Segment<C>* segments;
  };

  std::int64_t sample_count(std::int64_t outputs) const { return (outputs - 1) * work_.axis.step + work_.axis.filter; }
  std::int64_t phase_length(std::int64_t outputs) const { return outputs + phases_.longest() - 1; }
  std::int64_t slot_elements() const {
    return together_ + sample_count(together_) + phases_.count() * phase_length(together_);
  }
  Memory memory(Run const& run, int slot) const {
    char* const all = run.scratch + static_cast<std::size_t>(slot) * slot_bytes_;
    C* const sums = reinterpret_cast<C*>(all);
    C* const samples = sums + together_;
    return {sums, samples, samples + sample_count(together_),
            reinterpret_cast<Segment<C>*>(all + whole_pages(static_cast<std::size_t>(slot_elements()) * sizeof(C)))};
  }

  // Outputs [begin, end) of the part of one row.
  void outputs(Run const& run, std::int64_t row, std::int64_t begin, std::int64_t end, int slot) const {
    const std::int64_t f = work_.loops.filter_of(row), step = work_.axis.step;
    const Memory m = memory(run, slot);
    if (finite_[static_cast<std::size_t>(f)] != 0 || run.signal.is_extended())
      return padded(run, row, begin, end, filters_[f], m);
    // Zero padding times a tap that is not finite would be NaN: only outputs with whole windows are summed so.
    const auto first_from = [&](std::int64_t sample) {  // output whose newest sample is that one or a later one
      const std::int64_t distance = sample - run.part.first;
      return std::clamp(distance <= 0 ? 0 : (distance + step - 1) / step, begin, end);
    };
    const std::int64_t inside = first_from(work_.axis.filter - 1),
                       behind = std::max(inside, first_from(run.part.samples));
    exact(run, row, begin, inside, filters_[f], m);
    if (behind > inside) padded(run, row, inside, behind, filters_[f], m);
    exact(run, row, behind, end, filters_[f], m);
  }

  void padded(Run const& run, std::int64_t row, std::int64_t begin, std::int64_t end, C const* taps,
              Memory const& m) const {
    const std::int64_t step = work_.axis.step, tiles = (end - begin + tile() - 1) / tile(), count = tiles * tile();
    const std::int64_t newest = run.part.first + begin * step;  // sample of the first output
    const std::int64_t oldest = newest - (work_.axis.filter - 1);
    run.signal.load_extended(row, run.part.samples, oldest, sample_count(end - begin), m.samples);
    std::fill(m.samples + sample_count(end - begin), m.samples + sample_count(count), C(0));
    for (std::int64_t p = 0; p < phases_.count(); ++p) {
      const std::int64_t length = count + phases_.taps_of(p) - 1;
      C* const to = m.phases + p * phase_length(together_);
      C const* const from = m.samples + (newest - p - (phases_.taps_of(p) - 1) * step - oldest);
      for (std::int64_t i = 0; i < length; ++i) to[i] = from[i * step];
      m.segments[p] = {to, taps + phases_.before(p), phases_.taps_of(p), phases_.before(p)};
    }
    simd_target().kernels<C>().direct(m.segments, phases_.count(), m.sums, tiles, false);
    run.out.store(row, begin, end - begin, m.sums);
  }

  void exact(Run const& run, std::int64_t row, std::int64_t begin, std::int64_t end, C const* taps,
             Memory const& m) const {
    for (std::int64_t o = begin; o < end; ++o) {
      const std::int64_t k = run.part.first + o * work_.axis.step;
      const std::int64_t lowest = std::max<std::int64_t>(0, k - run.part.samples + 1),
                         highest = std::min(work_.axis.filter - 1, k);
      if (lowest <= highest) run.signal.load(row, k - highest, highest - lowest + 1, m.samples);
      m.sums[o - begin] = long_sum<C>(highest - lowest + 1, 0,
                                      [&](std::int64_t i) { return m.samples[i] * taps[phases_.place(highest - i)]; });
    }
    if (end > begin) run.out.store(row, begin, end - begin, m.sums);
  }

  Work work_;
  Phases phases_;
  int threads_;
  std::int64_t together_;
  std::size_t slot_bytes_;
  KeptFilters<C> filters_;  // in the order of the phases
  std::vector<char> finite_;
};

std::unique_ptr<Executor> make(Work const& w, Resources const&, Parameters const& p) {
  return visit_floating(w.compute_type(), [&]<class C>(std::type_identity<C>) -> std::unique_ptr<Executor> {
    check_fits(Polyphase<C>::bytes(w, p.threads));
    return std::make_unique<Polyphase<C>>(w, p.threads);
  });
}

// ---- what it costs -----------------------------------------------------------------------------------------------
// Measured on 2026-11-25, as cost.hpp says, with 3 to 1,025 taps and steps of 2 to 64: per row, per sample that is put
// into its phase, and per output and phase.
constexpr double kRow = 5e-8, kSample = 4e-10, kPhase = 2e-11;
constexpr std::int64_t kLargestStep = 1024;  // whose samples, for a tile of outputs, stay in the second-level cache
constexpr int kFewestVectors = 4;  // of taps: with fewer, to compute all outputs takes less time than the phases do

}  // namespace

bool is_polyphase(Work const& w) {
  return w.axis.step > 1 && w.axis.step <= kLargestStep && !w.swapped() && is_floating(w.compute_type()) &&
         !is_complex(w.result_type) &&
         saturating_multiply(w.axis.filter, static_cast<std::int64_t>(size_of(w.compute_type()))) >=
             kFewestVectors * simd_target().bits / 8;
}

Answer consider_polyphase(Work const& w, Resources const& r) {
  const auto outputs = static_cast<double>(w.axis.outputs), taps = static_cast<double>(w.axis.filter),
             step = static_cast<double>(w.axis.step), phases = std::min(taps, step);
  const double element = static_cast<double>(size_of(w.compute_type())) / 4;
  const double row = kRow + element * ((outputs * phases + taps) * kSample +
                                       outputs * (taps * product_seconds(Type::float32) + phases * kPhase));
  const double one = static_cast<double>(w.rows()) * row + converting_seconds(w, w.compute_type());
  const std::int64_t tasks = visit_floating(w.compute_type(), [&]<class C>(std::type_identity<C>) {
    const std::int64_t together = Polyphase<C>::outputs_together(w);
    return saturating_multiply(w.rows(), (w.axis.outputs + together - 1) / together);
  });
  const int threads = useful_threads(one, tasks, r.threads);
  return {.seconds = parallel_seconds(one, threads), .parameters = {.threads = threads}, .make = make};
}

}  // namespace gpuconv::detail

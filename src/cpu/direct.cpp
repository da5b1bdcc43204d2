// Direct convolution: SIMD sums of products straight from the caller's rows, edges through a padded copy.
#include "cost.hpp"
#include "rows.hpp"
#include "simd_target.hpp"

#include "../core/long_sum.hpp"
#include "../core/thread_pool.hpp"
#include "../exchange.hpp"
#include "../problem.hpp"
#include "../solver.hpp"

#include <algorithm>
#include <vector>

namespace gpuconv::detail {
namespace {

constexpr std::int64_t kSegment = 8192;  // outputs per task: a window of them and the taps stay in L1 or L2
constexpr std::int64_t kShortRow = 768;  // outputs: a row no longer is computed in one piece, padding included
constexpr std::int64_t kStreamOutputs = std::int64_t{1} << 20;  // more are written around the cache
constexpr std::int64_t kEdgePiece = 256;     // outputs at a row's edge that are computed with the same taps
constexpr double kExchangedBytes = 1 << 20;  // of signals that are prepared at once in the part of the filter

struct Tasks {
  std::int64_t segments;  // per row
  std::int64_t rows;      // per task
  std::int64_t count;
};
Tasks tasks_of(std::int64_t rows, std::int64_t outputs) {
  const std::int64_t segments = (outputs + kSegment - 1) / kSegment;
  const std::int64_t together = std::max<std::int64_t>(1, kSegment / outputs);
  return {segments, together, segments > 1 ? saturating_multiply(segments, rows) : (rows + together - 1) / together};
}

// ---- the executor ------------------------------------------------------------------------------------------------
template <class C>
class Direct final : public Executor {
 public:
  Direct(Work const& w, int threads)
      : work_(w),
        taps_(w.axis.filter),
        threads_(threads),
        stream_(saturating_multiply(w.rows(), w.axis.outputs) > kStreamOutputs),
        piece_((std::min(w.axis.outputs, kSegment) / tile() + 2) * tile()),
        slot_bytes_(whole_pages(static_cast<std::size_t>(2 * piece_ + taps_) * sizeof(C))),
        filters_(w.filters(), taps_),
        finite_(static_cast<std::size_t>(w.filters())) {}

  std::size_t own_bytes() const override { return filters_.bytes(); }
  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(threads_) * slot_bytes_; }

  void set_filter(Input const& filter, std::int64_t count, Means const& means) override {
    filters_.set(filter, count, means);
    for (std::int64_t f = 0; f < count; ++f) {
      finite_[static_cast<std::size_t>(f)] = all_finite(filters_[f], taps_);
      std::reverse(filters_[f], filters_[f] + taps_);
    }
  }

  void run(Input const& signal, Output const& out, Part const& part, Means const& means) override {
    const Run r{Source<C>(signal, work_.loops), Sink<C>(out, work_.loops), part, static_cast<char*>(means.scratch)};
    const Tasks tasks = tasks_of(part.rows, part.outputs);
    const auto task = [&](std::int64_t i, int slot) {
      if (tasks.segments > 1) return segment(r, part.row + i / tasks.segments, i % tasks.segments, slot);
      const std::int64_t end = part.row + std::min(part.rows, (i + 1) * tasks.rows);
      for (std::int64_t row = part.row + i * tasks.rows; row < end; ++row) segment(r, row, 0, slot);
    };
    parallel_for(tasks.count, threads_, task);
  }

 private:
  static SimdKernels<C> const& kernels() { return simd_target().kernels<C>(); }
  static std::int64_t tile() { return std::int64_t{kTileVectors} * kernels().lanes; }

  struct Run {
    Source<C> signal;
    Sink<C> out;
    Part part;
    char* scratch;
  };
  // One row, with the memory of the thread that works on it. Outputs are counted within the full convolution.
  struct Row {
    Run const& run;
    std::int64_t index;
    const C* samples;  // where they can be used as they lie, else null
    C* results;        // the same; of the part's first output
    const C* taps;     // reversed
    bool finite;       // the taps
    C *window, *sums;
  };

  void segment(Run const& run, std::int64_t index, std::int64_t s, int slot) const {
    const std::int64_t f = work_.loops.filter_of(index);
    C* const memory = reinterpret_cast<C*>(run.scratch + static_cast<std::size_t>(slot) * slot_bytes_);
    const Row row{run,
                  index,
                  run.signal.in_place(index),
                  run.out.in_place(index),
                  filters_[f],
                  finite_[static_cast<std::size_t>(f)] != 0,
                  memory + piece_,
                  memory};
    // Segments that are streamed start on a vector boundary of the output: the first one is up to a vector longer.
    const std::int64_t ahead = stream_ && row.results ? to_vector_boundary(row.results) : 0;
    const auto start = [&](std::int64_t i) { return i == 0 ? 0 : std::min(i * kSegment + ahead, run.part.outputs); };
    outputs(row, run.part.first + start(s), run.part.first + start(s + 1));
  }

  // Outputs [begin, end) of one row.
  void outputs(Row const& row, std::int64_t begin, std::int64_t end) const {
    const std::int64_t samples = row.run.part.samples;
    if (row.finite && row.run.part.outputs <= kShortRow) return copied(row, begin, end - begin);
    const std::int64_t inside = taps_ - 1;  // outputs [inside, samples) have a whole window
    for (std::int64_t o = begin; o < end;) {
      if (o < inside || o >= samples) {
        const std::int64_t count = std::min(kEdgePiece, (o < inside ? std::min(end, inside) : end) - o);
        if (row.finite) copied(row, o, count);
        else exact(row, o, count);
        o += count;
      } else {
        o += interior(row, o, std::min(end, samples) - o);
      }
    }
  }

  // Up to `count` outputs from `o` on, all with whole windows; returns how many. Straight from the caller's memory to
  // the caller's memory where no conversion is needed, but for the last few and those up to a vector boundary.
  std::int64_t interior(Row const& row, std::int64_t o, std::int64_t count) const {
    if (row.samples && row.results && count >= tile()) {
      C* const to = row.results + (o - row.run.part.first);
      if (const std::int64_t ahead = to_vector_boundary(to); stream_ && ahead) {
        count = ahead;
      } else {
        const std::int64_t tiles = count / tile();
        const Segment<C> all{row.samples + (o - (taps_ - 1)), row.taps, taps_};
        kernels().direct(&all, 1, to, tiles, stream_);
        return tiles * tile();
      }
    }
    copied(row, o, count);
    return count;
  }

  // Through a copy of the window, converted and padded with zeros, with the taps that any of these outputs uses.
  void copied(Row const& row, std::int64_t o, std::int64_t count) const {
    Run const& run = row.run;
    const std::int64_t lowest = std::max<std::int64_t>(0, o - run.part.samples + 1);
    const std::int64_t highest = std::min(taps_ - 1, o + count - 1);
    const std::int64_t taps = highest - lowest + 1, tiles = (count + tile() - 1) / tile();
    run.signal.load_padded(row.index, run.part.samples, o - highest, tiles * tile() + taps - 1, row.window);
    const std::int64_t before = taps_ - 1 - highest;
    const Segment<C> used{row.window, row.taps + before, taps, before};
    kernels().direct(&used, 1, row.sums, tiles, false);
    run.out.store(row.index, o - run.part.first, count, row.sums);
  }

  // At the edges with a tap that is not finite: zero padding times infinity would be NaN.
  void exact(Row const& row, std::int64_t o, std::int64_t count) const {
    Run const& run = row.run;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t k = o + i, lowest = std::max<std::int64_t>(0, k - run.part.samples + 1),
                         highest = std::min(taps_ - 1, k);
      run.signal.load(row.index, k - highest, highest - lowest + 1, row.window);
      const C* const taps = row.taps + (taps_ - 1 - highest);
      row.sums[i] = long_sum<C>(highest - lowest + 1, taps_ - 1 - highest,
                                [&](std::int64_t t) { return row.window[t] * taps[t]; });
    }
    run.out.store(row.index, o - run.part.first, count, row.sums);
  }

  Work work_;
  std::int64_t taps_;
  int threads_;
  bool stream_;
  std::int64_t piece_;  // outputs that are computed at once by way of copies, at most
  std::size_t slot_bytes_;
  KeptFilters<C> filters_;  // reversed
  std::vector<char> finite_;
};

// The operand with fewer elements takes the part of the taps.
template <class C>
Work rows_of(Work const& w) {
  return exchanged_rows(w, static_cast<double>(w.axis.signal) * sizeof(C), kExchangedBytes);
}

std::unique_ptr<Executor> make(Work const& w, Resources const&, Parameters const& p) {
  return visit_compute(w.compute_type(), [&]<class C>(std::type_identity<C>) -> std::unique_ptr<Executor> {
    const double filters = static_cast<double>(w.filters()) * static_cast<double>(w.axis.filter);
    const double taps = static_cast<double>(std::min(w.axis.signal, w.axis.filter));
    const Work rows = p.exchanged ? rows_of<C>(w) : w;
    const double kept = p.exchanged ? static_cast<double>(rows.filters()) * taps : 0.0;  // signals, as taps
    check_fits((filters + kept + p.threads * 2.0 * (static_cast<double>(kSegment) + taps)) * sizeof(C));
    if (!p.exchanged) return std::make_unique<Direct<C>>(w, p.threads);
    return std::make_unique<ExchangedExecutor<KeptFilters<C>>>(w, rows, KeptFilters<C>(w.filters(), w.axis.filter),
                                                               std::make_unique<Direct<C>>(rows, p.threads));
  });
}

// ---- what it costs -----------------------------------------------------------------------------------------------
// Measured: per output and tap, per output of four bytes in a core's cache and beyond, per row.
constexpr double kMultiplyAddFloat = 9e-12, kMultiplyAddDouble = 1.8e-11, kMultiplyAddInteger = 2.3e-11;
constexpr double kCachedSample = 4e-11, kSample = 1.2e-10, kRow = 2.5e-8;

double one_thread(Work const& w) {
  const Type compute = w.compute_type();
  const double multiply_add = compute == Type::float32   ? kMultiplyAddFloat
                              : compute == Type::float64 ? kMultiplyAddDouble
                                                         : kMultiplyAddInteger;
  const double sample =
      (array_bytes(w) > kCoreCacheBytes ? kSample : kCachedSample) * static_cast<double>(size_of(compute)) / 4;
  const auto taps = static_cast<double>(std::min(w.axis.signal, w.axis.filter));
  return static_cast<double>(w.rows()) * (kRow + static_cast<double>(w.axis.outputs) * (sample + taps * multiply_add));
}

Answer consider(Work const& w, Resources const& r) {
  if (w.axis.step != 1) return {.refusal = steps_between_outputs};
  const double one = one_thread(w);
  const int threads = useful_threads(one, tasks_of(w.rows(), w.axis.outputs).count, r.threads);
  return {.seconds = parallel_seconds(one, threads),
          .parameters = {.threads = threads, .exchanged = w.swapped()},
          .make = make};
}

}  // namespace

const Solver cpu_direct{Device::cpu, Method::direct, true, consider};

}  // namespace gpuconv::detail

// Direct convolution: SIMD sums of products straight from the caller's rows, edges through a padded copy.
#include "across_rows.hpp"
#include "cost.hpp"
#include "dot.hpp"
#include "images.hpp"
#include "integers.hpp"
#include "narrow_integers.hpp"
#include "part_rows.hpp"
#include "polyphase.hpp"
#include "short_rows.hpp"
#include "simd_target.hpp"
#include "stretches.hpp"

#include "../core/long_sum.hpp"
#include "../core/thread_pool.hpp"
#include "../exchange.hpp"
#include "../problem.hpp"
#include "../solver.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace gpuconv::detail {
namespace {

constexpr std::int64_t kSegment = 8192;  // outputs per task: a window of them and the taps stay in L1 or L2
constexpr std::int64_t kStreamOutputs = std::int64_t{1} << 20;  // more are written around the cache
constexpr std::int64_t kCopiedPiece = 2048;  // outputs that are converted, complex ones too: window and sums stay in L1
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

// Whether rows are taken together. One that is computed in one piece has the same bits by itself, sooner.
bool are_together(Work const& w, std::int64_t rows, std::int64_t outputs) {
  return are_short(w) && !is_complex(w.result_type) && (rows > 1 || outputs > Stretches::kOnePiece);
}

// Whether complex rows are taken side by side, however many there are.
bool are_side_by_side(Work const& w) {
  return is_complex(w.result_type) && are_short(w) && w.axis.outputs <= Stretches::kOnePiece && w.filters() == 1;
}

// Outputs that are computed at once by way of copies, at most: whole tiles, and room for what rows side by side skip.
std::int64_t copied_at_once(Work const& w, std::int64_t tile) {
  return (std::min(are_side_by_side(w) ? 2 * kShortOutputs : w.axis.outputs, kSegment) / tile + 2) * tile;
}

// ---- the executor ------------------------------------------------------------------------------------------------
// Sums in C of operands that are kept in T: integers that are narrower than their sums multiply faster. Complex numbers
// are split into their parts as they are loaded; each part of an output is a sum of one segment or two.
template <class C, class T>
class Direct final : public Executor {
 public:
  Direct(Work const& w, int threads)
      : work_(w),
        taps_(w.axis.filter),
        threads_(threads),
        stream_(saturating_multiply(w.rows(), w.axis.outputs) > kStreamOutputs),
        piece_(copied_at_once(w, tile())),
        parts_(parts_of(w.result_type)),
        side_by_side_(are_side_by_side(w)),
        short_(w, stream_),
        across_(w),
        slot_bytes_(whole_pages(static_cast<std::size_t>(slot_elements()) * sizeof(C))),
        filters_(w.filters(), taps_, parts_of(w.filter_type)),
        minus_(term_count(w) == 2 ? w.filters() * taps_ : 0),
        finite_(static_cast<std::size_t>(w.filters())) {}

  /// Elements that are kept of all filters.
  static double kept(Work const& w) {
    const int parts = parts_of(w.filter_type) + (term_count(w) == 2 ? 1 : 0);
    return static_cast<double>(w.filters()) * static_cast<double>(w.axis.filter) * parts;
  }

  std::size_t own_bytes() const override { return filters_.bytes() + minus_.bytes(); }
  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(threads_) * slot_bytes_; }

  void set_filter(Input const& filter, std::int64_t count, Means const& means) override {
    filters_.set(filter, count, means);
    const int parts = parts_of(work_.filter_type);
    all_finite_ = all_finite(filters_[0], count * taps_ * parts);
    for (std::int64_t f = 0; f < count; ++f)
      finite_[static_cast<std::size_t>(f)] = all_finite_ || all_finite(filters_[f], taps_ * parts);
    if (taps_ > 1)
      for (std::int64_t f = 0; f < count; ++f)
        for (int p = 0; p < parts; ++p) std::reverse(filters_.part(f, p), filters_.part(f, p) + taps_);
    if (minus_.size() == 0) return;
    for (std::int64_t f = 0; f < count; ++f)
      std::transform(filters_.part(f, 1), filters_.part(f, 1) + taps_, minus_.data() + f * taps_, std::negate<T>());
  }

  void run(Input const& signal, Output const& out, Part const& part, Means const& means) override {
    const Run r{PartSource<T>(signal, work_.loops), PartSink<C>(out, work_.loops), part,
                static_cast<char*>(means.scratch)};
    if constexpr (kTakesShortRows) {
      if (all_finite_ && across_.takes(signal, out, part)) return run_across(signal, out, part, r.scratch);
      if (are_together(work_, part.rows, part.outputs)) return run_short(r);
    }
    const Tasks tasks = tasks_of(part.rows, part.outputs);
    const auto task = [&](std::int64_t i, int slot) {
      if (tasks.segments > 1) return segment(r, part.row + i / tasks.segments, i % tasks.segments, slot);
      const std::int64_t end = part.row + std::min(part.rows, (i + 1) * tasks.rows);
      if (side_by_side_ && all_finite_) return side_by_side(r, part.row + i * tasks.rows, end, slot);
      for (std::int64_t row = part.row + i * tasks.rows; row < end; ++row) segment(r, row, 0, slot);
    };
    parallel_for(tasks.count, threads_, task);
  }

 private:
  static constexpr bool kTakesShortRows = std::is_same_v<T, C>;

  static std::int64_t tile() { return std::int64_t{kTileVectors} * simd_target().kernels<C>().lanes; }
  static void sum(Segment<T> const& segment, C* out, std::int64_t tiles, bool stream) {
    simd_target().direct<T, C>()(&segment, 1, out, tiles, stream);
  }

  struct Run {
    PartSource<T> signal;
    PartSink<C> out;
    Part part;
    char* scratch;
  };
  std::int64_t slot_elements() const {
    const std::int64_t one_row = parts_ * piece_ + parts_of(work_.signal_type) * window_step();
    if (!kTakesShortRows) return one_row;
    const bool together = are_together(work_, work_.rows(), work_.axis.outputs);
    return std::max({one_row, across_.memory(), together ? short_.memory() : 0});
  }
  C* slot(char* scratch, int number) const {
    return reinterpret_cast<C*>(scratch + static_cast<std::size_t>(number) * slot_bytes_);
  }

  // Elements from the window of the real parts to that of the imaginary ones.
  std::int64_t window_step() const { return piece_ + taps_; }

  void run_across(Input const& signal, Output const& out, Part const& part, char* scratch) const {
    const auto taps = [&](std::int64_t f) { return filters_[f]; };
    const auto memory = [&](int number) { return slot(scratch, number); };
    across_.run(signal, out, part, kSegment, threads_, taps, memory);
  }

  void run_short(Run const& run) const {
    const RowLayout layout(run.part.samples, run.part.first, run.part.outputs, taps_);
    const std::int64_t inner = work_.loops.inner.count, begin = run.part.row, end = begin + run.part.rows;
    // The rows of the loop that runs fastest: all of the part, or those of one turn of the outer loop.
    const std::int64_t first = inner == 1 ? begin : begin / inner * inner, turn = inner == 1 ? end - begin : inner;
    const std::int64_t turns = (end - first + turn - 1) / turn;
    const std::int64_t together = tasks_of(turn, run.part.outputs).rows, tasks = (turn + together - 1) / together;
    const auto task = [&](std::int64_t i, int slot) {
      const std::int64_t start = first + i / tasks * turn, row = start + i % tasks * together;
      const std::int64_t last = std::min(start + turn, end), from = std::max(row, begin);
      const std::int64_t to = std::min(row + together, last);
      if (from < to) some_rows(run, layout, from, to, slot);
    };
    parallel_for(turns * tasks, threads_, task);
  }

  // Rows [row, end) of one loop. Those with taps that are not finite go their own way.
  void some_rows(Run const& run, RowLayout const& layout, std::int64_t row, std::int64_t end, int slot) const {
    Loop const& loop = work_.loops.inner.count == 1 ? work_.loops.outer : work_.loops.inner;
    const std::int64_t step = loop.filter_moves ? 1 : 0, f = work_.loops.filter_of(row) - row * step;
    const auto finite = [&](std::int64_t r) {
      return all_finite_ || finite_[static_cast<std::size_t>(f + r * step)] != 0;
    };
    C* const memory = this->slot(run.scratch, slot);
    for (std::int64_t next; row < end; row = next) {
      for (next = all_finite_ ? end : row + 1; next < end && finite(next) == finite(row);) ++next;
      if (finite(row)) {
        Source<T> const& from = run.signal.re();
        Sink<C> const& to = run.out.re();
        short_.run(from, to,
                   {layout, row, next - row, from.in_place(row), from.row_step(), to.in_place(row), to.row_step(),
                    filters_[f + row * step], taps_ * step},
                   memory);
      } else {
        for (std::int64_t r = row; r < next; ++r) segment(run, r, 0, slot);
      }
    }
  }

  // One row, with the memory of the thread that works on it. Outputs are counted within the full convolution.
  struct Row {
    Run const& run;
    std::int64_t index;
    const T* samples;  // where they can be used as they lie, else null
    C* results;        // the same; of the part's first output
    std::int64_t filter;
    const T* taps;  // of its real part, reversed
    bool finite;    // the taps
    T* window;
    C* sums;
  };

  Row row_of(Run const& run, std::int64_t index, int slot) const {
    const std::int64_t f = work_.loops.filter_of(index);
    C* const memory = this->slot(run.scratch, slot);
    return {
        run,   index,       run.signal.re().in_place(index),           run.out.re().in_place(index),
        f,     filters_[f], finite_[static_cast<std::size_t>(f)] != 0, reinterpret_cast<T*>(memory + parts_ * piece_),
        memory};
  }

  // Rows [index, end), as many at a time as one window has room for, with zeros between them that neighbours share.
  void side_by_side(Run const& run, std::int64_t index, std::int64_t end, int slot) const {
    const RowLayout layout(run.part.samples, run.part.first, run.part.outputs, taps_);
    const std::int64_t together = std::max<std::int64_t>(1, kCopiedPiece / layout.step);
    Row row = row_of(run, index, slot);
    T* const window = row.window;
    row.window += layout.skip;
    for (std::int64_t rows; index < end; index += rows) {
      rows = std::min(together, end - index);
      const std::int64_t outputs = (rows - 1) * layout.step + layout.outputs;
      const std::int64_t tiles = (outputs + tile() - 1) / tile();
      const std::int64_t elements =
          std::max(layout.before + rows * layout.step, layout.skip + tiles * tile() + taps_ - 1);
      for (int p = 0; p < run.signal.parts(); ++p) std::fill_n(window + p * window_step(), elements, T(0));
      for (std::int64_t r = 0; r < rows; ++r)
        run.signal.load(index + r, 0, layout.samples, window + layout.before + r * layout.step, window_step());
      for (int p = 0; p < parts_; ++p) sum_part(row, p, taps_, 0, tiles);
      for (std::int64_t r = 0; r < rows; ++r)
        run.out.store(index + r, 0, layout.outputs, row.sums + r * layout.step, piece_, false);
    }
  }

  void segment(Run const& run, std::int64_t index, std::int64_t s, int slot) const {
    const Row row = row_of(run, index, slot);
    // Segments that are streamed start on a vector boundary of the output: the first one is up to a vector longer.
    const std::int64_t ahead = stream_ && row.results ? to_vector_boundary(row.results) : 0;
    const auto start = [&](std::int64_t i) { return i == 0 ? 0 : std::min(i * kSegment + ahead, run.part.outputs); };
    outputs(row, run.part.first + start(s), run.part.first + start(s + 1));
  }

  // Outputs [begin, end) of one row.
  void outputs(Row const& row, std::int64_t begin, std::int64_t end) const {
    const Stretches stretches(work_, row.run.part, row.finite);
    for (std::int64_t o = begin; o < end;) {
      const auto [count, inside] = stretches.at(o, end);
      if (inside) {
        o += interior(row, o, count);
        continue;
      }
      if (row.finite || row.run.signal.is_extended()) copied(row, o, count);
      else exact(row, o, count);
      o += count;
    }
  }

  // Up to `count` outputs from `o` on, all with whole windows; returns how many. Straight from the caller's memory and
  // to it where no conversion is needed, what is converted a piece at a time; but for the last few and those up to a
  // vector boundary.
  std::int64_t interior(Row const& row, std::int64_t o, std::int64_t count) const {
    if (!row.samples || !row.results) count = std::min(count, kCopiedPiece);
    const std::int64_t tiles = count / tile(), first = o - (taps_ - 1), at = o - row.run.part.first;
    const std::int64_t ahead = row.results && stream_ ? to_vector_boundary(row.results + at) : 0;
    if (parts_ > 1 || tiles == 0 || ahead > 0) {
      if (parts_ == 1 && tiles > 0) count = ahead;
      copied(row, o, count);
      return count;
    }
    const std::int64_t outputs = tiles * tile();
    if (!row.samples) row.run.signal.re().load(row.index, first, outputs + taps_ - 1, row.window);
    const T* const window = row.samples ? row.samples + first : row.window;
    sum({window, row.taps, taps_}, row.results ? row.results + at : row.sums, tiles, stream_ && row.results);
    if (!row.results) store(row, o, outputs);
    return outputs;
  }

  const T* taps_of(Row const& row, Term const& term) const {
    return term.minus ? minus_.data() + row.filter * taps_ : filters_.part(row.filter, term.filter);
  }

  // Sums of part `p` of `tiles` of outputs over `taps` taps of the window, behind `before` others.
  void sum_part(Row const& row, int p, std::int64_t taps, std::int64_t before, std::int64_t tiles) const {
    if (parts_ == 1) return sum({row.window, row.taps + before, taps, before}, row.sums, tiles, false);
    const Terms terms = terms_of(work_, p);
    Segment<T> segments[2];
    for (int t = 0; Term const& term : terms)
      segments[t++] = {row.window + term.signal * window_step(), taps_of(row, term) + before, taps, before};
    simd_target().direct<T, C>()(segments, terms.count, row.sums + p * piece_, tiles, false);
  }

  // The sums of outputs from `o` on to where they belong.
  void store(Row const& row, std::int64_t o, std::int64_t count) const {
    row.run.out.store(row.index, o - row.run.part.first, count, row.sums, piece_, stream_);
  }

  // Through a copy of the window, converted and extended, with the taps that any of these outputs uses.
  void copied(Row const& row, std::int64_t o, std::int64_t count) const {
    Run const& run = row.run;
    const auto [lowest, highest] = Stretches(work_, run.part, true).taps(o, count);
    if (lowest > highest) return none(row, o, count);
    const std::int64_t taps = highest - lowest + 1, tiles = (count + tile() - 1) / tile();
    run.signal.load_extended(row.index, run.part.samples, o - highest, tiles * tile() + taps - 1, row.window,
                             window_step());
    const std::int64_t before = taps_ - 1 - highest;
    for (int p = 0; p < parts_; ++p) sum_part(row, p, taps, before, tiles);
    store(row, o, count);
  }

  // Outputs before or behind the full convolution, which no sample is in.
  void none(Row const& row, std::int64_t o, std::int64_t count) const {
    for (int p = 0; p < parts_; ++p) std::fill_n(row.sums + p * piece_, count, C(0));
    store(row, o, count);
  }

  // At the edges with a tap that is not finite: zero padding times infinity would be NaN.
  void exact(Row const& row, std::int64_t o, std::int64_t count) const {
    Run const& run = row.run;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t k = o + i, lowest = std::max<std::int64_t>(0, k - run.part.samples + 1),
                         highest = std::min(taps_ - 1, k);
      if (lowest <= highest) run.signal.load(row.index, k - highest, highest - lowest + 1, row.window, window_step());
      for (int p = 0; p < parts_; ++p)
        row.sums[p * piece_ + i] = exact_sum(row, terms_of(work_, p), highest - lowest + 1, taps_ - 1 - highest);
    }
    store(row, o, count);
  }
  C exact_sum(Row const& row, Terms const& terms, std::int64_t taps, std::int64_t before) const {
    const T *x[2], *h[2];
    for (int t = 0; Term const& term : terms)
      x[t] = row.window + term.signal * window_step(), h[t++] = taps_of(row, term) + before;
    if (terms.count == 1)
      return long_sum<C>(taps, before,
                         [&](std::int64_t k) { return static_cast<C>(x[0][k]) * static_cast<C>(h[0][k]); });
    return long_sum<C>(2 * taps, 2 * before, [&](std::int64_t k) {
      return static_cast<C>(x[k % 2][k / 2]) * static_cast<C>(h[k % 2][k / 2]);
    });
  }

  Work work_;
  std::int64_t taps_;
  int threads_;
  bool stream_;
  std::int64_t piece_;  // outputs that are computed at once by way of copies, at most
  int parts_;           // of an output
  bool side_by_side_;
  ShortRows<C> short_;
  AcrossRows<C> across_;
  std::size_t slot_bytes_;
  KeptFilters<T> filters_;  // reversed
  AlignedBuffer<T> minus_;  // minus their imaginary parts, where products of those are taken from the real part
  std::vector<char> finite_;
  bool all_finite_ = true;  // of the filters that are set
};

// The type that operands are kept in. Integers of short rows with few products gain nothing by being narrow, and the
// rows are taken together where they are kept as they are summed.
Type operands_of(Work const& w) {
  constexpr std::int64_t kFewProducts = 1024;  // of a row
  if (is_floating(w.compute_type()) || (are_short(w) && w.axis.full() * w.products() <= kFewProducts))
    return w.compute_type();
  return operand_type(w);
}

// Calls `f` with the type of the sums and the one that operands are kept in.
template <class F>
auto visit_sums(Work const& w, F&& f) {
  return visit_compute(w.compute_type(), [&]<class C>(std::type_identity<C> sums) {
    if constexpr (std::is_integral_v<C>)
      if (operands_of(w) != w.compute_type())
        return visit_integers(w, [&](auto operands) { return f(sums, operands); });
    return f(sums, sums);
  });
}

// The operand with fewer elements takes the part of the taps.
template <class T>
Work rows_of(Work const& w) {
  return exchanged_rows(w, static_cast<double>(w.axis.signal) * parts_of(w.signal_type) * sizeof(T), kExchangedBytes);
}

std::unique_ptr<Executor> make_of(Work const& w, Parameters const& p) {
  return visit_sums(
      w, [&]<class C, class T>(std::type_identity<C>, std::type_identity<T>) -> std::unique_ptr<Executor> {
        using Direct = Direct<C, T>;
        using Kept = KeptSignals<T>;
        const Work rows = p.exchanged ? rows_of<T>(w) : w;
        const double filters = static_cast<double>(w.filters()) * static_cast<double>(w.axis.filter);
        const double signals = p.exchanged ? filters * parts_of(w.filter_type) : 0;  // which filters take the part of
        const double window = (static_cast<double>(kSegment) + static_cast<double>(w.products())) *
                              (parts_of(w.signal_type) + parts_of(w.result_type));
        check_fits((signals + Direct::kept(rows)) * sizeof(T) + p.threads * window * sizeof(C));
        if (!p.exchanged) return std::make_unique<Direct>(w, p.threads);
        return std::make_unique<ExchangedExecutor<Kept>>(w, rows,
                                                         Kept(w.filters(), w.axis.filter, parts_of(w.filter_type)),
                                                         std::make_unique<Direct>(rows, p.threads));
      });
}
std::unique_ptr<Executor> make(Work const& w, Resources const&, Parameters const& p) {
  const Work narrow = with_narrow_taps(w);
  if (p.exchanged || operands_of(narrow) == operands_of(w)) return make_of(w, p);
  return std::make_unique<NarrowIntegers>(w, make_of(narrow, p), make_of(w, p));
}

// ---- what it costs -----------------------------------------------------------------------------------------------
// Measured: per output of four bytes in a core's cache and beyond, per row.
constexpr double kCachedSample = 4e-11, kSample = 1.2e-10, kRow = 2.5e-8;
// The same of short rows, and what a filter of their own adds.
constexpr double kShortRow = 1.5e-9, kOwnFilter = 3e-9;
// What complex rows and outputs of four bytes per part add: they are split into their parts and joined again.
constexpr double kComplexRow = 2.5e-8, kSplitOutput = 3.5e-10;
constexpr double kComplexShortRow = 1.5e-8;  // side by side, in place of both kinds of rows

double one_thread(Work const& w) {
  const Type compute = w.compute_type(), operands = operands_of(w);
  const bool complex = is_complex(w.result_type);
  const double sample = ((array_bytes(w) > kCoreCacheBytes ? kSample : kCachedSample) * parts_of(w.result_type) +
                         (complex ? kSplitOutput : 0)) *
                        static_cast<double>(size_of(compute)) / 4;
  const double products = static_cast<double>(w.products()) * term_count(w) * parts_of(w.result_type);
  const bool short_rows = are_together(w, w.rows(), w.axis.outputs) && operands == compute,
             own = w.swapped() || w.filters() > 1;
  const bool beside = w.rows() > 1 && are_side_by_side(w);
  const double row = short_rows ? kShortRow + (own ? kOwnFilter : 0)
                     : beside   ? kComplexShortRow
                                : kRow + (complex ? kComplexRow : 0);
  const auto outputs = static_cast<double>(w.axis.outputs);
  const double tile = kTileVectors * simd_target().bits / 8.0 / static_cast<double>(size_of(compute));
  const double computed = short_rows ? outputs
                          : beside   ? static_cast<double>(w.axis.full())
                                     : std::ceil(outputs / tile) * tile;
  return static_cast<double>(w.rows()) * (row + outputs * sample + computed * products * product_seconds(operands)) +
         converting_seconds(w, operands);
}

Answer consider(Work const& w, Resources const& r) {
  if (w.has_lines()) return w.axis.step == 1 ? consider_images(w, r) : without_steps(consider, w, r);
  if (is_dot(w)) return consider_dot(w, r);
  if (is_polyphase(w)) return consider_polyphase(w, r);
  if (w.axis.step != 1) return without_steps(consider, w, r);
  const double one = one_thread(w);
  const int threads = useful_threads(one, tasks_of(w.rows(), w.axis.outputs).count, r.threads);
  return {.seconds = parallel_seconds(one, threads),
          .parameters = {.threads = threads, .exchanged = w.swapped()},
          .make = make};
}

}  // namespace

const Solver cpu_direct{.device = Device::cpu,
                        .method = Method::direct,
                        .automatic = true,
                        .answer = consider,
                        .takes_steps = true,
                        .takes_lines = true,
                        .folds_taps = true};

}  // namespace gpuconv::detail

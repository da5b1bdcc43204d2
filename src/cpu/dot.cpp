// Few outputs of many taps as dot products: vectors along the taps, and the threads share a row's taps.
#include "dot.hpp"

#include "cost.hpp"
#include "part_rows.hpp"
#include "simd_target.hpp"

#include "../core/long_sum.hpp"
#include "../core/thread_pool.hpp"
#include "../problem.hpp"

#include <algorithm>

namespace gpuconv::detail {
namespace {

constexpr std::int64_t kFewestTaps = 16;                       // fewer are left to tiles
constexpr std::int64_t kSteppedProducts = 2800;                // of tiles, as long as an output takes besides its own
constexpr std::int64_t kShare = std::int64_t{1} << 15;         // products of an output that are one task
constexpr std::int64_t kTaskProducts = std::int64_t{1} << 16;  // of a task of short rows, about
constexpr std::int64_t kRowsPerThread = 4;                     // with fewer, threads share rows
constexpr std::int64_t kFewOutputs = 32;                       // of a row, which are not shared out

template <class C>
std::int64_t most_outputs() {
  return std::int64_t{kDotVectors} * simd_target().kernels<C>().lanes;
}
std::int64_t shares_of(std::int64_t terms) { return (terms + kShare - 1) / kShare; }

// Whether threads share the taps of a row: where there are too few outputs for all of them.
bool shares_taps(std::int64_t rows, std::int64_t outputs, std::int64_t terms, int threads) {
  return shares_of(terms) > 1 &&
         saturating_multiply(rows, (outputs + kFewOutputs - 1) / kFewOutputs) < kRowsPerThread * threads;
}

// How a part is cut into tasks: shares of rows' taps, whole rows, or some outputs of one. The sums are the same, in the
// same order.
struct Tasks {
  bool shared;
  std::int64_t rows, outputs;  // of a task
  std::int64_t segments;       // of a row
  std::int64_t count;
};
Tasks tasks_of(std::int64_t rows, std::int64_t outputs, std::int64_t terms, int threads) {
  if (shares_taps(rows, outputs, terms, threads)) return {true, 1, outputs, 1, rows * shares_of(terms)};
  const std::int64_t each =
      std::clamp<std::int64_t>(kTaskProducts / terms, kFewOutputs, std::max(outputs, kFewOutputs));
  const std::int64_t segments = (outputs + each - 1) / each;
  const std::int64_t together =
      segments > 1 ? 1 : std::clamp<std::int64_t>(kTaskProducts / saturating_multiply(outputs, terms), 1, rows);
  return {false, together, each, segments, saturating_multiply((rows + together - 1) / together, segments)};
}

// ---- the executor ------------------------------------------------------------------------------------------------
// Needs no exchange of the operands: the longer one moves past the shorter one, whichever it is. Each part of a complex
// output is one dot product of parts, or the sum of two.
template <class C>
class Dot final : public Executor {
 public:
  Dot(Work const& w, int threads)
      : work_(w),
        taps_(w.axis.filter),
        threads_(threads),
        parts_(parts_of(w.result_type)),
        slot_bytes_(whole_pages(static_cast<std::size_t>(sums_at() + (parts_ + 1) * most_outputs<C>()) * sizeof(C))),
        filters_(w.filters(), taps_, parts_of(w.filter_type)) {}

  static double bytes(Work const& w, int threads) {
    const double window = static_cast<double>(std::min(w.products(), kShare) + 4 * most_outputs<C>());
    const double filters =
        static_cast<double>(w.filters()) * static_cast<double>(w.axis.filter) * parts_of(w.filter_type);
    return (filters + threads * window * parts_of(w.signal_type) + static_cast<double>(partial_sums(w, threads))) *
           sizeof(C);
  }

  std::size_t own_bytes() const override { return filters_.bytes(); }
  std::size_t scratch_bytes() const override {
    return static_cast<std::size_t>(threads_) * slot_bytes_ +
           static_cast<std::size_t>(partial_sums(work_, threads_)) * sizeof(C);
  }

  void set_filter(Input const& filter, std::int64_t count, Means const& means) override {
    filters_.set(filter, count, means);
    for (std::int64_t f = 0; f < count; ++f)
      for (int p = 0; p < parts_of(work_.filter_type); ++p)
        std::reverse(filters_.part(f, p), filters_.part(f, p) + taps_);
  }

  void run(Input const& signal, Output const& out, Part const& part, Means const& means) override {
    char* const scratch = static_cast<char*>(means.scratch);
    const Run r{signal,
                out,
                {signal, work_.loops},
                {out, work_.loops},
                part,
                scratch,
                reinterpret_cast<C*>(scratch + static_cast<std::size_t>(threads_) * slot_bytes_)};
    const std::int64_t shares = shares_of(std::min(taps_, part.samples));
    const Tasks tasks = tasks_of(part.rows, part.outputs, std::min(taps_, part.samples), threads_);
    if (tasks.segments > 1) {
      parallel_for(tasks.count, threads_, [&](std::int64_t i, int slot) {
        const std::int64_t begin = i % tasks.segments * tasks.outputs;
        some_outputs(r, part.row + i / tasks.segments, begin, std::min(begin + tasks.outputs, part.outputs), slot);
      });
      return;
    }
    if (!tasks.shared) {
      parallel_for(tasks.count, threads_, [&](std::int64_t i, int slot) {
        rows(r, part.row + i * tasks.rows, std::min(part.rows - i * tasks.rows, tasks.rows), slot);
      });
      return;
    }
    parallel_for(tasks.count, threads_, [&](std::int64_t i, int slot) {
      share(r, part.row + i / shares, i % shares, slot, r.partial + i * parts_ * part.outputs);
    });
    for (std::int64_t row = 0; row < part.rows; ++row)
      for (std::int64_t o = 0; o < part.outputs; ++o) {
        C output[2];
        for (int p = 0; p < parts_; ++p) {
          LongSum<C> total;
          for (std::int64_t s = 0; s < shares; ++s)
            total.add(r.partial[((row * shares + s) * parts_ + p) * part.outputs + o]);
          output[p] = total.value();
        }
        r.to.store(part.row + row, o, 1, output, 1, false);
      }
  }

 private:
  struct Run {
    Input signal;
    Output out;
    PartSource<C> from;
    PartSink<C> to;
    Part part;
    char* scratch;
    C* partial;  // [rows][shares][parts][outputs], where rows are shared
  };
  // Outputs of a row that have as many products, and where those begin for the first of them.
  struct Group {
    std::int64_t count, terms;
    std::int64_t sample, tap;  // the tap in reversed order
  };

  // Of a part of the samples, and where the sums are behind them: those of each part, and of a term.
  std::int64_t window() const { return std::min(work_.products(), kShare) + most_outputs<C>(); }
  std::int64_t sums_at() const { return parts_of(work_.signal_type) * window(); }
  static std::int64_t partial_sums(Work const& w, int threads) {
    const std::int64_t shares = shares_of(w.products()), outputs = w.axis.outputs;
    if (shares == 1) return 0;
    const std::int64_t rows = std::min(w.rows(), kRowsPerThread * threads);
    return parts_of(w.result_type) * shares *
           std::min(saturating_multiply(rows, outputs), kRowsPerThread * threads * kFewOutputs);
  }

  // From output `o` of the part on: all with whole windows, or one.
  Group group_at(Part const& part, std::int64_t o) const {
    const std::int64_t k = part.first + o * work_.axis.step, highest = std::min(taps_ - 1, k);
    const std::int64_t lowest = std::max<std::int64_t>(0, k - part.samples + 1);
    const std::int64_t terms = std::max<std::int64_t>(0, highest - lowest + 1);  // none beyond the full convolution
    Group group{1, terms, k - highest, taps_ - 1 - highest};
    if (work_.axis.step == 1 && terms == std::min(taps_, part.samples))
      group.count = std::min({part.outputs - o, std::max(taps_, part.samples) - k, most_outputs<C>()});
    return group;
  }

  // The products of a group in share `s` of the taps, none where the windows have no more.
  DotRows<C> products(Part const& part, Group const& g, std::int64_t s, const C* samples, const C* taps, C* out) const {
    const std::int64_t begin = s * kShare, count = std::min(kShare, g.terms - begin);
    DotRows<C> d{.fixed = taps + g.tap + begin,
                 .moving = samples + g.sample + begin,
                 .out = out,
                 .count = count,
                 .outputs = g.count,
                 .out_step = 1,
                 .rows = 1,
                 .fixed_row = 0,
                 .moving_row = 0,
                 .out_row = 0};
    if (part.samples < taps_) {  // the taps move, and towards their beginning
      d.fixed = samples + g.sample + begin, d.moving = taps + (g.tap - (g.count - 1)) + begin;
      d.out += g.count - 1, d.out_step = -1;
    }
    return d;
  }

  // Sums over share `s` of the taps of all outputs of a row, part by part.
  void share(Run const& r, std::int64_t row, std::int64_t s, int slot, C* out) const {
    for (std::int64_t o = 0; o < r.part.outputs;) {
      const Group g = group_at(r.part, o);
      sum(r, row, g, s, slot, out + o, r.part.outputs);
      o += g.count;
    }
  }
  // Of a group's outputs, those of the imaginary parts `step` elements behind.
  void sum(Run const& r, std::int64_t row, Group const& g, std::int64_t s, int slot, C* out, std::int64_t step) const {
    const std::int64_t begin = s * kShare, count = std::min(kShare, g.terms - begin);
    if (count <= 0) {
      for (int p = 0; p < parts_; ++p) std::fill_n(out + p * step, g.count, C{});
      return;
    }
    const C* samples = r.from.re().in_place(row);
    if (!samples) {
      C* const to = memory(r, slot);
      const std::int64_t moves = r.part.samples < taps_ ? 0 : g.count - 1;
      r.from.load(row, g.sample + begin, count + moves, to, window());
      samples = to - g.sample - begin;
    }
    const std::int64_t f = work_.loops.filter_of(row);
    if (parts_ == 1) return simd_target().kernels<C>().dot(products(r.part, g, s, samples, filters_[f], out));
    C* const term_sums = memory(r, slot) + sums_at() + parts_ * most_outputs<C>();
    for (int p = 0; p < parts_; ++p) {
      C* const sums = out + p * step;
      const Terms terms = terms_of(work_, p);
      for (Term const& term : terms) {
        const bool first = &term == terms.begin();
        simd_target().kernels<C>().dot(products(r.part, g, s, samples + term.signal * window(),
                                                filters_.part(f, term.filter), first ? sums : term_sums));
        if (first) continue;
        for (std::int64_t i = 0; i < g.count; ++i) sums[i] += term.minus ? -term_sums[i] : term_sums[i];
      }
    }
  }

  void rows(Run const& r, std::int64_t first, std::int64_t count, int slot) const {
    const Group g = group_at(r.part, 0);
    if (g.count == r.part.outputs && g.terms > 0 && g.terms <= kShare && work_.loops.inner.count == 1 &&
        r.to.re().in_place(first) && r.from.re().in_place(first))
      return rows_in_place(r, g, first, count);
    for (std::int64_t row = first; row < first + count; ++row) some_outputs(r, row, 0, r.part.outputs, slot);
  }
  void rows_in_place(Run const& r, Group const& g, std::int64_t first, std::int64_t count) const {
    DotRows<C> d = products(r.part, g, 0, r.from.re().in_place(first), filters_[work_.loops.filter_of(first)],
                            r.to.re().in_place(first));
    const std::int64_t taps_row = work_.loops.outer.filter_moves ? taps_ : 0;
    const bool taps_move = r.part.samples < taps_;
    d.rows = count, d.out_row = r.out.outer;
    d.fixed_row = taps_move ? r.signal.outer : taps_row;
    d.moving_row = taps_move ? taps_row : r.signal.outer;
    simd_target().kernels<C>().dot(d);
  }
  // Outputs [begin, end) of a row, where either all are wanted or groups are of one.
  void some_outputs(Run const& r, std::int64_t row, std::int64_t begin, std::int64_t end, int slot) const {
    if (parts_ == 1) some_outputs<1>(r, row, begin, end, slot);
    else some_outputs<2>(r, row, begin, end, slot);
  }
  template <std::size_t Parts>
  void some_outputs(Run const& r, std::int64_t row, std::int64_t begin, std::int64_t end, int slot) const {
    C* const sums = memory(r, slot) + sums_at();
    const std::int64_t step = most_outputs<C>();
    for (std::int64_t o = begin; o < end;) {
      const Group g = group_at(r.part, o);
      LongSum<C> totals[Parts][kMostOutputs] = {};
      for (std::int64_t s = 0; s < shares_of(g.terms); ++s) {
        sum(r, row, g, s, slot, sums, step);
        for (std::size_t p = 0; p < Parts; ++p)
          for (std::int64_t i = 0; i < g.count; ++i) totals[p][i].add(sums[static_cast<std::int64_t>(p) * step + i]);
      }
      for (std::size_t p = 0; p < Parts; ++p)
        for (std::int64_t i = 0; i < g.count; ++i) sums[static_cast<std::int64_t>(p) * step + i] = totals[p][i].value();
      r.to.store(row, o, g.count, sums, step, false);
      o += g.count;
    }
  }
  C* memory(Run const& r, int slot) const {
    return reinterpret_cast<C*>(r.scratch + static_cast<std::size_t>(slot) * slot_bytes_);
  }

  static constexpr std::size_t kMostOutputs = kDotVectors * 64 / sizeof(C);  // of any target

  Work work_;
  std::int64_t taps_;
  int threads_;
  int parts_;  // of an output
  std::size_t slot_bytes_;
  KeptFilters<C> filters_;  // reversed
};

std::unique_ptr<Executor> make(Work const& w, Resources const&, Parameters const& p) {
  return visit_compute(w.compute_type(), [&]<class C>(std::type_identity<C>) -> std::unique_ptr<Executor> {
    check_fits(Dot<C>::bytes(w, p.threads));
    return std::make_unique<Dot<C>>(w, p.threads);
  });
}

// ---- what it costs -----------------------------------------------------------------------------------------------
// Measured on 2026-11-25, as cost.hpp says: a row, an output, and a vector of products of either kind (64-bit integers
// have no multiplication of their own below AVX-512); a byte beyond the first-level cache and beyond the core's, once;
// a sample that is converted.
constexpr double kRow = 2.5e-9, kOutput = 5e-10, kSteppedOutput = 2.4e-8, kVector = 2.6e-10,
                 kVectorOfProducts = 5.4e-10;
// What complex numbers add: a row, and a sample that is split into its parts.
constexpr double kComplexRow = 5e-8, kSplitSample = 1e-10;
constexpr double kSecondLevelByte = 5e-12, kByte = 2.6e-11, kConvertedSample = 2.5e-10;
constexpr double kFirstLevelBytes = 32 << 10;

double one_thread(Work const& w) {
  const double vector = is_floating(w.compute_type()) || simd_target().bits == 512 ? kVector : kVectorOfProducts;
  const double output = w.axis.step == 1 ? kOutput : kSteppedOutput;
  const auto outputs = static_cast<double>(w.axis.outputs), rows = static_cast<double>(w.rows());
  const double dots = term_count(w) * parts_of(w.result_type);
  const double vectors = dots * static_cast<double>(w.products()) * static_cast<double>(size_of(w.compute_type())) * 8 /
                         simd_target().bits;
  // The share of the samples that some output needs: outputs may be far apart.
  const double touched = std::min(1.0, static_cast<double>(w.products()) / static_cast<double>(w.axis.step));
  const double bytes = touched * array_bytes(w), samples = rows * static_cast<double>(w.products()) + outputs;
  const double byte = bytes > kCoreCacheBytes ? kByte : bytes > kFirstLevelBytes ? kSecondLevelByte : 0;
  const double converted = std::min(kConvertedSample, converted_element(w.signal_type, w.compute_type()).load);
  const double row = kRow + (is_complex(w.result_type) ? kComplexRow : 0);
  return rows * (row + outputs * (output + vectors * vector)) + bytes * byte +
         samples * (is_complex(w.signal_type) ? kSplitSample : converted);
}

}  // namespace

bool is_dot(Work const& w) {
  const std::int64_t outputs = w.axis.outputs, terms = w.products(), step = w.axis.step;
  if (!w.extension.is_zero()) return false;
  if (step > 1) return saturating_multiply(step, terms) >= kSteppedProducts + 2 * terms;
  return terms >= kFewestTaps && outputs <= terms / 2 &&
         visit_compute(w.compute_type(), [&]<class C>(std::type_identity<C>) { return outputs <= most_outputs<C>(); });
}

Answer consider_dot(Work const& w, Resources const& r) {
  const double one = one_thread(w);
  const Tasks all = tasks_of(w.rows(), w.axis.outputs, w.products(), 1);
  const std::int64_t tasks = all.segments > 1 ? all.count : saturating_multiply(w.rows(), shares_of(w.products()));
  const int threads = useful_threads(one, tasks, r.threads);
  return {.seconds = parallel_seconds(one, threads), .parameters = {.threads = threads, .dots = true}, .make = make};
}

}  // namespace gpuconv::detail

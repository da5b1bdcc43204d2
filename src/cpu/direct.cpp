// Direct convolution: SIMD sums of products straight from the caller's rows, edges through a padded copy.
#include "aligned.hpp"
#include "convert.hpp"
#include "cost.hpp"
#include "simd_target.hpp"
#include "thread_pool.hpp"

#include "../solver.hpp"

#include <algorithm>
#include <vector>

namespace gpuconv::detail {
namespace {

// ---- which problems it takes -------------------------------------------------------------------------------------
std::string refusal(Geometry const&) { return {}; }

// ---- what it costs -----------------------------------------------------------------------------------------------
// Measured: per output and tap, per output of four bytes in a core's cache and beyond, per row.
constexpr double kMultiplyAddFloat = 9e-12, kMultiplyAddDouble = 1.8e-11, kMultiplyAddInteger = 2.3e-11;
constexpr double kCachedSample = 4e-11, kSample = 1.2e-10, kRow = 2.5e-8;

// The shorter operand takes the part of the taps: convolution commutes.
std::int64_t taps_of(Geometry const& g) { return std::min(g.signal, g.filter); }

template <class C>
double one_thread_of(Geometry const& g) {
  constexpr double multiply_add = std::is_same_v<C, float>    ? kMultiplyAddFloat
                                  : std::is_same_v<C, double> ? kMultiplyAddDouble
                                                              : kMultiplyAddInteger;
  const double sample = (g.bytes > kCoreCacheBytes ? kSample : kCachedSample) * sizeof(C) / 4;
  return static_cast<double>(g.batch) *
         (kRow + static_cast<double>(g.length) * (sample + static_cast<double>(taps_of(g)) * multiply_add));
}
double one_thread(Geometry const& g) {
  return visit_compute(g.compute_type(), [&]<class C>(std::type_identity<C>) { return one_thread_of<C>(g); });
}

constexpr std::int64_t kSegment = 8192;  // outputs a task: a window of them and the taps stay in L1 or L2
constexpr std::int64_t kShortRow = 768;  // outputs: a row no longer is computed in one piece, padding included
constexpr std::int64_t kStreamOutputs = std::int64_t{1} << 20;  // more are written around the cache
constexpr std::int64_t kEdgePiece = 256;  // outputs at a row's edge that are computed with the same taps

struct Tasks {
  std::int64_t segments;  // of a row
  std::int64_t rows;      // a task
  std::int64_t count;
};
Tasks tasks_of(Geometry const& g) {
  const std::int64_t segments = (g.length + kSegment - 1) / kSegment;
  const std::int64_t rows = std::max<std::int64_t>(1, kSegment / g.length);
  return {segments, rows, segments > 1 ? saturating_multiply(segments, g.batch) : (g.batch + rows - 1) / rows};
}

double seconds(Geometry const& g, Resources const& r) {
  return parallel_seconds(one_thread(g), tasks_of(g).count, r.threads);
}

// ---- how it is made and runs -------------------------------------------------------------------------------------
template <class C>
class Direct final : public Executor {
 public:
  Direct(Geometry const& g, int max_threads)
      : g_(g),
        taps_count_(taps_of(g)),
        data_count_(std::max(g.signal, g.filter)),
        swapped_(g.filter > g.signal),
        tasks_(tasks_of(g)),
        stream_(saturating_multiply(g.batch, g.length) > kStreamOutputs) {
    threads = useful_threads(one_thread(g), tasks_.count, max_threads);
    const std::int64_t outputs = (std::min(g.length, kSegment) / tile() + 2) * tile();
    const double elements = static_cast<double>(g.filters) * static_cast<double>(g.filter) +
                            threads * 2.0 * static_cast<double>(outputs + taps_count_);
    check_fits(g.bytes + elements * sizeof(C));
    filters_ = AlignedBuffer<C>(g.filters * g.filter);
    if (!swapped_) finite_.resize(static_cast<std::size_t>(g.filters));
    workspaces_.reserve(static_cast<std::size_t>(threads));
    for (int s = 0; s < threads; ++s) workspaces_.emplace_back(outputs, taps_count_, swapped_);
    start_workers(threads);
  }

  void set_filter(HostInput filter) override {
    const Source<C> source(filter);
    for (std::int64_t f = 0; f < g_.filters; ++f) {
      C* const to = filters_.data() + f * g_.filter;
      source.load(f, 0, g_.filter, to);
      if (swapped_) continue;
      finite_[static_cast<std::size_t>(f)] = all_finite(to, g_.filter);
      std::reverse(to, to + g_.filter);
    }
  }

  void execute(HostInput signal, HostOutput out) override {
    const Source<C> source(signal);
    const Sink<C> sink(out);
    const auto task = [&](std::int64_t i, int slot) {
      if (tasks_.segments > 1) return segment(source, sink, i / tasks_.segments, i % tasks_.segments, slot);
      const std::int64_t end = std::min(g_.batch, (i + 1) * tasks_.rows);
      for (std::int64_t row = i * tasks_.rows; row < end; ++row) segment(source, sink, row, 0, slot);
    };
    parallel_for(tasks_.count, threads, task);
  }

  std::size_t workspace_bytes() const override {
    std::size_t sum = filters_.bytes();
    for (Workspace const& w : workspaces_) sum += w.memory.bytes();
    return sum;
  }

 private:
  static SimdKernels<C> const& kernels() { return simd_target().kernels<C>(); }
  static std::int64_t tile() { return std::int64_t{kTileVectors} * kernels().lanes; }

  // One allocation: on small problems they take most of a one-shot call's time.
  struct Workspace {
    Workspace(std::int64_t outputs, std::int64_t taps_count, bool own_taps)
        : memory(2 * outputs + (own_taps ? 2 : 1) * taps_count),
          out(memory.data()),
          window(out + outputs),
          taps(window + outputs + taps_count) {}

    AlignedBuffer<C> memory;
    C *out, *window, *taps;
  };
  // One row as the kernels see it: `taps` reversed, over `data`.
  struct Row {
    Source<C> data;
    std::int64_t index;
    const C* direct;
    const C* taps;
    bool finite;
  };

  void segment(Source<C> const& signal, Sink<C> const& out, std::int64_t row, std::int64_t s, int slot) {
    Workspace& w = workspaces_[static_cast<std::size_t>(slot)];
    // Segments that are streamed start on a vector boundary of the output: the first one is up to a vector longer.
    const std::int64_t ahead = stream_ && out.direct(row) ? to_vector_boundary(out.direct(row)) : 0;
    const auto start = [&](std::int64_t i) { return i == 0 ? 0 : std::min(i * kSegment + ahead, g_.length); };
    outputs(swapped_ ? swapped_row(signal, row, w) : plain_row(signal, row), out, row, g_.first + start(s),
            g_.first + start(s + 1), w);
  }

  Row plain_row(Source<C> const& signal, std::int64_t row) const {
    const std::int64_t f = g_.filter_row(row);
    return {signal, row, signal.direct(row), filters_.data() + f * g_.filter,
            finite_[static_cast<std::size_t>(f)] != 0};
  }

  Row swapped_row(Source<C> const& signal, std::int64_t row, Workspace& w) const {
    C* const taps = w.taps;
    signal.load(row, 0, g_.signal, taps);
    const bool finite = all_finite(taps, g_.signal);
    std::reverse(taps, taps + g_.signal);
    const C* const data = filters_.data() + g_.filter_row(row) * g_.filter;
    return {Source<C>(HostInput(data, type_of<C>, Rows{.columns = g_.filter})), 0, data, taps, finite};
  }

  // Outputs [begin, end) of the full convolution of one row.
  void outputs(Row const& row, Sink<C> const& out, std::int64_t out_row, std::int64_t begin, std::int64_t end,
               Workspace& w) {
    if (row.finite && g_.length <= kShortRow) return copied(row, out, out_row, begin, end - begin, w);
    const std::int64_t inside = taps_count_ - 1;  // outputs [inside, data_count_) have a whole window
    for (std::int64_t o = begin; o < end;) {
      if (o < inside || o >= data_count_) {
        const std::int64_t count = std::min(kEdgePiece, (o < inside ? std::min(end, inside) : end) - o);
        if (row.finite) copied(row, out, out_row, o, count, w);
        else exact(row, out, out_row, o, count, w);
        o += count;
      } else {
        o += interior(row, out, out_row, o, std::min(end, data_count_) - o, w);
      }
    }
  }

  // Up to `count` outputs from `o` on, all with whole windows; returns how many. Straight from the caller's memory to
  // the caller's memory where no conversion is needed, but for the last few and those up to a vector boundary.
  std::int64_t interior(Row const& row, Sink<C> const& out, std::int64_t out_row, std::int64_t o, std::int64_t count,
                        Workspace& w) {
    C* const result = out.direct(out_row);
    if (row.direct && result && count >= tile()) {
      C* const to = result + (o - g_.first);
      if (const std::int64_t ahead = to_vector_boundary(to); stream_ && ahead) {
        count = ahead;
      } else {
        const std::int64_t tiles = count / tile();
        kernels().direct(row.direct + (o - (taps_count_ - 1)), row.taps, taps_count_, to, tiles, stream_);
        return tiles * tile();
      }
    }
    copied(row, out, out_row, o, count, w);
    return count;
  }

  // Through a copy of the window, converted and padded with zeros, with the taps that any of these outputs uses.
  void copied(Row const& row, Sink<C> const& out, std::int64_t out_row, std::int64_t o, std::int64_t count,
              Workspace& w) const {
    const std::int64_t lowest = std::max<std::int64_t>(0, o - data_count_ + 1);
    const std::int64_t highest = std::min(taps_count_ - 1, o + count - 1);
    const std::int64_t taps = highest - lowest + 1, tiles = (count + tile() - 1) / tile();
    row.data.load_padded(row.index, data_count_, o - highest, tiles * tile() + taps - 1, w.window);
    kernels().direct(w.window, row.taps + (taps_count_ - 1 - highest), taps, w.out, tiles, false);
    out.store(out_row, o - g_.first, count, w.out);
  }

  // At the edges with a tap that is not finite: zero padding times infinity would be NaN.
  void exact(Row const& row, Sink<C> const& out, std::int64_t out_row, std::int64_t o, std::int64_t count,
             Workspace& w) const {
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t k = o + i, lowest = std::max<std::int64_t>(0, k - data_count_ + 1),
                         highest = std::min(taps_count_ - 1, k);
      row.data.load(row.index, k - highest, highest - lowest + 1, w.window);
      C sum{};
      for (std::int64_t j = highest; j >= lowest; --j) sum += w.window[highest - j] * row.taps[taps_count_ - 1 - j];
      w.out[i] = sum;
    }
    out.store(out_row, o - g_.first, count, w.out);
  }

  Geometry g_;
  std::int64_t taps_count_, data_count_;
  bool swapped_;
  Tasks tasks_;
  bool stream_;
  AlignedBuffer<C> filters_;  // reversed, unless swapped
  std::vector<char> finite_;
  std::vector<Workspace> workspaces_;
};

std::unique_ptr<Executor> make(Geometry const& g, Resources const& r) {
  return visit_compute(g.compute_type(), [&]<class C>(std::type_identity<C>) -> std::unique_ptr<Executor> {
    return std::make_unique<Direct<C>>(g, r.threads);
  });
}

// ---- how it prints itself ----------------------------------------------------------------------------------------
std::string parameters(Geometry const& g, Resources const& r) {
  return cpu_text(useful_threads(one_thread(g), tasks_of(g).count, r.threads));
}

}  // namespace

const Solver cpu_direct{Device::cpu, Method::direct, true, refusal, seconds, make, parameters};

}  // namespace gpuconv::detail

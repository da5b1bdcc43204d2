// The cost of overlap-save by the size of its transform, below the solvers that choose one: they would not let a
// benchmark force a size.
#include "sections.hpp"

#include "../support/data.hpp"
#include "../support/fit.hpp"

#include "cpu/block_executor.hpp"
#include "problem.hpp"
#include "runner.hpp"

#include <cmath>

namespace gpuconv::bench {
namespace {

using detail::BlockExecutor;
using detail::RightAngleTransform;

// A filter of `taps` on blocks of `size`, run block after block over rows that rotate past the cache.
template <class T>
struct Blocks {
  Blocks(std::int64_t size, std::int64_t taps, std::int64_t signal, int transform_threads)
      : problem{.signal = signal, .filter = taps, .mode = Mode::same, .type = type_of<T>},
        data(problem),
        work(detail::check(problem)),
        cut(detail::overlapping(size, taps, detail::simd_target().kernels<T>().lanes)),
        executor(work, cut, transform_threads),
        scratch(static_cast<std::int64_t>(executor.scratch_bytes())) {
    executor.set_filter(detail::access_of(data.filter()), 1, {.scratch = scratch.data()});
  }

  void operator()() {
    executor.run(detail::access_of(data.signal(set)), detail::access_of(data.out(set)), detail::whole(work),
                 {.scratch = scratch.data()});
    if (++set == data.sets()) set = 0;
  }

  Problem problem;
  Data data;
  detail::Work work;
  detail::Cut cut;
  BlockExecutor<T> executor;
  detail::AlignedBuffer<char> scratch;
  std::size_t set = 0;
};

template <class T>
Spread time_blocks(std::int64_t size, std::int64_t taps, std::int64_t signal, int threads, Budget budget) {
  Blocks<T> blocks(size, taps, signal, threads);
  Spread t = measure([&] { blocks(); }, budget);
  for (double* const part : {&t.median, &t.lower, &t.upper, &t.least})
    *part /= static_cast<double>(blocks.cut.blocks(blocks.work.axis.outputs));
  return t;
}

template <class T>
void add_cached(Settings const& s, Table& times, Table& fits) {
  std::vector<Observation> observations;
  for (std::int64_t points = RightAngleTransform<T>::smallest();
       points <= 4 * RightAngleTransform<T>::largest_in_cache(); points *= 2) {
    const std::int64_t size = 2 * points;
    for (const std::int64_t signal : {std::int64_t{1} << 15, std::int64_t{1} << 22}) {
      if (signal < size) continue;
      for (const std::int64_t taps : {size / 8, size / 2}) {
        const Spread t = time_blocks<T>(size, taps, signal, 1, s.budget);
        const auto p = static_cast<double>(points), step = static_cast<double>(size - taps);
        times.rows.push_back({name(type_of<T>), size, taps, signal, t.least * 1e9, t.least / p * 1e9,
                              t.least / p / std::log2(p) * 1e9, t.least / step * 1e9, (t.upper - t.lower) / t.median});
        if (points <= RightAngleTransform<T>::largest_in_cache() && signal > (1 << 15))
          observations.push_back({{1, p, p * std::log2(p), step}, t.least});
      }
    }
  }
  const Fit f = fit(observations);
  fits.rows.push_back(
      {name(type_of<T>), f.coefficients[0], f.coefficients[1], f.coefficients[2], f.coefficients[3], f.worst});
}

template <class T>
void add_beyond(Settings const& s, Table& times) {
  const std::int64_t largest = std::int64_t{1} << (s.quick ? 20 : 24);
  for (std::int64_t size = 2 * RightAngleTransform<T>::smallest(); size <= largest; size *= 2) {
    std::vector<int> counts{1};
    if (s.threads > 1) counts.push_back(s.threads);
    for (const int threads : counts) {
      const Spread t = time_blocks<T>(size, size / 2, size / 2, threads, s.budget);
      const auto n = static_cast<double>(size);
      times.rows.push_back({name(type_of<T>), size, threads, t.least * 1e6, t.least / n / std::log2(n) * 1e9,
                            (t.upper - t.lower) / t.median});
    }
  }
}

}  // namespace

std::vector<Table> calibrate_blocks(Settings const& s) {
  Table times{"overlap_save",
              "one block on one thread, mode same, long rows, least times; points = block / 2",
              {"type", "block", "taps", "signal", "ns/block", "ns/point", "ns/point/level", "ns/output", "spread"},
              {}};
  Table fits{"overlap_save_fit",
             "seconds = block + points * (point + levels * point_level) + outputs * output, signals of 2^22, blocks in "
             "the cache",
             {"type", "block", "point", "point_level", "output", "worst_error"},
             {}};
  Table large{"fft",
              "one block at a time, all threads on its transform, least times; taps and signal are half the block",
              {"type", "block", "threads", "us/block", "ns/sample/level", "spread"},
              {}};
  add_cached<float>(s, times, fits);
  add_cached<double>(s, times, fits);
  add_beyond<float>(s, large);
  add_beyond<double>(s, large);
  return {times, fits, large};
}

}  // namespace gpuconv::bench

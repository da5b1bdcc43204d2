// The CPU's two methods of blocks: one executor with two tables of costs. Overlap-save takes blocks that fit into a
// core's cache, one per thread; fft takes blocks of any size, and all threads work on one that is larger than the
// cache.
#include "block_executor.hpp"
#include "cost.hpp"
#include "images.hpp"
#include "part_rows.hpp"

#include "../exchange.hpp"
#include "../problem.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace gpuconv::detail {
namespace {

constexpr double kExchangedBytes = 16 << 20;  // of signals that are prepared at once in the part of the filter

// ---- how it is made ----------------------------------------------------------------------------------------------
template <class C>
Work rows_of(Work const& w, Cut const& cut) {
  return exchanged_rows(w, static_cast<double>(w.axis.signal + cut.size) * parts_of(w.result_type) * sizeof(C),
                        kExchangedBytes);
}

// Sizes in doubles: an estimate that cannot overflow, to refuse what cannot be had.
template <class C>
void check_memory(Work const& w, Parameters const& p) {
  const double size = static_cast<double>(p.cut.size) * parts_of(w.result_type);  // real numbers of a block
  double kept = static_cast<double>(w.filters()) * static_cast<double>(w.axis.filter) * parts_of(w.filter_type);
  if (p.exchanged) {
    const Work rows = rows_of<C>(w, p.cut);
    kept += static_cast<double>(rows.filters()) *
            (static_cast<double>(rows.axis.filter) * parts_of(rows.filter_type) + size);
  } else {
    kept += static_cast<double>(w.filters()) * size;
  }
  const double staged = std::min(2.0 * static_cast<double>(w.rows()) * size * sizeof(C), 1.0 * kStagedBytes);
  check_fits((kept + p.threads * 3.2 * size) * sizeof(C) + p.threads * staged);
}

std::unique_ptr<Executor> make(Work const& w, Resources const&, Parameters const& p) {
  return visit_floating(w.compute_type(), [&]<class C>(std::type_identity<C>) -> std::unique_ptr<Executor> {
    check_memory<C>(w, p);
    if (!p.exchanged) return std::make_unique<BlockExecutor<C>>(w, p.cut, p.threads);
    const Work rows = rows_of<C>(w, p.cut);
    return std::make_unique<ExchangedExecutor<KeptSignals<C>>>(
        w, rows, KeptSignals<C>(w.filters(), w.axis.filter, parts_of(w.filter_type)),
        std::make_unique<BlockExecutor<C>>(rows, p.cut, p.threads));
  });
}

// ---- what it costs -----------------------------------------------------------------------------------------------
constexpr ByWidth<double> kDouble{.narrow = 1.83, .medium = 1.87, .wide = 2.1};  // what doubles take, in floats

// Measured, per float32: a sample of a row's first and last block is copied in and out. Outputs that are not streamed
// and not in a core's cache are read before they are written, in runs that the machine does not foresee.
constexpr double kCopiedSample = 5e-11, kMissedOutput = 1.5e-10;
// The same of complex samples, of every block: split into their parts, and joined again.
constexpr double kSplitSample = 8e-11;

/// The costs and limits that tell the two methods apart. A block of complex samples is one of twice as many real ones.
struct Costs {
  std::int64_t (*largest)(Type compute);  // block, of real samples
  bool thirds;                            // sizes half way between powers of two, beyond the cache
  double (*block)(std::int64_t size, Type compute, bool cached);  // seconds for one, on one thread
};

struct Choice {
  Cut cut;
  std::int64_t blocks = 0;                                   // of all rows
  double seconds = std::numeric_limits<double>::infinity();  // of all blocks, on one thread
  double row = std::numeric_limits<double>::infinity();      // of one row, whatever the batch
};

// The cut follows the row and not the batch, so that a row's bits do not depend on that.
template <class C>
Choice choose(Work const& w, Costs const& costs) {
  constexpr Type compute = type_of<C>;
  const int parts = parts_of(w.result_type);
  const std::int64_t largest = costs.largest(compute) / parts;
  if (w.axis.filter > largest / 2) return {};
  const auto outputs = static_cast<double>(w.axis.outputs), rows = static_cast<double>(w.rows());
  const auto row_seconds = [&](Cut const& cut, bool cached) {
    const std::int64_t blocks = cut.blocks(w.axis.outputs);
    const auto all = static_cast<double>(blocks), ends = static_cast<double>(std::min<std::int64_t>(blocks, 2));
    const double copied = parts == 1 ? ends * kCopiedSample : all * kSplitSample;  // seconds for each of a block
    return all * costs.block(cut.size * parts, compute, cached) +
           static_cast<double>(cut.size) * copied * sizeof(C) / 4;
  };
  const double row_bytes = (static_cast<double>(w.axis.signal) * parts_of(w.signal_type) + outputs * parts) * sizeof(C);
  const bool row_cached = row_bytes <= kCoreCacheBytes;
  const std::int64_t smallest = 2 * RightAngleTransform<C>::smallest() / parts;
  const auto sizes =
      doubling(smallest, largest, costs.thirds ? 2 * RightAngleTransform<C>::largest_in_cache() / parts : 2 * largest);
  const std::int64_t lanes = simd_target().kernels<C>().lanes;
  Cut cut =
      best_cut(sizes, w.axis.filter, w.axis.outputs, lanes, [&](Cut const& c) { return row_seconds(c, row_cached); });
  if (cut.size == 0) return {};
  const auto one_block = [&](std::int64_t size) { return whole_row(size, w.axis, lanes); };
  const auto fits = [&](std::int64_t size) { return w.extension.is_zero() && one_block(size).step > 0; };
  if (const auto size = std::ranges::find_if(sizes, fits); size != sizes.end())
    if (const Cut one = one_block(*size); row_seconds(one, row_cached) < row_seconds(cut, row_cached)) cut = one;
  const bool cached = array_bytes(w) <= kCoreCacheBytes,
             missed = !cached && rows * outputs * parts * sizeof(C) <= kStreamBytes;
  return {cut, saturating_multiply(cut.blocks(w.axis.outputs), w.rows()),
          rows * (row_seconds(cut, cached) + (missed ? outputs * parts * kMissedOutput * sizeof(C) / 4 : 0)) +
              converting_seconds(w, compute),
          row_seconds(cut, row_cached)};
}

std::string integers_are_exact(Work const&) { return "integers are exact, which a floating-point transform is not"; }

struct Offered {
  Choice choice;
  bool exchanged = false;
};

// Where the filter is the longer operand, it is cut into blocks if that takes less time: every run then has to prepare
// the signals as well.
Offered offered(Work const& w, Costs const& costs) {
  return visit_floating(w.compute_type(), [&]<class C>(std::type_identity<C>) -> Offered {
    const Choice kept = choose<C>(w, costs);
    if (!w.swapped()) return {kept};
    Choice cut_filter = choose<C>(exchanged(w), costs);
    if (cut_filter.cut.size == 0) return {kept};
    const double preparing = costs.block(cut_filter.cut.size * parts_of(w.result_type), type_of<C>, false) / 2;
    cut_filter.seconds += static_cast<double>(w.loops.signals()) * preparing;
    return cut_filter.row + preparing < kept.row ? Offered{cut_filter, true} : Offered{kept};
  });
}

Answer answer(Offered const& o, double seconds, int threads) {
  return {.seconds = seconds,
          .parameters = {.threads = threads,
                         .blocks = Parameters::Blocks::on_cpu,
                         .cut = o.choice.cut,
                         .exchanged = o.exchanged},
          .make = make};
}

bool in_cache(Type compute, std::int64_t size) {  // of real samples
  return visit_floating(compute,
                        [&]<class C>(std::type_identity<C>) { return RightAngleTransform<C>::block_in_cache(size); });
}

// ---- overlap-save ------------------------------------------------------------------------------------------------
std::int64_t largest_in_cache(Type compute) {
  return visit_floating(compute,
                        []<class C>(std::type_identity<C>) { return 2 * RightAngleTransform<C>::largest_in_cache(); });
}

// Measured, float32: what a block costs besides its points, and a complex point of a block of up to 8 KiB of samples,
// of 16 KiB, and so on to 512 KiB; what it costs more where samples come and go, which was measured with AVX-512 alone.
double cached_block_seconds(std::int64_t size, Type compute, bool cached) {
  using Points = std::array<double, 7>;
  constexpr double kBlock = 4e-8;
  constexpr ByWidth<Points> kPoint{
      .narrow = {2.3e-9, 2.7e-9, 2.95e-9, 3.1e-9, 3.45e-9, 3.7e-9, 4e-9},
      .medium = {1.2e-9, 1.28e-9, 1.36e-9, 1.5e-9, 1.56e-9, 1.85e-9, 2.1e-9},
      .wide = {6.3e-10, 7.2e-10, 9e-10, 1.15e-9, 1.25e-9, 1.4e-9, 2e-9},
  };
  constexpr Points kMissed{3.2e-10, 3e-10, 2.2e-10, 1e-10, 2e-11, 3e-11, 0};
  const auto bytes = static_cast<std::uint64_t>(size) * size_of(compute);
  const auto row = static_cast<std::size_t>(std::clamp(static_cast<int>(std::bit_width(bytes)) - 14, 0, 6));
  const double point = kPoint.here()[row] + (cached ? 0 : kMissed[row]);
  return kBlock + static_cast<double>(size) / 2 * point * (compute == Type::float64 ? kDouble.here() : 1);
}

std::string longer_than_cache(Work const& w) {
  return "the filter is longer than " +
         std::to_string(largest_in_cache(w.compute_type()) / parts_of(w.result_type) / 2) +
         " taps, half a block that fits into the cache";
}

double image_block_seconds(std::int64_t size, Type compute);

Answer consider_overlap_save(Work const& w, Resources const& r) {
  if (w.compute_type() == Type::uint64) return {.refusal = integers_are_exact};
  if (w.has_lines()) return consider_image_blocks(w, r, image_block_seconds);
  const Offered o = offered(w, {largest_in_cache, false, cached_block_seconds});
  if (o.choice.cut.size == 0) return {.refusal = longer_than_cache};
  const int threads = useful_threads(o.choice.seconds, o.choice.blocks, r.threads);
  return answer(o, parallel_seconds(o.choice.seconds, threads), threads);
}

// ---- fft ---------------------------------------------------------------------------------------------------------
std::int64_t largest_of_any(Type) { return std::int64_t{1} << 40; }  // far beyond memory; keeps sizes from overflowing

// Measured, float32, one thread, padding and copying included: what a complex point costs for each level of a transform
// of up to so many bytes of samples, the last one of any.
double any_block_seconds(std::int64_t size, Type compute, bool) {
  struct PointLevel {
    std::int64_t bytes;
    ByWidth<double> seconds;
  };
  constexpr PointLevel kPointLevels[] = {{256 << 10, {3.6e-10, 1.8e-10, 1.12e-10}},
                                         {4 << 20, {4.3e-10, 2.1e-10, 1.5e-10}},
                                         {16 << 20, {5e-10, 2.6e-10, 2e-10}},
                                         {INT64_MAX, {8e-10, 4.5e-10, 3.8e-10}}};
  constexpr double kBlock = 1e-7;
  const double points = static_cast<double>(size) / 2;
  const std::int64_t bytes = saturating_multiply(size, static_cast<std::int64_t>(size_of(compute)));
  const double level =
      std::ranges::find_if(kPointLevels, [&](PointLevel const& p) { return bytes <= p.bytes; })->seconds.here();
  return kBlock + points * std::log2(points) * level * (compute == Type::float64 ? kDouble.here() : 1);
}

// Blocks of two dimensions, in the cache or not. Measured, float32: what moving a sample in and out adds, where it is
// not part of the block's time.
constexpr double kMovedSample = 4.5e-10, kMovedBeyondCache = 1e-10;
double image_block_seconds(std::int64_t size, Type compute) {
  const double samples = static_cast<double>(size) * static_cast<double>(size_of(compute)) / 4;
  if (in_cache(compute, size)) return cached_block_seconds(size, compute, true) + samples * kMovedSample;
  return any_block_seconds(size, compute, false) + samples * kMovedBeyondCache;
}

std::string longer_than_any(Work const&) { return "the filter is longer than 2^39 taps"; }

constexpr double kShare = 0.75;  // of the threads' work that is not waiting for memory

Answer consider_fft(Work const& w, Resources const& r) {
  if (w.compute_type() == Type::uint64) return {.refusal = integers_are_exact};
  const Offered o = offered(w, {largest_of_any, true, any_block_seconds});
  if (o.choice.cut.size == 0) return {.refusal = longer_than_any};
  // Blocks in the cache are pieces of work by themselves, larger ones are split finely.
  const std::int64_t pieces =
      in_cache(w.compute_type(), o.choice.cut.size * parts_of(w.result_type)) ? o.choice.blocks : o.choice.cut.size;
  const int threads = useful_threads(o.choice.seconds, pieces, r.threads);
  const double share = threads == 1 ? 1 : kShare;
  return answer(o,
                parallel_seconds(o.choice.seconds / share, useful_threads(o.choice.seconds / share, pieces, threads)),
                threads);
}

}  // namespace

const Solver cpu_overlap_save{.device = Device::cpu,
                              .method = Method::overlap_save,
                              .automatic = true,
                              .answer = consider_overlap_save,
                              .takes_lines = true};
const Solver cpu_fft{.device = Device::cpu, .method = Method::fft, .automatic = true, .answer = consider_fft};

}  // namespace gpuconv::detail

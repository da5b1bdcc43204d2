// Overlap-save over blocks of one right-angle transform, for the solvers overlap_save and fft.
#pragma once

#include "aligned.hpp"
#include "convert.hpp"
#include "cost.hpp"
#include "transform_tables.hpp"

#include "../problem.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace gpuconv::detail {

/// How a row is cut: blocks of `size` samples, each giving `step` outputs after the first `drop`, which wrap.
struct BlockShape {
  std::int64_t size, drop, step;

  static BlockShape of(std::int64_t size, std::int64_t taps, std::int64_t lanes) {
    const std::int64_t drop = (taps - 1 + lanes - 1) / lanes * lanes;
    return {size, drop, size - drop};
  }
  std::int64_t blocks(std::int64_t outputs) const { return (outputs + step - 1) / step; }
};

/// Results of more bytes are written around the cache.
inline constexpr std::int64_t kStreamBytes = std::int64_t{4} << 20;

// Measured, per float32: a sample of a row's first and last block is copied in and out. Outputs that are not streamed
// and not in a core's cache are read before they are written, in runs that the machine does not foresee.
inline constexpr double kCopiedSample = 5e-11, kMissedOutput = 1.5e-10;

/// The block size whose blocks cost least in all, and what they cost one thread.
struct BlockChoice {
  std::int64_t size, blocks;  // blocks: of all rows
  double seconds;
};

/// `block_seconds(size, cached)`: of one block. Sizes from the smallest transform to `largest`; 0 if none holds the
/// filter. The size follows the row and not the batch, so that a row's bits do not depend on that.
template <class C, class Cost>
BlockChoice choose_block(Geometry const& g, std::int64_t largest, Cost block_seconds) {
  const std::int64_t lanes = simd_target().kernels<C>().lanes;
  const double outputs = static_cast<double>(g.length);
  const auto row_seconds = [&](std::int64_t size, std::int64_t blocks, bool cached) {
    const double copied = static_cast<double>(std::min<std::int64_t>(blocks, 2) * size);
    return static_cast<double>(blocks) * block_seconds(size, cached) + copied * kCopiedSample * sizeof(C) / 4;
  };
  const bool row_cached = (static_cast<double>(g.signal) + outputs) * sizeof(C) <= kCoreCacheBytes;
  std::int64_t best = 0, best_blocks = 0;
  double least = 0;
  for (std::int64_t size = 2 * RightAngleTransform<C>::smallest(); size <= largest; size *= 2) {
    const BlockShape shape = BlockShape::of(size, g.filter, lanes);
    if (shape.step <= 0) continue;
    const std::int64_t blocks = shape.blocks(g.length);
    const double seconds = row_seconds(size, blocks, row_cached);
    if (!best || seconds < least) best = size, best_blocks = blocks, least = seconds;
    if (blocks == 1) break;  // larger ones only cost more
  }
  const double batch = static_cast<double>(g.batch);
  const bool cached = g.bytes <= kCoreCacheBytes, missed = !cached && batch * outputs * sizeof(C) <= kStreamBytes;
  const double seconds =
      row_seconds(best, best_blocks, cached) + (missed ? outputs * kMissedOutput * sizeof(C) / 4 : 0);
  return {best, saturating_multiply(best_blocks, g.batch), batch * seconds};
}

/// Calls `f(std::type_identity<C>{})` with the floating type that solvers of blocks compute in.
template <class F>
decltype(auto) visit_floating(Type compute, F&& f) {
  if (compute == Type::float32) return f(std::type_identity<float>{});
  return f(std::type_identity<double>{});
}

/// Convolves blocks of rows with prepared filters.
///
/// NaN and infinity stay local. A block whose outputs are not all finite is computed again: without its non-finite
/// samples and scaled to at most 1, so that nothing overflows on the way; an output too close to overflow to tell is
/// summed directly, NaNs are spread over the windows that hold them, and the products of infinite samples are added.
/// Costs when all is finite: one addition an output vector. Otherwise a second transform of the block, and for
/// each infinite sample (not for NaNs) a pass over the filter by one thread.
template <class C>
class BlockFilter {
 public:
  /// Prepares the workspace of `slots` threads. Throws std::bad_alloc, OutOfMemory.
  BlockFilter(Geometry const& g, std::int64_t block_size, int slots);

  /// Throws std::bad_alloc.
  void set_filter(Source<C> const& filters, int threads);

  std::int64_t blocks() const { return shape_.blocks(g_.length); }
  BlockShape const& shape() const { return shape_; }
  std::size_t bytes() const;

  /// Block `b` of `row`, in the workspace of `slot`, by `threads` threads. Never throws.
  void run(Source<C> const& signal, Sink<C> const& out, std::int64_t row, std::int64_t b, int slot, int threads);

 private:
  struct Filter {
    int exponent = 0;                      // the spectrum is that of the filter times 2^-exponent
    double norm = 0;                       // of the filter so scaled
    std::vector<std::int64_t> not_finite;  // taps, left out of the spectrum
  };
  struct Workspace {
    AlignedBuffer<C> work, in, out;
  };

  void prepare(std::int64_t f, int slot, int threads);
  bool streams_to(const C* out) const;
  void repair(Source<C> const& signal, std::int64_t row, std::int64_t first, std::int64_t count, Workspace& w,
              int threads);
  void add_not_finite(std::int64_t row, std::int64_t first, std::int64_t count, Workspace& w) const;

  Geometry g_;
  BlockShape shape_;
  std::shared_ptr<const RightAngleTransform<C>> transform_;
  AlignedBuffer<C> taps_, spectra_;
  std::vector<Filter> filters_;
  std::vector<Workspace> workspaces_;
  bool stream_;
};

}  // namespace gpuconv::detail

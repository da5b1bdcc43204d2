// What host code may ask of the device: plain functions that enqueue a kernel and return the launch's own error. They
// check nothing, allocate nothing and do not wait.
#pragma once

#include "fused_shapes.hpp"

#include "core/access.hpp"
#include "core/cut.hpp"

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

namespace gpuconv::kernels {

using detail::Cut;
using detail::Input;
using detail::Loops;
using detail::Output;
using detail::Part;
using detail::Tile;

/// What a launch reads and writes, in device memory, and the part of the work that it does.
struct Operands {
  Input signal;
  Output out;
  Loops loops;
  Part part;
};

/// The filters of an executor, in device memory: one after the other, in the type that is computed in.
struct Filters {
  void* taps;                   // [count][columns]
  void* spectra;                // [count][...] complex, as the method lays them out
  unsigned long long* largest;  // [count]: the largest finite magnitude, as the bits of a double
  std::int64_t count, columns;
};

/// Converts `count` filters, filter f at f * filter.outer, and finds their largest magnitudes where there is room for
/// them; `largest` starts as 0.
cudaError_t convert_filters(Input const& filter, std::int64_t count, Filters const& filters, Type compute, int grid,
                            cudaStream_t stream);

// ---- direct ------------------------------------------------------------------------------------------------------

/// out[r][o] = sum over j of signal[r][first + o - j] * taps[f(r)][j], over the samples that exist.
struct Direct {
  Operands operands;
  void const* taps;  // [filters][taps_count], in the type that is computed in
  std::int64_t taps_count;
};

/// Outputs per lane where rows are long, and where they are short. Odd multiples of a 16-byte access: a warp's lanes
/// read their windows from shared memory without bank conflicts.
constexpr int direct_outputs(std::size_t element_bytes) { return 5 * 16 / static_cast<int>(element_bytes); }
constexpr int direct_few_outputs(std::size_t element_bytes) { return 16 / static_cast<int>(element_bytes); }
inline constexpr int kDirectThreads = 128;  // per block

/// Taps in shared memory at a time: 2 KiB.
constexpr int direct_taps(std::size_t element_bytes) { return 2048 / static_cast<int>(element_bytes); }
/// Elements of shared memory for those of a filter, wherever in an access they start.
constexpr int direct_room(std::int64_t taps, std::size_t element_bytes) {
  const int pack = 16 / static_cast<int>(element_bytes), most = direct_taps(element_bytes);
  return (static_cast<int>(taps < most ? taps : most) + 2 * (pack - 1)) / pack * pack;
}
/// Elements of shared memory for the totals of a tile and their errors, where the sums of a filter have several pieces
/// (core/long_sum.hpp). Integers need none.
constexpr int direct_totals(Tile tile, std::int64_t taps, Type compute) {
  return is_floating(compute) && taps > direct_taps(size_of(compute)) ? 2 * tile.width() : 0;
}
/// Elements from group to group: a tile, the samples before it, the taps and the totals, in whole 128 bytes apart from
/// the tile: groups must not meet in a bank either.
constexpr int direct_pitch(Tile tile, std::int64_t taps, Type compute) {
  const std::size_t bytes = size_of(compute);
  const int line = 128 / static_cast<int>(bytes);
  const int beside = 2 * direct_room(taps, bytes) + direct_totals(tile, taps, compute);
  return tile.width() + (beside + line - 1) / line * line;
}
/// Bytes of shared memory per block. More than 48 KiB cannot be launched.
constexpr std::size_t direct_shared_bytes(Tile tile, std::int64_t taps, Type compute) {
  return size_of(compute) * static_cast<std::size_t>(kDirectThreads / 32 * tile.groups) *
         static_cast<std::size_t>(direct_pitch(tile, taps, compute));
}

/// `compute`: float32, float64 or uint64, what products and sums are computed in. `blocks`: of the grid, at most.
cudaError_t direct(Direct const& problem, Type compute, Tile tile, std::int64_t blocks, cudaStream_t stream);

// ---- convolution by blocks and cuFFT -----------------------------------------------------------------------------

/// Blocks [begin, begin + count) of a part's rows in slots [0, slots) of the work array; block b is block b %
/// row_blocks of row b / row_blocks. Slots from `count` on are zero.
struct Chunk {
  std::int64_t begin, count, slots;
};

/// Everything the kernels between the transforms work on.
struct BlockWork {
  Operands operands;
  Filters filters;
  Cut cut;
  std::int64_t pitch;       // elements from slot to slot of the work array: a real transform in place needs size + 2
  std::int64_t row_blocks;  // per row
  Chunk chunk;
  void* slots;       // the work array
  unsigned* marks;   // one per slot
  bool sets_filter;  // the signal is the filters' taps, to be scaled to magnitudes up to 1
  Type compute;      // float32 or float64
  int grid;          // blocks of threads to launch at most: the kernels loop over what is left
};

/// Blocks of the signal into the slots, zero outside the row; clears the marks.
cudaError_t gather_blocks(BlockWork const& work, cudaStream_t stream);
/// The slots' spectra, those of filters from chunk.begin on, divided by the transform's size.
cudaError_t keep_spectra(BlockWork const& work, cudaStream_t stream);
/// Multiplies the slots' spectra by those of their rows' filters.
cudaError_t multiply_spectra(BlockWork const& work, cudaStream_t stream);
/// The slots' outputs to their places; marks slots with an output that is not finite or close to overflow.
cudaError_t store_blocks(BlockWork const& work, cudaStream_t stream);
/// Computes the outputs of marked slots again as direct sums; returns at once where none is marked.
cudaError_t repair_blocks(BlockWork const& work, cudaStream_t stream);

// ---- overlap-save in one kernel ----------------------------------------------------------------------------------

/// Outputs of rows by blocks of the size of a FusedShape, cut as `Cut` says.
struct Fused {
  Operands operands;
  Filters filters;              // spectra: as the kernel lays them out, a shape's `points` each
  void const* tables;           // of the shape
  unsigned blocks, row_blocks;  // of all rows, at most kMostFusedBlocks; per row
  int step, skip;               // of the cut
  bool sets_filter;             // the signal is the filters' taps, and what comes out their spectra
};

/// Blocks per launch: the grid has a group of threads for each.
inline constexpr std::int64_t kMostFusedBlocks = std::int64_t{1} << 30;

/// Lets the current device run blocks of `shape`: once before the first.
cudaError_t prepare_fused(Type compute, FusedShape const& shape);
/// `shape` is one of fused_shapes(compute).
cudaError_t fused(Fused const& problem, Type compute, FusedShape const& shape, cudaStream_t stream);

/// cudaSuccess where this build holds code that the current device can run.
cudaError_t check_code();

}  // namespace gpuconv::kernels

// What host code may ask of the device: plain functions that enqueue a kernel and return the launch's own error. They
// check nothing, allocate nothing and do not wait.
#pragma once

#include "fused_shapes.hpp"

#include <gpuconv/types.hpp>

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

namespace gpuconv::kernels {

/// Rows of device memory of any element type. `stride` may be 0: the same row for all.
struct Input {
  void const* data;
  Type type;
  std::int64_t stride;   // elements from row to row
  std::int64_t columns;  // elements a row
};
struct Output {
  void* data;
  Type type;
  std::int64_t stride;
};

// ---- direct ------------------------------------------------------------------------------------------------------

/// out[r][o] = sum over j of data[r][first + o - j] * taps[r][j], over the samples that exist.
struct Direct {
  Input data, taps;
  Output out;
  std::int64_t rows, first, length;  // length: outputs a row
};

/// How the outputs are shared out: groups of a warp's lanes take a tile of a row each, every lane a run of outputs.
struct DirectShape {
  int outputs;  // a lane: direct_outputs or direct_few_outputs
  int lanes;    // a group
  int groups;   // a warp: groups * lanes is at most 32
};

/// Outputs a lane where rows are long, and where they are short. Odd multiples of a 16-byte access: a warp's lanes
/// read their windows from shared memory without bank conflicts.
constexpr int direct_outputs(std::size_t element_bytes) { return 5 * 16 / static_cast<int>(element_bytes); }
constexpr int direct_few_outputs(std::size_t element_bytes) { return 16 / static_cast<int>(element_bytes); }
inline constexpr int kDirectThreads = 128;  // a block

/// Taps in shared memory at a time: 2 KiB.
constexpr int direct_taps(std::size_t element_bytes) { return 2048 / static_cast<int>(element_bytes); }
/// Elements of shared memory for those of a filter, wherever in an access they start.
constexpr int direct_room(std::int64_t taps, std::size_t element_bytes) {
  const int pack = 16 / static_cast<int>(element_bytes), most = direct_taps(element_bytes);
  return (static_cast<int>(taps < most ? taps : most) + 2 * (pack - 1)) / pack * pack;
}
/// Elements from group to group: a tile, the samples before it and the taps, in whole 128 bytes apart from the tile:
/// groups must not meet in a bank either.
constexpr int direct_pitch(DirectShape shape, std::int64_t taps, std::size_t element_bytes) {
  const int line = 128 / static_cast<int>(element_bytes);
  return shape.lanes * shape.outputs + (2 * direct_room(taps, element_bytes) + line - 1) / line * line;
}
/// Bytes of shared memory a block. More than 48 KiB cannot be launched.
constexpr std::size_t direct_shared_bytes(DirectShape shape, std::int64_t taps, std::size_t element_bytes) {
  return element_bytes * static_cast<std::size_t>(kDirectThreads / 32 * shape.groups) *
         static_cast<std::size_t>(direct_pitch(shape, taps, element_bytes));
}

/// `compute`: float32, float64 or uint64, what products and sums are computed in. `blocks`: of the grid, at most.
cudaError_t direct(Direct const& problem, Type compute, DirectShape shape, std::int64_t blocks, cudaStream_t stream);

// ---- convolution by blocks and cuFFT -----------------------------------------------------------------------------

/// A row's outputs, cut into blocks: block b starts at sample `start` + b * `step` of the row, and its points
/// [skip, skip + step) become the outputs from b * `step` on.
struct Blocks {
  std::int64_t size;   // points of a transform
  std::int64_t pitch;  // elements from slot to slot of the work array: a real transform in place needs size + 2
  std::int64_t start, step, skip;
  std::int64_t row_blocks;  // of a row
  std::int64_t length;      // outputs of a row
};

/// Blocks [begin, begin + count) of a batch in slots [0, slots) of the work array; block b is block b % row_blocks of
/// row b / row_blocks. Slots from `count` on are zero.
struct Chunk {
  std::int64_t begin, count, slots;
};

/// The filters of a plan, in device memory.
struct Filters {
  void* taps;                   // [count][columns], converted
  void* spectra;                // [count][...] complex, as the method lays them out
  unsigned long long* largest;  // [count]: the largest finite magnitude, as the bits of a double
  std::int64_t count, columns;
  std::int64_t per_row;    // 1 where every row has its own filter, else 0
  std::int64_t first_row;  // of the batch: the row that row 0 of the signal is
};

/// Everything the kernels between the transforms work on.
struct BlockWork {
  Filters filters;
  Blocks blocks;
  Chunk chunk;
  void* slots;      // the work array
  unsigned* marks;  // a slot's
  Type compute;     // float32 or float64
  int grid;         // blocks of threads to launch at most: the kernels loop over what is left
};

/// Converts the filters and finds their largest magnitudes; `largest` starts as 0.
cudaError_t convert_filters(Input filter, Filters const& filters, Type compute, int grid, cudaStream_t stream);
/// Filters [begin, begin + count) of the chunk into the slots, scaled to magnitudes up to 1 and padded with zeros.
cudaError_t pad_filters(BlockWork const& work, cudaStream_t stream);
/// Their spectra, from the slots, divided by the transform's size.
cudaError_t keep_spectra(BlockWork const& work, cudaStream_t stream);

/// Blocks of the signal into the slots, zero outside the row; clears the marks.
cudaError_t gather_blocks(BlockWork const& work, Input signal, cudaStream_t stream);
/// Multiplies the slots' spectra by those of their rows' filters.
cudaError_t multiply_spectra(BlockWork const& work, cudaStream_t stream);
/// The slots' outputs to their places; marks slots with an output that is not finite or close to overflow.
cudaError_t store_blocks(BlockWork const& work, Output out, cudaStream_t stream);
/// Computes the outputs of marked slots again as direct sums; returns at once where none is marked. `first`: of the
/// outputs, within the full convolution.
cudaError_t repair_blocks(BlockWork const& work, Input signal, std::int64_t first, Output out, cudaStream_t stream);

// ---- overlap-save in one kernel ----------------------------------------------------------------------------------

/// Outputs of rows by blocks of the size of a FusedShape: block b starts at sample `start` + b * `step` of the row, and
/// its samples [skip, skip + step) become the outputs from b * `step` on.
struct Fused {
  Input signal;
  Output out;
  Filters filters;                    // spectra: as the kernel lays them out, a shape's `points` each
  void const* tables;                 // of the shape
  std::int64_t start, first, length;  // first: of the outputs, within the full convolution
  unsigned blocks, row_blocks;        // of all rows, at most kMostFusedBlocks; of a row
  int step, skip;
  bool sets_filter;  // the signal is the filters' taps, and what comes out their spectra
};

/// Of a launch: the grid has a group of threads for each.
inline constexpr std::int64_t kMostFusedBlocks = std::int64_t{1} << 30;

/// Lets the current device run blocks of `shape`: once before the first.
cudaError_t prepare_fused(Type compute, FusedShape const& shape);
/// `shape` is one of fused_shapes(compute).
cudaError_t fused(Fused const& problem, Type compute, FusedShape const& shape, cudaStream_t stream);

/// cudaSuccess where this build holds code that the current device can run.
cudaError_t check_code();

}  // namespace gpuconv::kernels

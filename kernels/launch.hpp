// What host code may ask of the device: plain functions that enqueue a kernel and return the launch's own error. They
// check nothing, allocate nothing and do not wait.
#pragma once

#include "fused_shapes.hpp"

#include "core/cut.hpp"
#include "core/long_sum.hpp"
#include "core/parts.hpp"

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

namespace gpuconv::kernels {

using detail::Cut;
using detail::Extension;
using detail::Input;
using detail::Loops;
using detail::Output;
using detail::Part;
using detail::Tile;

/// The arrays that a launch reads and writes, in device memory, and the part of the work that it does. Complex elements
/// as their real parts, each of which says where its imaginary part is (in_parts).
struct Operands {
  Input signal;
  Output out;
  Loops loops;
  Part part;

  /// Of a sample, and of an output.
  constexpr int signal_parts() const { return signal.imaginary == 0 ? 1 : 2; }
  constexpr int out_parts() const { return out.imaginary == 0 ? 1 : 2; }
};

/// Of a filter's taps, of both parts where they are complex.
struct Magnitudes {
  unsigned long long largest;     // finite one, as the bits of a double
  unsigned long long not_finite;  // 1 where a tap is infinite or NaN
};

/// The filters of an executor, in device memory: one after the other, in the type that is computed in.
struct Filters {
  void* taps;              // [count][parts][lines][columns]
  void* spectra;           // [count][...] complex, as the method lays them out
  Magnitudes* magnitudes;  // [count], or null where the method does not ask
  void* facts;             // [count], two numbers of the type that is computed in, for the method's kernels
  std::int64_t count, columns;
  int parts;  // of a tap
  std::int64_t lines = 1;
};

/// Converts `count` filters, filter f at f * filter.outer, conjugates them where that is asked for, and finds their
/// magnitudes where there is room for them, which starts as 0.
cudaError_t convert_filters(Input const& filter, std::int64_t count, Filters const& filters, Type compute, int grid,
                            cudaStream_t stream);
/// Loads its kernel on the current device, as the other functions `load_...` do theirs: once before a launch within a
/// capture.
cudaError_t load_convert_filters(Type compute);

// ---- direct ------------------------------------------------------------------------------------------------------

/// out[r][o] = sum over j of signal[r][first + o - j] * taps[f(r)][j], over the samples that exist. Each part of a
/// complex output is a sum of its own, of one or two terms (core/parts.hpp).
struct Direct {
  Operands operands;
  void const* taps;  // [filters][filter_parts][taps_count], in the type that is computed in
  std::int64_t taps_count;
  int signal_parts, filter_parts;

  /// Of an output, and of each of them.
  constexpr int parts() const { return signal_parts > filter_parts ? signal_parts : filter_parts; }
  constexpr int terms() const { return signal_parts < filter_parts ? signal_parts : filter_parts; }
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
/// Elements of shared memory for the totals of a tile and their errors, where the sums of `terms` times a filter's taps
/// have several pieces (core/long_sum.hpp). Integers need none.
constexpr int direct_totals(Tile tile, std::int64_t taps, int terms, Type compute) {
  return is_floating(compute) && terms * taps > direct_taps(size_of(compute)) ? 2 * tile.width() : 0;
}
/// Elements from group to group: a tile, the samples before it, the taps and the totals, in whole 128 bytes apart from
/// the tile: groups must not meet in a bank either.
constexpr int direct_pitch(Tile tile, std::int64_t taps, int terms, Type compute) {
  const std::size_t bytes = size_of(compute);
  const int line = 128 / static_cast<int>(bytes);
  const int beside = 2 * direct_room(taps, bytes) + direct_totals(tile, taps, terms, compute);
  return tile.width() + (beside + line - 1) / line * line;
}
/// Bytes of shared memory per block. More than 48 KiB cannot be launched.
constexpr std::size_t direct_shared_bytes(Tile tile, std::int64_t taps, int terms, Type compute) {
  return size_of(compute) * static_cast<std::size_t>(kDirectThreads / 32 * tile.groups) *
         static_cast<std::size_t>(direct_pitch(tile, taps, terms, compute));
}

/// `compute`: float32, float64 or uint64, what products and sums are computed in. `blocks`: of the grid, at most.
cudaError_t direct(Direct const& problem, Type compute, Tile tile, std::int64_t blocks, cudaStream_t stream);
cudaError_t load_direct(Type compute, Tile tile);

// ---- dot products ------------------------------------------------------------------------------------------------

/// Products of an output that a warp adds up: a piece.
inline constexpr std::int64_t kDotPiece = 1024;
inline constexpr int kDotOutputs = 4;    // of a warp
inline constexpr int kDotThreads = 128;  // per block
constexpr std::int64_t dot_pieces(std::int64_t products) { return (products + kDotPiece - 1) / kDotPiece; }

/// The same sums as Direct's, for rows of few outputs and many taps: pieces along the shorter operand, and a second
/// launch that adds them up, where there are several.
struct Dot {
  Operands operands;
  void const* taps;  // [filters][filter_parts][taps_count], in the type that is computed in
  std::int64_t taps_count;
  int signal_parts, filter_parts;
  std::int64_t step;  // between outputs
  bool swapped;       // the samples are fewer, and all there
  void* partial;      // [rows][outputs][parts][pieces], where there are several pieces

  constexpr int parts() const { return signal_parts > filter_parts ? signal_parts : filter_parts; }
  constexpr std::int64_t products() const { return swapped ? operands.part.samples : taps_count; }
  /// Of a term, and of all terms of an output's part.
  constexpr std::int64_t term_pieces() const { return dot_pieces(products()); }
  constexpr std::int64_t pieces() const {
    return detail::term_count(signal_parts > 1, filter_parts > 1) * term_pieces();
  }
};

cudaError_t load_dot(Type compute);
/// `blocks`: of the grid, at most. A row's outputs times its pieces are fewer than 2^31.
cudaError_t dot(Dot const& problem, Type compute, std::int64_t blocks, cudaStream_t stream);

// ---- images ------------------------------------------------------------------------------------------------------

/// The result of a look at the samples of a block.
struct SlotFacts {
  static constexpr int bias = 2048;  // so that 0 stands for only zeros
  int exponent;                      // of a power of two above the largest finite sample, and the bias
  unsigned kinds;                    // of samples that are not finite
};

/// Blocks of images that are to be summed, for they were left out: those with samples that are not finite, and all of
/// an image whose filter has such taps. Block b of the part's image r is block r * across * down + b.
struct MarkedBlocks {
  SlotFacts const* facts = nullptr;        // of each block; null: all that there is is summed
  Magnitudes const* magnitudes = nullptr;  // of each filter
  std::int64_t columns = 1, lines = 1;     // of a block's outputs
  std::int64_t across = 1, down = 1;       // blocks of an image; 0: all images have the same one
};

/// out[r][p][o] = sum over k, j of signal[r][first_line + p - k][first + o - j] * taps[f(r)][k][j], over the samples
/// that exist. Complex as Direct's.
struct Image {
  Operands operands;  // whose part is of the columns
  void const* taps;   // [filters][filter_parts][filter_lines][taps_count], in the type that is computed in
  std::int64_t filter_lines, taps_count;
  int signal_parts, filter_parts;
  std::int64_t signal_lines, first_line;
  std::int64_t output_lines, line_step;  // line p is kept, as line p / line_step, where that leaves no rest
  MarkedBlocks marked = {};

  constexpr int parts() const { return signal_parts > filter_parts ? signal_parts : filter_parts; }
  constexpr int terms() const { return signal_parts < filter_parts ? signal_parts : filter_parts; }
};

inline constexpr int kImageThreads = 128;  // per block
inline constexpr int kImageLines = 8;      // of outputs, of a warp
inline constexpr int kImageTileLines = kImageLines * kImageThreads / 32;
inline constexpr int kImagePieceLines = 16, kImagePieceTaps = 32;  // at most

/// The pieces that a filter is cut into: all about as large.
struct ImagePieces {
  int lines, columns;

  static constexpr ImagePieces of(std::int64_t filter_lines, std::int64_t taps) {
    const auto each = [](std::int64_t all, std::int64_t most) {
      const std::int64_t pieces = (all + most - 1) / most;
      return static_cast<int>((all + pieces - 1) / pieces);
    };
    return {each(filter_lines, kImagePieceLines), each(taps, kImagePieceTaps)};
  }
  /// The first line, and tap, of the last piece.
  constexpr std::int64_t last_line(Image const& image) const { return (image.filter_lines - 1) / lines * lines; }
  constexpr std::int64_t last_tap(Image const& image) const { return (image.taps_count - 1) / columns * columns; }

  /// Bytes of shared memory per block: a tile with the samples around it, and the taps of a piece. At most 48 KiB.
  constexpr std::size_t shared_bytes(std::size_t element_bytes) const {
    const int pack = 16 / static_cast<int>(element_bytes), taps = (columns + pack - 1) / pack * pack;
    const int elements = (kImageTileLines + lines - 1) * (32 * pack + taps) + lines * taps;
    return element_bytes * static_cast<std::size_t>(elements);
  }
};
static_assert(ImagePieces{kImagePieceLines, kImagePieceTaps}.shared_bytes(8) <= 48 << 10);
static_assert(kImagePieceLines * kImagePieceTaps == detail::kSumPiece);

/// `compute`: float32, float64 or uint64. `blocks`: of the grid, at most.
cudaError_t image(Image const& image, Type compute, std::int64_t blocks, cudaStream_t stream);
cudaError_t load_image(Type compute);

// ---- convolution by blocks and cuFFT -----------------------------------------------------------------------------

/// Blocks [begin, begin + count) of a part's rows in slots [0, slots) of the work array; block b is block b %
/// row_blocks of row b / row_blocks. Slots from `count` on are zero.
struct Chunk {
  std::int64_t begin, count, slots;
};

/// Words of 8 bytes that a repair needs of a slot itself, and beside it, for blocks of `size` samples and `taps` taps
/// of so many parts: see BlockSets in not_finite.cuh.
std::int64_t repair_words(std::int64_t size, std::int64_t taps, int signal_parts, int filter_parts);
std::int64_t repair_levels(std::int64_t size, std::int64_t taps, int signal_parts, int filter_parts);

/// Everything the kernels between the transforms work on.
struct BlockWork {
  Operands operands;
  Filters filters;
  Cut cut;
  std::int64_t pitch;       // numbers from slot to slot of the work array: a real transform in place needs size + 2
  std::int64_t row_blocks;  // per row
  Chunk chunk;
  void* slots;       // the work array
  SlotFacts* facts;  // one per slot
  void* levels;      // repair_levels() words per slot
  bool sets_filter;  // the signal is the filters' taps, to be scaled to magnitudes up to 1
  bool complex;      // the signal is, or the filters are: slots hold complex samples
  Type compute;      // float32 or float64
  int grid;          // blocks of threads to launch at most: the kernels loop over what is left

  /// Complex points of a slot's spectrum, and numbers of its samples.
  constexpr std::int64_t bins() const { return complex ? cut.size : cut.size / 2 + 1; }
  constexpr std::int64_t numbers() const { return complex ? 2 * cut.size : cut.size; }
};

/// The same for images, whose blocks have two dimensions (core/image_cut.hpp). The cut is of a line of a block: samples
/// [0, skip) are skipped, `step` outputs follow. A filter is an image of its own, of one block.
struct ImageBlockWork : BlockWork {
  std::int64_t line_pitch, block_lines;  // points of a block's line, lines of a block
  std::int64_t skipped_lines;            // of each block, before those of its outputs
  std::int64_t across;                   // blocks side by side
  std::int64_t signal_lines, first_line;
  std::int64_t output_lines, line_step;  // as an Image's

  /// Lines of outputs of a block.
  constexpr std::int64_t step_lines() const { return block_lines - skipped_lines; }
};

/// Finds the facts of the slots' blocks, which start as 0.
cudaError_t measure_blocks(BlockWork const& work, cudaStream_t stream);
cudaError_t measure_blocks(ImageBlockWork const& work, cudaStream_t stream);
/// Blocks of the signal into the slots, zero outside the row and in place of what is not finite, scaled to magnitudes
/// that a transform does not spoil.
cudaError_t gather_blocks(BlockWork const& work, cudaStream_t stream);
cudaError_t gather_blocks(ImageBlockWork const& work, cudaStream_t stream);
/// The slots' spectra, those of filters from chunk.begin on, divided by the transform's size, and the filters' facts.
cudaError_t keep_spectra(BlockWork const& work, cudaStream_t stream);
/// Multiplies the slots' spectra by those of their rows' filters.
cudaError_t multiply_spectra(BlockWork const& work, cudaStream_t stream);
/// The slots' outputs to their places.
cudaError_t store_blocks(BlockWork const& work, cudaStream_t stream);
cudaError_t store_blocks(ImageBlockWork const& work, cudaStream_t stream);
/// Puts what samples and taps that are not finite make of the outputs into their places, by way of the slots' memory:
/// two kernels that return at once where there are none.
cudaError_t repair_blocks(BlockWork const& work, cudaStream_t stream);
/// `compute`: float32 or float64.
cudaError_t load_blocks(Type compute);
cudaError_t load_image_blocks(Type compute);

// ---- overlap-save in one kernel ----------------------------------------------------------------------------------

/// Outputs of rows by blocks of the size of a FusedShape, cut as `Cut` says. Complex data pass through the same
/// transform unfolded: a block has as many samples as the shape has points, and outputs are right from the first one on
/// that all taps have met.
struct Fused {
  Operands operands;
  Filters filters;              // spectra: as the kernel lays them out, a shape's `points` each
  void const* tables;           // of the shape
  unsigned blocks, row_blocks;  // of all rows, at most kMostFusedBlocks; per row
  int step, skip;               // of the cut
  bool sets_filter;             // the signal is the filters' taps, and what comes out their spectra
  bool complex;                 // the signal is, or the filters are
  bool whole_in, whole_out;     // complex elements can be read, or written, as whole points
};

/// Blocks per launch: the grid has a group of threads for each.
inline constexpr std::int64_t kMostFusedBlocks = std::int64_t{1} << 30;

/// Loads the kernel and lets the current device run blocks of `shape`: once before the first.
cudaError_t prepare_fused(Type compute, FusedShape const& shape);
/// `shape` is one of fused_shapes(compute).
cudaError_t fused(Fused const& problem, Type compute, FusedShape const& shape, cudaStream_t stream);

// ---- rows that lie across memory ---------------------------------------------------------------------------------

/// Elements [first, first + columns) of each of some rows, read where they lie and written at 0, 1, ... of as many
/// rows. One of the two lies across memory, the other one along it. Strides are in elements.
struct Transpose {
  void const* from;  // element 0 of row 0 of group 0
  void* to;
  std::int64_t from_row, from_element, to_row, to_element;
  std::int64_t rows, first, columns;
  std::int64_t groups, from_group, to_group;  // of so many rows each, and elements from one to the next
  bool from_across;
  bool beyond;  // some of the elements are beyond the ends of rows of `size` elements, with this extension
  std::int64_t size;
  Extension extension;
  alignas(16) unsigned char constant[16];  // as an element, where the extension has one
};

inline constexpr int kTransposeThreads = 256;  // per block
inline constexpr int kMostTileRows = 32;       // of those that pass through shared memory together

/// `bytes`: of an element, 1, 2, 4, 8 or 16. At most 2^31 tiles of 4 KiB or more.
cudaError_t transpose(Transpose const& t, int bytes, cudaStream_t stream);
cudaError_t load_transpose(int bytes);

/// cudaSuccess where this build holds code that the current device can run.
cudaError_t check_code();

}  // namespace gpuconv::kernels

// Direct convolution of images: tiles of the image in shared memory, a pack of neighbouring outputs in each of several
// lines in the registers of each lane.
//
// A block of threads takes a tile of kImageTileLines lines, of which each warp has kImageLines; each lane has one
// access of 16 bytes of each of them. A line of samples so meets as many lines of taps as a lane has lines of outputs:
// it is loaded once, the taps, which are the same for all lanes, as often.
//
// A filter is cut into pieces of at most kImagePieceLines x kImagePieceTaps taps, the last ones first. Each output adds
// its products in the order of falling taps within a line, of falling lines within a piece, and of falling pieces: its
// bits depend on nothing but its window and the filter. Where a sum has more than kSumPiece products, those of the
// pieces are added to totals (core/long_sum.hpp), in registers.
#pragma once

#include "elements.cuh"

#include "core/long_sum.hpp"
#include "core/parts.hpp"

namespace gpuconv::kernels {

/// How the work of a launch is laid out.
struct ImageTiles {
  ImagePieces pieces;
  std::int64_t across, down, count;  // tiles of an image's outputs, and of all images and parts
  int pitch, taps_pitch;             // elements from line to line in shared memory, of the tile and of the taps
};

/// What a block loads: lines and columns of the tile from [origin_line][origin] of an image on.
struct ImageWindow {
  std::int64_t line, column;
  int lines, columns;
};

/// Part `part` of the samples of a window to shared memory, line by line, each by a warp; what the image's extension
/// has where there are none.
template <class C>
__device__ __forceinline__ void load_window(Image const& image, std::int64_t row, int part, ImageWindow const& w,
                                            bool in_place, int pitch, C* tile) {
  constexpr int warps = kImageThreads / 32;
  Operands const& operands = image.operands;
  Input const& signal = operands.signal;
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  if (in_place) {
    C const* from = row_of<C>(signal, operands.loops, row, part) + (w.line + warp) * signal.line + w.column;
    for (int l = warp; l < w.lines; l += warps, from += warps * signal.line)
#pragma unroll 4
      for (int i = lane; i < w.columns; i += 32) tile[l * pitch + i] = from[i];
    return;
  }
  for (int l = warp; l < w.lines; l += warps)
    load_line<C>(operands, image.signal_lines, row, part, w.line + l, w.column, lane, w.columns, 32,
                 [&](int i, C x) { tile[l * pitch + i] = x; });
}

/// A piece of a filter's taps, `lines` x `columns` of them from `from` on, to shared memory, the last one first;
/// returns whether this thread saw one that is not finite.
template <class C>
__device__ inline bool load_taps(C const* from, std::int64_t line, int lines, int columns, bool minus, int pitch,
                                 C* to) {
  bool not_finite = false;
  for (int i = static_cast<int>(threadIdx.x); i < lines * columns; i += kImageThreads) {
    const int l = i / columns, t = i - l * columns;
    const C tap = from[l * line + t];
    not_finite |= !is_finite(tap);
    to[(lines - 1 - l) * pitch + columns - 1 - t] = minus ? -tap : tap;
  }
  return not_finite;
}

/// The sums of a lane: an access of outputs in each of its lines.
template <class C>
struct ImageSums {
  C of[kImageLines][Pack<C>::size];
};

template <class C>
__device__ __forceinline__ Pack<C> pack_at(C const* at) {
  return *reinterpret_cast<Pack<C> const*>(at);
}

/// Adds the products of up to an access of taps of every line of taps that sample line `i` meets. `window`: the samples
/// of the outputs' first tap and those after it. `kWhole`: there are as many taps as an access has.
template <bool kWhole, class C>
__device__ __forceinline__ void add_products(C const (&window)[2 * Pack<C>::size], C const* taps, int pitch, int i,
                                             int lines, int count, ImageSums<C>& sum) {
  constexpr int pack = Pack<C>::size;
#pragma unroll
  for (int r = 0; r < kImageLines; ++r) {
    const int l = i - r;
    if (l < 0 || l >= lines) continue;
    const Pack<C> h = pack_at(taps + l * pitch);
#pragma unroll
    for (int e = 0; e < pack; ++e)
      if (kWhole || e < count)
#pragma unroll
        for (int c = 0; c < pack; ++c) sum.of[r][c] = multiply_add(window[c + e], h.element[e], sum.of[r][c]);
  }
}

/// Adds the products of a piece of `lines` x `columns` taps. `samples`: of the lane's first output.
template <class C>
__device__ __forceinline__ void add_piece(C const* samples, int pitch, C const* taps, int taps_pitch, int lines,
                                          int columns, ImageSums<C>& sum) {
  constexpr int pack = Pack<C>::size;
#pragma unroll 1
  for (int i = 0; i < kImageLines + lines - 1; ++i, samples += pitch) {
    C window[2 * pack];
    const auto load = [&](int at) {
      const Pack<C> x = pack_at(samples + at);
#pragma unroll
      for (int e = 0; e < pack; ++e) window[pack + e] = x.element[e];
    };
    const auto move_on = [&](int at) {
#pragma unroll
      for (int e = 0; e < pack; ++e) window[e] = window[pack + e];
      load(at);
    };
    load(0);
    int t = 0;
#pragma unroll 1
    for (; t + pack <= columns; t += pack) {
      move_on(t + pack);
      add_products<true, C>(window, taps + t, taps_pitch, i, lines, pack, sum);
    }
    if (t == columns) continue;
    move_on(t + pack);
    add_products<false, C>(window, taps + t, taps_pitch, i, lines, columns - t, sum);
  }
}

/// The same where zero in place of a missing sample would not do, because a tap is not finite: of a lane's samples
/// those exist that lie within [0, signal lines) x [0, samples). `at`: where the lane's first output has its first
/// sample. By value: sums whose address is taken have no registers.
template <class C>
__device__ __attribute__((noinline)) ImageSums<C> add_existing(Image const& image, ImageWindow const& at,
                                                               C const* samples, int pitch, C const* taps,
                                                               int taps_pitch, int lines, int columns,
                                                               ImageSums<C> sum) {
  constexpr int pack = Pack<C>::size;
  const auto exists = [](std::int64_t i, std::int64_t size) { return i >= 0 && i < size; };
  for (int l = 0; l < lines; ++l)
    for (int t = 0; t < columns; ++t)
#pragma unroll
      for (int r = 0; r < kImageLines; ++r)
#pragma unroll
        for (int c = 0; c < pack; ++c)
          if (exists(at.line + r + l, image.signal_lines) && exists(at.column + c + t, image.operands.part.samples))
            sum.of[r][c] = multiply_add(samples[(r + l) * pitch + c + t], taps[l * taps_pitch + t], sum.of[r][c]);
  return sum;
}

/// A warp's outputs, from [line][column] of an image's on, those that exist, or one of their parts, by way of `stage`,
/// so that neighbours store to neighbouring addresses.
template <class C>
__device__ __forceinline__ void store_image(ImageSums<C> const& sum, C* stage, Image const& image, std::int64_t row,
                                            int part, std::int64_t line, std::int64_t column) {
  constexpr int pack = Pack<C>::size, width = 32 * pack;
  Operands const& operands = image.operands;
  Output const& out = operands.out;
  const std::int64_t outputs = operands.part.outputs;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const bool as_is = out.is_array_of<C>();
#pragma unroll
  for (int r = 0; r < kImageLines; ++r) {
    Pack<C> y;
#pragma unroll
    for (int c = 0; c < pack; ++c) y.element[c] = sum.of[r][c];
    *reinterpret_cast<Pack<C>*>(stage + r * width + lane * pack) = y;
  }
  __syncwarp();
  const int lines = static_cast<int>(min(image.output_lines - line, std::int64_t{kImageLines}));
  if (as_is && image.line_step == 1) {
    C* at = row_of<C>(out, operands.loops, row) + line * out.line + column;
    const int count = static_cast<int>(min(outputs - column, std::int64_t{width}));
    C const* from = stage;
#pragma unroll 1
    for (int r = 0; r < lines; ++r, at += out.line, from += width)
#pragma unroll
      for (int i = lane; i < width; i += 32)
        if (i < count) at[i] = from[i];
    return;
  }
#pragma unroll 1
  for (int r = 0; r < lines; ++r) {
    if ((line + r) % image.line_step != 0) continue;
    const Output to = detail::at_line(out, (line + r) / image.line_step);
    C const* const from = stage + r * width;
    if (out.saturation != detail::Saturation::none)
      store_saturated(saturated_row(to, operands.loops, row, outputs), column, lane, width, 32, from);
    else store_row<C>(to, operands.loops, row, part, outputs, column, lane, width, 32, [&](int i) { return from[i]; });
  }
}

/// Whether one of blocks [line, end_line) x [column, end_column) of an image is marked, of which `across` lie side by
/// side.
__device__ __attribute__((noinline)) inline bool has_mark(SlotFacts const* facts, std::int64_t across,
                                                          std::int64_t line, std::int64_t end_line, std::int64_t column,
                                                          std::int64_t end_column) {
  for (std::int64_t l = line; l < end_line; ++l)
    for (std::int64_t c = column; c < end_column; ++c)
      if (facts[l * across + c].kinds != 0) return true;
  return false;
}
/// The same of the blocks that have outputs of a tile, of `width` from [line][column] of an image's on.
__device__ __forceinline__ bool is_marked(Image const& image, std::int64_t row, std::int64_t line, std::int64_t column,
                                          int width) {
  MarkedBlocks const& m = image.marked;
  if (m.magnitudes[image.operands.loops.filter_of(row)].not_finite != 0) return true;
  const std::int64_t last_line = min(line + kImageTileLines, image.output_lines) - 1;
  const std::int64_t last_column = min(column + width, image.operands.part.outputs) - 1;
  return has_mark(m.facts + (row - image.operands.part.row) * m.across * m.down, m.across, line / m.lines,
                  last_line / m.lines + 1, column / m.columns, last_column / m.columns + 1);
}

/// `kTotals`: a sum has so many products that its pieces are added to totals.
template <class C, bool kTotals>
__global__ void __launch_bounds__(kImageThreads, kTotals ? 3 : 4)
    image_kernel(__grid_constant__ const Image image, __grid_constant__ const ImageTiles tiles) {
  Operands const& operands = image.operands;
  constexpr int pack = Pack<C>::size, width = 32 * pack;
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  C* const tile = device::dynamic_shared<C>();
  ImagePieces const& pieces = tiles.pieces;
  C* const taps = tile + (kImageTileLines + pieces.lines - 1) * tiles.pitch;
  const bool from_as_is = operands.signal.is_array_of<C>();
  const bool zeros = operands.signal.extension.is_zero();

  for (std::int64_t i = blockIdx.x; i < tiles.count; i += gridDim.x) {
    // Parts of an output take turns: neighbours so load and store the same places.
    const int part = static_cast<int>(i) & (image.parts() - 1);
    const std::int64_t number = i >> (image.parts() - 1), across = number % tiles.across;
    const std::int64_t down = number / tiles.across % tiles.down;
    const std::int64_t row = operands.part.row + number / tiles.across / tiles.down;
    const std::int64_t column = across * width, line = down * kImageTileLines;  // of the outputs
    if (image.marked.facts && !is_marked(image, row, line, column, width)) continue;
    ImageSums<C> sum = {};
    detail::LongSum<C> total[kTotals ? kImageLines : 1][kTotals ? pack : 1];
    for (int term_number = 0; term_number < image.terms(); ++term_number) {
      const detail::Term term = detail::term_of(image.signal_parts > 1, image.filter_parts > 1, part, term_number == 1);
      const std::int64_t filter = operands.loops.filter_of(row) * image.filter_parts + term.filter;
      C const* const filter_taps = static_cast<C const*>(image.taps) + filter * image.filter_lines * image.taps_count;
      for (std::int64_t l = pieces.last_line(image); l >= 0; l -= pieces.lines)
        for (std::int64_t t = pieces.last_tap(image); t >= 0; t -= pieces.columns) {
          const int lines = static_cast<int>(min(image.filter_lines - l, std::int64_t{pieces.lines}));
          const int columns = static_cast<int>(min(image.taps_count - t, std::int64_t{pieces.columns}));
          const ImageWindow window{.line = image.first_line + line - l - lines + 1,
                                   .column = operands.part.first + column - t - columns + 1,
                                   .lines = kImageTileLines + lines - 1,
                                   .columns = width + ((columns + pack - 1) & -pack)};
          const bool inside = window.line >= 0 && window.line + window.lines <= image.signal_lines &&
                              window.column >= 0 && window.column + window.columns <= operands.part.samples;
          const bool touches = window.line < image.signal_lines && window.line + window.lines > 0 &&
                               window.column < operands.part.samples && window.column + window.columns > 0;
          if (zeros && !touches) continue;
          __syncthreads();  // the piece before is done with
          load_window(image, row, term.signal, window, inside && from_as_is, tiles.pitch, tile);
          const bool not_finite = __syncthreads_or(load_taps(filter_taps + l * image.taps_count + t, image.taps_count,
                                                             lines, columns, term.minus, tiles.taps_pitch, taps)) != 0;
          C const* const samples = tile + warp * kImageLines * tiles.pitch + lane * pack;
          if (not_finite && zeros && !inside)
            sum = add_existing(image, {window.line + warp * kImageLines, window.column + lane * pack, 0, 0}, samples,
                               tiles.pitch, taps, tiles.taps_pitch, lines, columns, sum);
          else add_piece(samples, tiles.pitch, taps, tiles.taps_pitch, lines, columns, sum);
          if constexpr (kTotals)
#pragma unroll
            for (int r = 0; r < kImageLines; ++r)
#pragma unroll
              for (int c = 0; c < pack; ++c) total[r][c].add(sum.of[r][c]), sum.of[r][c] = C(0);
        }
    }
    if constexpr (kTotals)
#pragma unroll
      for (int r = 0; r < kImageLines; ++r)
#pragma unroll
        for (int c = 0; c < pack; ++c) sum.of[r][c] = total[r][c].value();
    __syncthreads();  // the last piece is done with
    store_image<C>(sum, tile + warp * kImageLines * width, image, row, part, line + warp * kImageLines, column);
  }
}

}  // namespace gpuconv::kernels

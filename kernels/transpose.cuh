// Rows that lie across memory, moved to where they lie one behind the other, and back: tiles of them pass through
// shared memory, so that a warp's lanes go along neighbours on one side and along a row on the other.
#pragma once

#include "elements.cuh"

namespace gpuconv::kernels {

/// An element of so many bytes, of which nothing else matters.
template <int kBytes>
using ElementOf = std::conditional_t<
    kBytes == 1, std::uint8_t,
    std::conditional_t<kBytes == 2, std::uint16_t,
                       std::conditional_t<kBytes == 4, std::uint32_t,
                                          std::conditional_t<kBytes == 8, std::uint64_t, Pack<std::uint64_t>>>>>;

/// Some elements of some rows in shared memory: element `column` of row `row` at number column * rows + row, and
/// padding of a word, or of an element where those are longer, behind as much as all banks hold, or behind all rows'
/// elements of a column where those are more. So lanes that go along either side are in different banks.
template <class E>
struct TransposeTile {
  static constexpr int kEach = sizeof(E) >= 8 ? 2 : 16 / static_cast<int>(sizeof(E));  // per thread
  static constexpr int kTogether = kEach < 4 ? kEach : 4;                              // of those, under way
  static constexpr int kElements = kEach * kTransposeThreads;
  static constexpr int kPadding = sizeof(E) >= 4 ? 1 : 4 / static_cast<int>(sizeof(E));
  static constexpr int kBanks = 128 / static_cast<int>(sizeof(E));  // elements that all of them hold
  static constexpr int kRoom = kElements + kElements / kBanks * kPadding;

  struct Place {
    int row, column;
  };

  int rows_log2, columns_log2, pad_log2;

  __device__ static int log2(int n) { return 31 - __clz(n); }
  __device__ explicit TransposeTile(int rows)
      : rows_log2(log2(rows)), columns_log2(log2(kElements) - rows_log2), pad_log2(max(rows_log2, log2(kBanks))) {}

  __device__ int columns() const { return 1 << columns_log2; }
  __device__ int at(Place p) const {
    const int number = (p.column << rows_log2) + p.row;
    return number + (number >> pad_log2) * kPadding;
  }
  /// Element `number` of the tile, in an order that begins with neighbours, or with elements of a row. Both functions
  /// are sums over the bits of the number: a thread's share, and that of the turns, which is the same for all threads.
  __device__ Place place(int number, bool neighbours) const {
    const int bits = neighbours ? rows_log2 : columns_log2, near = number & ((1 << bits) - 1), far = number >> bits;
    return neighbours ? Place{near, far} : Place{far, near};
  }
};

/// A block of threads moves one tile; tiles of neighbouring rows follow each other. `rows`: of a tile, a power of two
/// up to kMostTileRows. `row_tiles`: those that all rows of a group take; `tiles`: those of a group.
template <class E>
__global__ void __launch_bounds__(kTransposeThreads)
    transpose_kernel(Transpose t, int rows, unsigned row_tiles, unsigned tiles) {
  using Shape = TransposeTile<E>;
  using Place = typename Shape::Place;
  GPUCONV_SHARED_ARRAY(E, shared, Shape::kRoom);
  const Shape tile(rows);
  const int thread = static_cast<int>(threadIdx.x);
  const unsigned group = blockIdx.x / tiles, in_group = blockIdx.x % tiles;
  const std::int64_t row = std::int64_t{in_group % row_tiles} * rows;
  const std::int64_t column = std::int64_t{in_group / row_tiles} * tile.columns();
  const Place left{static_cast<int>(min(t.rows - row, std::int64_t{rows})),
                   static_cast<int>(min(t.columns - column, std::int64_t{tile.columns()}))};
  const auto inside = [&](Place mine, Place p) {
    return p.row < left.row - mine.row && p.column < left.column - mine.column;
  };

  Place mine = tile.place(thread, t.from_across);
  E const* const from = static_cast<E const*>(t.from) + group * t.from_group + (row + mine.row) * t.from_row;
  E const* const inner = from + (t.first + column + mine.column) * t.from_element;
  for (int begin = 0; begin < Shape::kEach; begin += Shape::kTogether) {
    E element[Shape::kTogether] = {};
    if (t.beyond) {
      for (int i = 0; i < Shape::kTogether; ++i) {
        const Place p = tile.place((begin + i) * kTransposeThreads, t.from_across);
        const std::int64_t at = index_beyond(t.extension.boundary, t.first + column + mine.column + p.column, t.size);
        if (inside(mine, p))
          element[i] =
              at < 0 ? *reinterpret_cast<E const*>(t.constant) : from[p.row * t.from_row + at * t.from_element];
      }
    } else {
#pragma unroll
      for (int i = 0; i < Shape::kTogether; ++i) {
        const Place p = tile.place((begin + i) * kTransposeThreads, t.from_across);
        if (inside(mine, p)) element[i] = inner[p.row * t.from_row + p.column * t.from_element];
      }
    }
#pragma unroll
    for (int i = 0; i < Shape::kTogether; ++i)
      shared[tile.at(mine) + tile.at(tile.place((begin + i) * kTransposeThreads, t.from_across))] = element[i];
  }
  __syncthreads();
  mine = tile.place(thread, !t.from_across);
  E* const to =
      static_cast<E*>(t.to) + group * t.to_group + (row + mine.row) * t.to_row + (column + mine.column) * t.to_element;
#pragma unroll Shape::kTogether
  for (int i = 0; i < Shape::kEach; ++i) {
    const Place p = tile.place(i * kTransposeThreads, !t.from_across);
    if (inside(mine, p)) to[p.row * t.to_row + p.column * t.to_element] = shared[tile.at(mine) + tile.at(p)];
  }
}

}  // namespace gpuconv::kernels

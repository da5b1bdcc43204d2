// Direct convolution: tiles of the data in shared memory, a run of consecutive outputs and a sliding window of the data
// in the registers of each lane.
//
// A row is cut into tiles of lanes * kOutputs outputs, a filter into pieces of kDirectTaps taps, the last ones first. A
// group of `lanes` lanes of one warp takes a tile: no group waits for another warp, so that a multiprocessor loads some
// warps' tiles while it works on others', and a warp has room for the tiles of several short rows.
//
// Each output adds its products in the order of falling taps, whatever the tile, the piece or the alignment, so that
// its bits depend on nothing but its window and the filter.
#pragma once

#include "elements.cuh"

namespace gpuconv::kernels {

/// Taps in shared memory at a time: 2 KiB.
template <class C>
inline constexpr int kDirectTaps = 2048 / static_cast<int>(sizeof(C));

/// Blocks that a multiprocessor has registers for: with one more the window spills.
template <class C, bool kPacked>
inline constexpr int kDirectResident = kPacked || std::is_integral_v<C> ? 5 : 6;
inline constexpr unsigned kWholeWarp = 0xffffffffu;

/// One of a group.
struct Lane {
  int index, lanes;
};

/// How the work of a launch is laid out. Lengths are in elements of the type that it computes in.
struct DirectTiles {
  DirectShape shape;
  int room;                 // in shared memory for the taps of a piece, and for the samples before a tile's outputs
  int pitch;                // from group to group in shared memory
  bool new_taps;            // for each tile
  int last_count;           // taps of the filter's last piece
  std::int64_t last_piece;  // and its first
  std::int64_t row_tiles, row_outputs;  // of a row
  std::int64_t next_row, next_output;   // a group's next tile is so many rows and outputs on
};

/// Elements by which `row` misses the boundary of an access of 16 bytes before it.
template <class C>
__host__ __device__ inline int misalignment(void const* data, std::int64_t element) {
  constexpr std::uintptr_t pack = Pack<C>::size;
  return static_cast<int>((reinterpret_cast<std::uintptr_t>(data) / sizeof(C) + static_cast<std::uintptr_t>(element)) %
                          pack);
}

/// Taps [begin, begin + count) in falling order to to[0, count), by the lanes of a group; returns whether this lane saw
/// one that is not finite.
template <class C>
__device__ inline bool load_taps(Input const& taps, std::int64_t row, std::int64_t begin, int count, Lane lane, C* to) {
  bool not_finite = false;
  with_row<C>(taps, row, [&](auto const* from) {
    for (int i = lane.index; i < count; i += lane.lanes) {
      const C tap = static_cast<C>(from[begin + i]);
      not_finite |= !is_finite(tap);
      to[count - 1 - i] = tap;
    }
  });
  return not_finite;
}

/// What a group loads: samples [origin, origin + count) of a row, zero where there are none. `inside`: they all exist.
struct Samples {
  std::int64_t row, origin;
  int count;
  bool inside;
};

/// Loads samples as they are, kWidth an access: lanes * kOutputs of them and what more there is.
template <int kWidth, int kOutputs, class C>
__device__ __forceinline__ void copy_samples(Input const& data, Samples const& samples, Lane lane, C* to) {
  constexpr int bytes = kWidth * static_cast<int>(sizeof(C));
  const int next = lane.lanes * kWidth;
  int i = lane.index * kWidth;
  C const* from = row_of<C>(data, samples.row) + samples.origin + i;
  if (samples.inside) {
#pragma unroll
    for (int r = 0; r < kOutputs; r += kWidth, i += next, from += next) __pipeline_memcpy_async(to + i, from, bytes);
#pragma unroll 1
    for (; i < samples.count; i += next, from += next) __pipeline_memcpy_async(to + i, from, bytes);
    return;
  }
#pragma unroll 1
  for (; i < samples.count; i += next, from += next) {
    const std::int64_t at = samples.origin + i;
    if (at >= 0 && at + kWidth <= data.columns) __pipeline_memcpy_async(to + i, from, bytes);
    else
      for (int e = 0; e < kWidth; ++e) to[i + e] = at + e >= 0 && at + e < data.columns ? from[e] : C(0);
  }
}

/// Loads samples of any type; asynchronously where no conversion is needed. `aligned`: the first is at a multiple of 16
/// bytes, and there is a whole number of accesses.
template <int kOutputs, class C>
__device__ __forceinline__ void load_samples(Input const& data, Samples const& samples, bool aligned, Lane lane,
                                             C* to) {
  if (!same_bits<C>(data.type))
    with_row<C>(data, samples.row, [&](auto const* from) {
      for (int i = lane.index; i < samples.count; i += lane.lanes) {
        const std::int64_t at = samples.origin + i;
        to[i] = at >= 0 && at < data.columns ? static_cast<C>(from[at]) : C(0);
      }
    });
  else if (aligned) copy_samples<Pack<C>::size, kOutputs>(data, samples, lane, to);
  else copy_samples<1, kOutputs>(data, samples, lane, to);
}

/// Adds the products of the taps [first, last) of one access with the window that starts at `data`.
template <class C, int kOutputs>
__device__ __forceinline__ void add_some_products(C const* data, C const* taps, int first, int last,
                                                  C (&sum)[kOutputs]) {
  constexpr int pack = Pack<C>::size;
  C window[kOutputs + pack];
#pragma unroll
  for (int r = 0; r < kOutputs + pack; r += pack) {
    const Pack<C> x = *reinterpret_cast<Pack<C> const*>(data + r);
#pragma unroll
    for (int e = 0; e < pack; ++e) window[r + e] = x.element[e];
  }
  const Pack<C> h = *reinterpret_cast<Pack<C> const*>(taps);
#pragma unroll
  for (int e = 0; e < pack; ++e)
    if (e >= first && e < last)
#pragma unroll
      for (int r = 0; r < kOutputs; ++r) sum[r] = multiply_add(window[r + e], h.element[e], sum[r]);
}

/// Adds the products of the taps [begin, end), both multiples of an access, with the window that starts at `data`. The
/// window lives in a ring of registers: after kOutputs / pack + 1 steps every sample is in its place again.
template <class C, int kOutputs>
__device__ __forceinline__ void add_whole_products(C const* data, C const* taps, int begin, int end,
                                                   C (&sum)[kOutputs]) {
  constexpr int pack = Pack<C>::size, ring = kOutputs + pack;
  C window[ring];
#pragma unroll
  for (int r = 0; r < kOutputs; r += pack) {
    const Pack<C> x = *reinterpret_cast<Pack<C> const*>(data + begin + r);
#pragma unroll
    for (int e = 0; e < pack; ++e) window[r + e] = x.element[e];
  }
  data += begin + kOutputs, taps += begin;
  for (int left = end - begin; left > 0; left -= ring, data += ring, taps += ring) {
#pragma unroll
    for (int step = 0; step < ring; step += pack) {
      if (step >= left) return;
      const Pack<C> x = *reinterpret_cast<Pack<C> const*>(data + step);
      const Pack<C> h = *reinterpret_cast<Pack<C> const*>(taps + step);
#pragma unroll
      for (int e = 0; e < pack; ++e) window[(step + kOutputs + e) % ring] = x.element[e];
#pragma unroll
      for (int e = 0; e < pack; ++e)
#pragma unroll
        for (int r = 0; r < kOutputs; ++r) sum[r] = multiply_add(window[(step + r + e) % ring], h.element[e], sum[r]);
    }
  }
}

/// Adds the products of the taps [begin, end). A tap of zero before or after them would not do: times an infinity it is
/// NaN.
template <class C, int kOutputs>
__device__ __forceinline__ void add_products(C const* data, C const* taps, int begin, int end, C (&sum)[kOutputs]) {
  constexpr int pack = Pack<C>::size;
  int whole = begin, rest = end & -pack;
  if (begin > 0) {
    add_some_products(data, taps, begin, min(end, pack), sum);
    whole = pack;
  }
  if (whole < rest) add_whole_products(data, taps, whole, rest, sum);
  if (rest >= whole && rest < end) add_some_products(data + rest, taps + rest, 0, end - rest, sum);
}

/// The same where zero in place of a missing sample would not do, because a tap is not finite: only samples
/// [from, to) of the tile exist. `at`: of the lane's first output in the tile.
template <class C, int kOutputs>
__device__ void add_existing_products(C const* tile, int at, C const* taps, int begin, int end, std::int64_t from,
                                      std::int64_t to, C (&sum)[kOutputs]) {
  for (int tap = begin; tap < end; ++tap)
#pragma unroll
    for (int r = 0; r < kOutputs; ++r) {
      const int i = at + r + tap;
      if (i >= from && i < to) sum[r] = multiply_add(tile[i], taps[tap], sum[r]);
    }
}

/// A group's results, side by side in `results`, to outputs [o, o + lanes * kOutputs) of the row, those that exist.
template <class T, class C, int kOutputs>
__device__ inline void store_converted(C const* results, T* row, std::int64_t o, std::int64_t length, Lane lane) {
#pragma unroll 1
  for (int i = lane.index; i < lane.lanes * kOutputs; i += lane.lanes)
    if (o + i >= 0 && o + i < length) row[o + i] = static_cast<T>(results[i]);
}

/// The same of the lanes' results `sum`, by way of `stage`, so that neighbours store to neighbouring addresses. All
/// lanes of a warp take part; `active`: those that have results. `as_is`: the output is of the type C, and output `o`
/// aligned.
template <class C, int kOutputs>
__device__ __forceinline__ void store_outputs(C const (&sum)[kOutputs], C* stage, Output const& out, std::int64_t row,
                                              std::int64_t o, std::int64_t length, bool as_is, Lane lane, bool active) {
  constexpr int pack = Pack<C>::size;
  __syncwarp();  // the tile is done with
  if (active)
#pragma unroll
    for (int r = 0; r < kOutputs; r += pack) {
      Pack<C> y;
#pragma unroll
      for (int e = 0; e < pack; ++e) y.element[e] = sum[r + e];
      *reinterpret_cast<Pack<C>*>(stage + lane.index * kOutputs + r) = y;
    }
  __syncwarp();
  if (!active) return;
  if (as_is && o >= 0 && o + lane.lanes * kOutputs <= length) {
    C* to = static_cast<C*>(out.data) + row * out.stride + o + lane.index * pack;
    C const* from = stage + lane.index * pack;
#pragma unroll
    for (int r = 0; r < kOutputs; r += pack, to += lane.lanes * pack, from += lane.lanes * pack)
      *reinterpret_cast<Pack<C>*>(to) = *reinterpret_cast<Pack<C> const*>(from);
    return;
  }
  // Floating-point results are of the type they are computed in; integers wrap to theirs.
  if constexpr (std::is_floating_point_v<C>)
    store_converted<C, C, kOutputs>(stage, static_cast<C*>(out.data) + row * out.stride, o, length, lane);
  else
    visit_type(out.type, [&]<class T>(std::type_identity<T>) {
      if constexpr (std::is_integral_v<T>)
        store_converted<T, C, kOutputs>(stage, static_cast<T*>(out.data) + row * out.stride, o, length, lane);
    });
}

template <class C, int kOutputs, bool kPacked>
__global__ void __launch_bounds__(kDirectThreads, kDirectResident<C, kPacked>)
    direct_kernel(Direct problem, DirectTiles tiles) {
  constexpr int pack = Pack<C>::size, warps = kDirectThreads / 32;
  const int lanes = kPacked ? tiles.shape.lanes : 32, groups = kPacked ? tiles.shape.groups : 1;
  const int warp = static_cast<int>(threadIdx.x) / 32, group = static_cast<int>(threadIdx.x) % 32 / lanes;
  const Lane lane{static_cast<int>(threadIdx.x) % 32 - group * lanes, lanes};
  const int width = lanes * kOutputs;
  C* const tile = device::dynamic_shared<C>() + (warp * groups + min(group, groups - 1)) * tiles.pitch;
  C* const taps = tile + width + tiles.room;
  const bool as_is = same_bits<C>(problem.out.type);
  const bool aligned = same_bits<C>(problem.data.type) &&
                       (groups == 1 || (problem.data.stride % pack == 0 && problem.out.stride % pack == 0));

  const std::int64_t first_tile = (std::int64_t{blockIdx.x} * warps + warp) * groups + group;
  std::int64_t row = group < groups ? first_tile / tiles.row_tiles : problem.rows;
  std::int64_t output = first_tile % tiles.row_tiles * width;
  int taps_at = -1;  // where the taps in shared memory start
  bool not_finite = false;
  while (__any_sync(kWholeWarp, row < problem.rows)) {
    // Tiles start early, so that accesses of 16 bytes to the output are aligned.
    const std::int64_t o = output - (as_is ? misalignment<C>(problem.out.data, row * problem.out.stride) : 0);
    const bool active = row < problem.rows && o < problem.length;
    C sum[kOutputs] = {};
    int count = tiles.last_count;
    for (std::int64_t begin = tiles.last_piece; begin >= 0; begin -= kDirectTaps<C>, count = kDirectTaps<C>) {
      // The samples start early as well, and the taps as much later.
      const std::int64_t start = problem.first + o - begin - count + 1;
      const int early = aligned ? misalignment<C>(problem.data.data, row * problem.data.stride + start) : 0;
      const int end = early + count;
      Samples samples{row, start - early, width + ((end + pack - 1) & -pack), true};
      const std::int64_t after = samples.origin + samples.count;
      bool touches = active;
      if (samples.origin < 0 || after > problem.data.columns) {
        samples.inside = false;
        touches = active && samples.origin < problem.data.columns && after > 0;
      }
      if (!__any_sync(kWholeWarp, touches)) continue;
      __syncwarp();  // the tile before is done with
      if (touches) {
        load_samples<kOutputs>(problem.data, samples, aligned, lane, tile);
        if (early != taps_at || tiles.new_taps) {
          const unsigned whole_group = kWholeWarp >> (32 - lane.lanes) << group * lane.lanes;
          not_finite = __any_sync(whole_group, load_taps(problem.taps, row, begin, count, lane, taps + early)) != 0;
          taps_at = early;
        }
      }
      __pipeline_commit();
      __pipeline_wait_prior(0);
      __syncwarp();
      if (!touches) continue;
      if (not_finite && !samples.inside)
        add_existing_products(tile, lane.index * kOutputs, taps, early, end, -samples.origin,
                              problem.data.columns - samples.origin, sum);
      else add_products(tile + lane.index * kOutputs, taps, early, end, sum);
    }
    store_outputs(sum, tile, problem.out, row, o, problem.length, as_is, lane, active);
    row += tiles.next_row;
    output += tiles.next_output;
    if (output >= tiles.row_outputs) output -= tiles.row_outputs, ++row;
  }
}

}  // namespace gpuconv::kernels

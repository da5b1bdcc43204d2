// Direct convolution of rows of 16-bit numbers that lie one behind the other, into rows of the same: sums in float, as
// the kernel of direct.cuh makes them, but what is read and written is half of the bytes, so that a tile has half of
// the time.
//
// Samples become floats on their way into shared memory, results halves on their way out of the registers, both a few
// at a time. What depends on the row, and how its samples are aligned, is found once per stretch: tiles are whole
// accesses of both. Filters of several pieces, short rows and other layouts go through the kernel of direct.cuh.
#pragma once

#include "direct.cuh"

namespace gpuconv::kernels {

/// Outputs of a lane and of a tile, which a whole warp computes.
inline constexpr int kHalfOutputs = direct_outputs(sizeof(float)), kHalfWidth = 32 * kHalfOutputs;

/// Four numbers of 16 bits: as many as an access of floats moves.
struct alignas(8) FourHalves {
  unsigned pair[2];
};

/// Samples [0, count) from `from` on, which is aligned to four of them, as floats: those of a tile at once, then what
/// more there is. Whole accesses.
template <class H>
__device__ __forceinline__ void load_halves(H const* from, int count, int lane, float* to) {
  constexpr int pack = Pack<float>::size, next = 32 * pack, together = kHalfWidth / next;
  auto const* const packs = reinterpret_cast<FourHalves const*>(from) + lane;
  auto* const floats = reinterpret_cast<Pack<float>*>(to) + lane;
  const auto values = [](FourHalves const& x) {
    return Pack<float>{device::low<H>(x.pair[0]), device::high<H>(x.pair[0]), device::low<H>(x.pair[1]),
                       device::high<H>(x.pair[1])};
  };
  FourHalves x[together];
#pragma unroll
  for (int r = 0; r < together; ++r) x[r] = packs[32 * r];
#pragma unroll
  for (int r = 0; r < together; ++r) floats[32 * r] = values(x[r]);
#pragma unroll 1
  for (int i = together; i * next + lane * pack < count; ++i) {
    const FourHalves more = packs[32 * i];
    floats[32 * i] = values(more);
  }
}

/// The data that a lane works on, in a ring of registers: kHalfOutputs floats from the kEarly-th on of `data`, less
/// than an access from its first, and what the next taps need.
template <int kEarly>
struct EarlyWindow {
  static constexpr int pack = Pack<float>::size, ahead = kHalfOutputs + (kEarly == 0 ? 0 : pack), ring = ahead + pack;
  float window[ring];

  __device__ __forceinline__ void load(float const* from, int to) {
    const Pack<float> x = *reinterpret_cast<Pack<float> const*>(from);
#pragma unroll
    for (int e = 0; e < pack; ++e) window[to % ring + e] = x.element[e];
  }
  /// Adds the products of one tap with what starts at float `first`.
  __device__ __forceinline__ void add(int first, float tap, float (&sum)[kHalfOutputs]) const {
#pragma unroll
    for (int r = 0; r < kHalfOutputs; ++r) sum[r] = multiply_add(window[(kEarly + first + r) % ring], tap, sum[r]);
  }
  /// The products of `count` taps, a multiple of an access.
  __device__ __forceinline__ void add_whole(float const* data, float const* taps, int count,
                                            float (&sum)[kHalfOutputs]) {
#pragma unroll
    for (int r = 0; r < ahead; r += pack) load(data + r, r);
    for (int left = count; left > 0; left -= ring, data += ring, taps += ring)
#pragma unroll
      for (int step = 0; step < ring; step += pack) {
        if (step >= left) return;
        load(data + ahead + step, ahead + step);
        const Pack<float> h = *reinterpret_cast<Pack<float> const*>(taps + step);
#pragma unroll
        for (int e = 0; e < pack; ++e) add(step + e, h.element[e], sum);
      }
  }
  /// Those of `count` taps, less than an access. More would not do where they are zero: zero times infinity is NaN.
  __device__ __forceinline__ void add_rest(float const* data, float const* taps, int count,
                                           float (&sum)[kHalfOutputs]) {
#pragma unroll
    for (int r = 0; r < ring; r += pack) load(data + r, r);
#pragma unroll
    for (int e = 0; e < pack - 1; ++e)
      if (e < count) add(e, taps[e], sum);
  }
};

template <int kEarly>
__device__ __forceinline__ void add_products_from(float const* data, float const* taps, int count,
                                                  float (&sum)[kHalfOutputs]) {
  const int rest = count % Pack<float>::size, whole = count - rest;
  EarlyWindow<kEarly> window;
  if (whole > 0) window.add_whole(data, taps, whole, sum);
  if (rest > 0) window.add_rest(data + whole, taps + whole, rest, sum);
}

/// Adds the products of `count` taps with the data from the `early`-th float on, of 0 to 3. In place of the taps, as in
/// add_segment, the samples are not aligned: no tap is worked on with others in its access missing.
__device__ __forceinline__ void add_products(float const* data, int early, float const* taps, int count,
                                             float (&sum)[kHalfOutputs]) {
  if (early >= 2) {
    if (early == 2) add_products_from<2>(data, taps, count, sum);
    else add_products_from<3>(data, taps, count, sum);
  } else if (early == 1) {
    add_products_from<1>(data, taps, count, sum);
  } else {
    add_products_from<0>(data, taps, count, sum);
  }
}

/// A lane's sums, rounded, to the outputs from `o` on that exist of `row`, by way of `tile`, so that neighbours store
/// to neighbouring addresses. Output `o` is aligned to an access.
template <class H>
__device__ __forceinline__ void store_halves(float const (&sum)[kHalfOutputs], float* tile, H* row, std::int64_t o,
                                             std::int64_t outputs, int lane) {
  constexpr int pack = Pack<H>::size;
  auto* const fours = reinterpret_cast<FourHalves*>(tile) + lane * (kHalfOutputs / 4);
  __syncwarp();  // the tile is done with
#pragma unroll
  for (int r = 0; r < kHalfOutputs; r += 4)
    fours[r / 4] = {device::packed<H>(sum[r], sum[r + 1]), device::packed<H>(sum[r + 2], sum[r + 3])};
  __syncwarp();
  auto const* const from = reinterpret_cast<Pack<unsigned> const*>(tile);
  H* const to = row + o;
  if (o >= 0 && o + kHalfWidth <= outputs) {
    constexpr int next = 32 * pack, rest = kHalfWidth / next * next;
    static_assert(kHalfWidth - rest == 32 * 4, "accesses of 16 bytes, then one of 8");
#pragma unroll
    for (int i = 0; i < rest; i += next)
      *reinterpret_cast<Pack<unsigned>*>(to + i + lane * pack) = from[i / pack + lane];
    const FourHalves last = reinterpret_cast<FourHalves const*>(tile)[rest / 4 + lane];
    *reinterpret_cast<FourHalves*>(to + rest + lane * 4) = last;
    return;
  }
  const Existing existing(o, kHalfWidth, outputs);
#pragma unroll 1
  for (int i = lane; i < kHalfWidth; i += 32)
    if (existing.all(i, 1)) {
      const unsigned pair = from[i / pack].element[i % pack / 2];
      to[i].bits = static_cast<std::uint16_t>(i % 2 ? pair >> 16 : pair);
    }
}

/// The filter's taps in falling order to `to`, by a warp; returns whether one is not finite. Done once or, where rows
/// have filters of their own, per stretch.
__device__ __forceinline__ bool load_filter(float const* from, int count, int lane, float* to) {
  bool not_finite = false;
#pragma unroll 1
  for (int i = lane; i < count; i += 32) {
    const float tap = from[i];
    not_finite |= !is_finite(tap);
    to[count - 1 - i] = tap;
  }
  return __any_sync(kWholeWarp, not_finite) != 0;
}

// ---- what is rare: cold functions ----------------------------------------------------------------------------------

/// `load_halves` where some of the samples are beyond the ends of the row.
template <class H>
__device__ __attribute__((noinline)) void load_some_halves(Operands const& operands, std::int64_t row,
                                                           std::int64_t origin, int count, int lane, float* to) {
  load_row_of<H, float>(operands.signal, operands.loops, row, 0, operands.part.samples, origin, lane, count, 32,
                        [&](int i, float x) { to[i] = x; });
}

/// Outputs of a tile that no sample is in.
template <class H>
__device__ __attribute__((noinline)) void store_zeros(H* row, std::int64_t o, std::int64_t outputs, int lane) {
  for (int i = lane; i < kHalfWidth; i += 32)
    if (o + i >= 0 && o + i < outputs) row[o + i].bits = 0;
}

template <class H>
__global__ void __launch_bounds__(kDirectThreads, kDirectResident<float>)
    direct_half_kernel(__grid_constant__ const Direct problem, DirectTiles tiles) {
  Operands const& operands = problem.operands;
  Part const& part = operands.part;
  constexpr int pack = Pack<float>::size, warps = kDirectThreads / 32;
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  float* const tile = device::dynamic_shared<float>() + warp * tiles.pitch;
  float* const taps = tile + kHalfWidth + tiles.room;
  const int count = tiles.last_count;
  const bool extended = !operands.signal.extension.is_zero();
  bool have_taps = false, not_finite = false;

  const std::int64_t step = std::int64_t{gridDim.x} * warps;
  for (std::int64_t stretch = std::int64_t{blockIdx.x} * warps + warp; stretch < tiles.stretches; stretch += step) {
    const std::int64_t number = stretch / tiles.row_stretches, row = part.row + number;
    H const* const samples = row_of<H>(operands.signal, operands.loops, row);
    H* const out = outputs_of<H>(operands, row);
    // Tiles start early, so that accesses to the output are aligned; samples start early as well.
    std::int64_t o =
        (stretch - number * tiles.row_stretches) * (std::int64_t{tiles.stretch} * kHalfWidth) - misalignment<H>(out, 0);
    const int early = misalignment<H>(samples, part.first + o - count + 1) % pack;
    const int loaded = kHalfWidth + ((early + count + pack - 1) & -pack);
    __syncwarp();  // the stretch before is done with
    if (!have_taps || tiles.new_taps) {
      float const* const from =
          static_cast<float const*>(problem.taps) + operands.loops.filter_of(row) * problem.taps_count;
      not_finite = load_filter(from, count, lane, taps);
      have_taps = true;
    }
    std::int64_t origin = part.first + o - count + 1 - early;
#pragma unroll 1
    for (int t = 0; t < tiles.stretch && o < part.outputs; ++t, o += kHalfWidth, origin += kHalfWidth) {
      const bool inside = origin >= 0 && origin + loaded <= part.samples;
      if (!inside && !extended && (origin >= part.samples || origin + loaded <= 0)) {
        store_zeros(out, o, part.outputs, lane);
        continue;
      }
      __syncwarp();  // the tile before is done with
      if (inside) load_halves<H>(samples + origin, loaded, lane, tile);
      else load_some_halves<H>(operands, row, origin, loaded, lane, tile);
      __syncwarp();
      float sum[kHalfOutputs] = {};
      if (not_finite && !inside && !extended)
        add_existing_products(tile, lane * kHalfOutputs + early, taps, 0, count, Existing(origin, loaded, part.samples),
                              sum);
      else add_products(tile + lane * kHalfOutputs, early, taps, count, sum);
      store_halves<H>(sum, tile, out, o, part.outputs, lane);
    }
  }
}

}  // namespace gpuconv::kernels

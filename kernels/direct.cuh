// Direct convolution: a tile of the data in shared memory, a run of consecutive outputs and a sliding window of the
// data in the registers of each thread.
//
// A row is cut into tiles of threads * kOutputs outputs, a filter into pieces of kDirectTaps taps, the last ones first.
// Each output adds its products in the order of falling taps, whatever the tile, the piece or the alignment, so that
// its bits depend on nothing but its window and the filter.
#pragma once

#include "elements.cuh"

namespace gpuconv::kernels {

/// Taps in shared memory at a time: 2 KiB.
template <class C>
inline constexpr int kDirectTaps = 2048 / static_cast<int>(sizeof(C));

/// Blocks of the most threads that a multiprocessor has registers for: with one more the window spills.
inline constexpr int kDirectResident = 3;

/// Taps of a piece, rounded up to whole accesses.
template <class C>
__host__ __device__ constexpr int direct_piece(std::int64_t taps) {
  constexpr int pack = Pack<C>::size;
  return taps >= kDirectTaps<C> ? kDirectTaps<C> : (static_cast<int>(taps) + pack - 1) / pack * pack;
}

/// Elements of shared memory a block needs: the taps, and the data of its outputs.
template <class C>
__host__ __device__ constexpr int direct_shared(DirectShape shape, std::int64_t taps) {
  return shape.threads * shape.outputs + 2 * direct_piece<C>(taps);
}

/// Outputs by which tiles start early, so that accesses of 16 bytes to a row's data are aligned.
template <class C>
__device__ inline int direct_shift(Input const& data, std::int64_t row, std::int64_t first) {
  if (!same_bits<C>(data.type)) return 0;
  const auto elements = reinterpret_cast<std::uintptr_t>(row_of<C>(data, row)) / sizeof(C);
  return static_cast<int>((elements + static_cast<std::uintptr_t>(first) + 1) % Pack<C>::size);
}

/// Taps [begin, begin + count) in falling order to to[padded - count, padded); returns whether this thread saw one that
/// is not finite.
template <class C>
__device__ inline bool load_taps(Input const& taps, std::int64_t row, std::int64_t begin, int count, int padded,
                                 C* to) {
  bool not_finite = false;
  with_row<C>(taps, row, [&](auto const* from) {
    for (int i = static_cast<int>(threadIdx.x); i < count; i += static_cast<int>(blockDim.x)) {
      const C tap = static_cast<C>(from[begin + i]);
      not_finite |= !is_finite(tap);
      to[padded - 1 - i] = tap;
    }
  });
  return not_finite;
}

/// Samples [origin, origin + count) of a row, zero where there are none. Asynchronous where no conversion is needed:
/// then `origin` is such that whole accesses are aligned, and `count` is a multiple of them.
template <class C>
__device__ inline void load_tile(Input const& data, std::int64_t row, std::int64_t origin, int count, C* to) {
  constexpr int pack = Pack<C>::size;
  const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  if (same_bits<C>(data.type)) {
    C const* const from = row_of<C>(data, row);
    for (int i = thread * pack; i < count; i += threads * pack) {
      const std::int64_t at = origin + i;
      if (at >= 0 && at + pack <= data.columns) __pipeline_memcpy_async(to + i, from + at, kPackBytes);
      else
        for (int e = 0; e < pack; ++e) to[i + e] = at + e >= 0 && at + e < data.columns ? from[at + e] : C(0);
    }
  } else {
    with_row<C>(data, row, [&](auto const* from) {
      for (int i = thread; i < count; i += threads) {
        const std::int64_t at = origin + i;
        to[i] = at >= 0 && at < data.columns ? static_cast<C>(from[at]) : C(0);
      }
    });
  }
  __pipeline_commit();
  __pipeline_wait_prior(0);
}

/// Adds the products of `padded` taps, the first `skip` of which do not exist, with the window that starts at `data`.
/// The window lives in a ring of registers: after kOutputs / pack + 1 steps every sample is in its place again.
template <class C, int kOutputs>
__device__ __forceinline__ void add_products(C const* data, C const* taps, int padded, int skip, C (&sum)[kOutputs]) {
  constexpr int pack = Pack<C>::size, ring = kOutputs + pack;
  C window[ring];
#pragma unroll
  for (int r = 0; r < kOutputs; r += pack) {
    const Pack<C> x = *reinterpret_cast<Pack<C> const*>(data + r);
#pragma unroll
    for (int e = 0; e < pack; ++e) window[r + e] = x.element[e];
  }
  for (int first = 0; first < padded; first += ring) {
#pragma unroll
    for (int step = 0; step < ring; step += pack) {
      const int tap = first + step;
      if (tap >= padded) return;
      const Pack<C> x = *reinterpret_cast<Pack<C> const*>(data + tap + kOutputs);
      const Pack<C> h = *reinterpret_cast<Pack<C> const*>(taps + tap);
#pragma unroll
      for (int e = 0; e < pack; ++e) window[(step + kOutputs + e) % ring] = x.element[e];
#pragma unroll
      for (int e = 0; e < pack; ++e) {
        if (step == 0 && tap + e < skip) continue;
#pragma unroll
        for (int r = 0; r < kOutputs; ++r) sum[r] = multiply_add(window[(step + r + e) % ring], h.element[e], sum[r]);
      }
    }
  }
}

/// The same where zero in place of a missing sample would not do, because a tap is not finite: only samples
/// [begin, end) of the tile exist. `at`: of the thread's first output in the tile.
template <class C, int kOutputs>
__device__ void add_existing_products(C const* tile, int at, C const* taps, int padded, int skip, std::int64_t begin,
                                      std::int64_t end, C (&sum)[kOutputs]) {
  for (int tap = skip; tap < padded; ++tap)
#pragma unroll
    for (int r = 0; r < kOutputs; ++r) {
      const int i = at + r + tap;
      if (i >= begin && i < end) sum[r] = multiply_add(tile[i], taps[tap], sum[r]);
    }
}

/// A warp's results to outputs [o, o + 32 * kOutputs) of the row, by way of `stage`, so that neighbours store to
/// neighbouring addresses.
template <class C, int kOutputs>
__device__ inline void store_outputs(C const (&sum)[kOutputs], C* stage, Output const& out, std::int64_t row,
                                     std::int64_t o, std::int64_t length) {
  constexpr int pack = Pack<C>::size;
  const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
  for (int r = 0; r < kOutputs; r += pack) {
    Pack<C> y;
#pragma unroll
    for (int e = 0; e < pack; ++e) y.element[e] = sum[r + e];
    *reinterpret_cast<Pack<C>*>(stage + lane * kOutputs + r) = y;
  }
  __syncwarp();
  visit_type(out.type, [&]<class T>(std::type_identity<T>) {
    // Floating-point results are of the type they are computed in; integers wrap to theirs.
    if constexpr (std::is_same_v<T, C> || (std::is_integral_v<T> && std::is_integral_v<C>)) {
      T* const to = static_cast<T*>(out.data) + row * out.stride + o;
#pragma unroll
      for (int i = lane; i < 32 * kOutputs; i += 32)
        if (o + i >= 0 && o + i < length) to[i] = static_cast<T>(stage[i]);
    }
  });
}

template <class C, int kOutputs>
__global__ void __launch_bounds__(kDirectThreads, kDirectResident) direct_kernel(Direct problem) {
  C* const taps = device::dynamic_shared<C>();
  C* const tile = taps + direct_piece<C>(problem.taps.columns);
  const int thread = static_cast<int>(threadIdx.x), outputs = static_cast<int>(blockDim.x) * kOutputs;
  const std::int64_t tiles = (problem.length + Pack<C>::size - 1 + outputs - 1) / outputs;

  for (std::int64_t work = blockIdx.x; work < problem.rows * tiles; work += gridDim.x) {
    const std::int64_t row = work / tiles;
    const std::int64_t o = work % tiles * outputs - direct_shift<C>(problem.data, row, problem.first);
    const std::int64_t k = problem.first + o;  // index within the full convolution
    C sum[kOutputs] = {};
    const std::int64_t pieces = (problem.taps.columns + kDirectTaps<C> - 1) / kDirectTaps<C>;
    for (std::int64_t piece = pieces - 1; piece >= 0; --piece) {
      const std::int64_t begin = piece * kDirectTaps<C>;
      const int count = static_cast<int>(min(problem.taps.columns - begin, std::int64_t{kDirectTaps<C>}));
      const int padded = direct_piece<C>(count);
      const std::int64_t origin = k - begin - padded + 1;  // of the tile, in the row's data
      const std::int64_t needed = outputs + padded;
      if (origin >= problem.data.columns || origin + needed <= 0) continue;
      __syncthreads();  // the tile before is done with
      const bool saw_not_finite = load_taps(problem.taps, row, begin, count, padded, taps);
      load_tile(problem.data, row, origin, static_cast<int>(needed), tile);
      const bool not_finite = __syncthreads_or(saw_not_finite);
      if (not_finite && (origin < 0 || origin + needed > problem.data.columns))
        add_existing_products(tile, thread * kOutputs, taps, padded, padded - count, -origin,
                              problem.data.columns - origin, sum);
      else add_products(tile + thread * kOutputs, taps, padded, padded - count, sum);
    }
    __syncthreads();
    const int warp = thread / 32 * 32 * kOutputs;
    store_outputs(sum, tile + warp, problem.out, row, o + warp, problem.length);
  }
}

}  // namespace gpuconv::kernels

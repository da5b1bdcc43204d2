// Convolution by blocks: what cuFFT's transforms need before, between and after them. One slot of the work array holds
// one block: `size` real points, after the forward transform in place size / 2 + 1 complex ones.
#pragma once

#include "filters.cuh"

namespace gpuconv::kernels {

inline constexpr int kBlockThreads = 256;
/// Blocks a multiprocessor has registers for. Left to itself the compiler spills a few to make room for twice as many.
inline constexpr int kBlockResident = 4;

template <class C>
struct ComplexOf;
template <>
struct ComplexOf<float> {
  using type = float2;
};
template <>
struct ComplexOf<double> {
  using type = double2;
};
template <class C>
using Complex = typename ComplexOf<C>::type;

/// Index of this thread among those along x, and their number: for loops that any grid serves.
__device__ inline std::int64_t first_index() { return std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; }
__device__ inline std::int64_t index_step() { return std::int64_t{gridDim.x} * blockDim.x; }

// ---- setting the filter ------------------------------------------------------------------------------------------
template <class C>
__global__ void __launch_bounds__(kBlockThreads, kBlockResident) convert_filters_kernel(Input filter, Filters filters) {
  for (std::int64_t f = blockIdx.y; f < filters.count; f += gridDim.y) {
    double largest = 0;
    with_row<C>(filter, f, [&](auto const* from) {
      C* const to = static_cast<C*>(filters.taps) + f * filters.columns;
      for (std::int64_t j = first_index(); j < filters.columns; j += index_step()) {
        const C tap = static_cast<C>(from[j]);
        to[j] = tap;
        if (is_finite(tap)) largest = fmax(largest, fabs(static_cast<double>(tap)));
      }
    });
    // Bits of non-negative numbers are in the order of their values.
    if (largest > 0) atomicMax(&filters.largest[f], static_cast<unsigned long long>(__double_as_longlong(largest)));
  }
}

template <class C>
__global__ void __launch_bounds__(kBlockThreads, kBlockResident)
    pad_filters_kernel(Filters filters, Blocks blocks, Chunk chunk, C* work) {
  for (std::int64_t slot = blockIdx.y; slot < chunk.slots; slot += gridDim.y) {
    C* const to = work + slot * blocks.pitch;
    const bool used = slot < chunk.count;
    const std::int64_t f = chunk.begin + (used ? slot : 0);
    const Power<C> scale(used ? -filter_exponent(filters, f) : 0);
    C const* const taps = static_cast<C const*>(filters.taps) + f * filters.columns;
    for (std::int64_t j = first_index(); j < blocks.size; j += index_step())
      to[j] = used && j < filters.columns ? taps[j] * scale.half * scale.rest : C(0);
  }
}

template <class C>
__global__ void __launch_bounds__(kBlockThreads, kBlockResident)
    keep_spectra_kernel(Filters filters, Blocks blocks, Chunk chunk, C const* work) {
  const std::int64_t bins = blocks.size / 2 + 1;
  const C scale = C(1) / static_cast<C>(blocks.size);  // cuFFT's transforms are not normalised
  for (std::int64_t slot = blockIdx.y; slot < chunk.count; slot += gridDim.y) {
    auto const* const from = reinterpret_cast<Complex<C> const*>(work + slot * blocks.pitch);
    auto* const to = static_cast<Complex<C>*>(filters.spectra) + (chunk.begin + slot) * bins;
    for (std::int64_t k = first_index(); k < bins; k += index_step()) {
      const Complex<C> h = from[k];
      to[k] = {h.x * scale, h.y * scale};
    }
  }
}

// ---- executing ---------------------------------------------------------------------------------------------------
/// Where the block in a slot is.
struct Place {
  std::int64_t row, output;  // its first output in the row
  __device__ Place(Blocks const& blocks, Chunk const& chunk, std::int64_t slot)
      : row((chunk.begin + slot) / blocks.row_blocks), output((chunk.begin + slot) % blocks.row_blocks * blocks.step) {}
  /// Outputs of the block: fewer than a step in a row's last one.
  __device__ std::int64_t count(Blocks const& blocks) const { return min(blocks.step, blocks.length - output); }
};

template <class C>
__global__ void __launch_bounds__(kBlockThreads, kBlockResident)
    gather_blocks_kernel(Input signal, Blocks blocks, Chunk chunk, C* work, unsigned* marks) {
  for (std::int64_t slot = blockIdx.y; slot < chunk.slots; slot += gridDim.y) {
    C* const to = work + slot * blocks.pitch;
    if (first_index() == 0) marks[slot] = 0;
    if (slot >= chunk.count) {
      for (std::int64_t i = first_index(); i < blocks.size; i += index_step()) to[i] = C(0);
      continue;
    }
    const Place place(blocks, chunk, slot);
    const std::int64_t origin = blocks.start + place.output;
    with_row<C>(signal, place.row, [&](auto const* from) {
      for (std::int64_t i = first_index(); i < blocks.size; i += index_step()) {
        const std::int64_t at = origin + i;
        to[i] = at >= 0 && at < signal.columns ? static_cast<C>(from[at]) : C(0);
      }
    });
  }
}

template <class C>
__global__ void __launch_bounds__(kBlockThreads, kBlockResident)
    multiply_spectra_kernel(Filters filters, Blocks blocks, Chunk chunk, C* work) {
  const std::int64_t bins = blocks.size / 2 + 1;
  for (std::int64_t slot = blockIdx.y; slot < chunk.count; slot += gridDim.y) {
    auto* const x = reinterpret_cast<Complex<C>*>(work + slot * blocks.pitch);
    const std::int64_t f = filter_of(filters, Place(blocks, chunk, slot).row);
    auto const* const h = static_cast<Complex<C> const*>(filters.spectra) + f * bins;
    for (std::int64_t k = first_index(); k < bins; k += index_step()) {
      const Complex<C> a = x[k], b = h[k];
      x[k] = {a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x};
    }
  }
}

template <class C>
__global__ void __launch_bounds__(kBlockThreads, kBlockResident)
    store_blocks_kernel(Filters filters, Blocks blocks, Chunk chunk, C const* work, C* out, std::int64_t stride,
                        unsigned* marks) {
  for (std::int64_t slot = blockIdx.y; slot < chunk.count; slot += gridDim.y) {
    const Place place(blocks, chunk, slot);
    const Power<C> scale(filter_exponent(filters, filter_of(filters, place.row)));
    C const* const from = work + slot * blocks.pitch + blocks.skip;
    C* const to = out + place.row * stride + place.output;
    const std::int64_t count = place.count(blocks);
    bool mark = false;
    for (std::int64_t i = first_index(); i < count; i += index_step()) {
      const C y = from[i] * scale.half * scale.rest;
      to[i] = y;
      mark |= !is_safe(y);
    }
    if (mark) atomicOr(&marks[slot], 1u);
  }
}

/// Direct sums for the outputs of marked blocks, over the samples and taps that exist: NaN and infinity stay local.
template <class C>
__global__ void __launch_bounds__(kBlockThreads, kBlockResident)
    repair_blocks_kernel(Input signal, Filters filters, Blocks blocks, Chunk chunk, std::int64_t first,
                         unsigned const* marks, C* out, std::int64_t stride) {
  for (std::int64_t slot = blockIdx.y; slot < chunk.count; slot += gridDim.y) {
    if (!marks[slot]) continue;
    const Place place(blocks, chunk, slot);
    C* const to = out + place.row * stride + place.output;
    sum_directly(signal, place.row, filters, first + place.output, place.count(blocks), first_index(), index_step(),
                 to);
  }
}

}  // namespace gpuconv::kernels

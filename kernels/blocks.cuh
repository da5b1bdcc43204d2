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
__global__ void __launch_bounds__(kBlockThreads, kBlockResident)
    convert_filters_kernel(Input filter, std::int64_t count, Filters filters) {
  for (std::int64_t f = blockIdx.y; f < count; f += gridDim.y) {
    double largest = 0;
    C* const to = static_cast<C*>(filters.taps) + f * filters.columns;
    load_row<C>(filter, Loops{}, f, filters.columns, 0, first_index(), filters.columns, index_step(),
                [&](std::int64_t j, C tap) {
                  to[j] = tap;
                  if (is_finite(tap)) largest = fmax(largest, fabs(static_cast<double>(tap)));
                });
    // Bits of non-negative numbers are in the order of their values.
    if (largest > 0 && filters.largest)
      atomicMax(&filters.largest[f], static_cast<unsigned long long>(__double_as_longlong(largest)));
  }
}

template <class C>
__global__ void __launch_bounds__(kBlockThreads, kBlockResident)
    keep_spectra_kernel(__grid_constant__ const BlockWork w) {
  const std::int64_t bins = w.cut.size / 2 + 1;
  const C scale = C(1) / static_cast<C>(w.cut.size);  // cuFFT's transforms are not normalised
  for (std::int64_t slot = blockIdx.y; slot < w.chunk.count; slot += gridDim.y) {
    auto const* const from = static_cast<Complex<C> const*>(w.slots) + slot * (w.pitch / 2);
    auto* const to = static_cast<Complex<C>*>(w.filters.spectra) + (w.chunk.begin + slot) * bins;
    for (std::int64_t k = first_index(); k < bins; k += index_step()) {
      const Complex<C> h = from[k];
      to[k] = {h.x * scale, h.y * scale};
    }
  }
}

// ---- executing ---------------------------------------------------------------------------------------------------
/// Where the block in a slot is.
struct Place {
  std::int64_t row, output;  // of the work; its first output in the row
  __device__ Place(BlockWork const& w, std::int64_t slot)
      : row(w.operands.part.row + (w.chunk.begin + slot) / w.row_blocks),
        output((w.chunk.begin + slot) % w.row_blocks * w.cut.step) {}
  /// Outputs of the block: fewer than a step in a row's last one.
  __device__ std::int64_t count(BlockWork const& w) const { return min(w.cut.step, w.operands.part.outputs - output); }
};

template <class C>
__global__ void __launch_bounds__(kBlockThreads, kBlockResident)
    gather_blocks_kernel(__grid_constant__ const BlockWork w) {
  for (std::int64_t slot = blockIdx.y; slot < w.chunk.slots; slot += gridDim.y) {
    C* const to = static_cast<C*>(w.slots) + slot * w.pitch;
    if (first_index() == 0) w.marks[slot] = 0;
    if (slot >= w.chunk.count) {
      for (std::int64_t i = first_index(); i < w.cut.size; i += index_step()) to[i] = C(0);
      continue;
    }
    const Place place(w, slot);
    const std::int64_t origin = w.operands.part.first - w.cut.skip + place.output;
    const Power<C> scale(w.sets_filter ? -filter_exponent(w.filters, place.row) : 0);
    load_row<C>(w.operands.signal, w.operands.loops, place.row, w.operands.part.samples, origin, first_index(),
                w.cut.size, index_step(), [&](std::int64_t i, C x) { to[i] = x * scale.half * scale.rest; });
  }
}

template <class C>
__global__ void __launch_bounds__(kBlockThreads, kBlockResident)
    multiply_spectra_kernel(__grid_constant__ const BlockWork w) {
  const std::int64_t bins = w.cut.size / 2 + 1;
  for (std::int64_t slot = blockIdx.y; slot < w.chunk.count; slot += gridDim.y) {
    auto* const x = static_cast<Complex<C>*>(w.slots) + slot * (w.pitch / 2);
    const std::int64_t f = w.operands.loops.filter_of(Place(w, slot).row);
    auto const* const h = static_cast<Complex<C> const*>(w.filters.spectra) + f * bins;
    for (std::int64_t k = first_index(); k < bins; k += index_step()) {
      const Complex<C> a = x[k], b = h[k];
      x[k] = {a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x};
    }
  }
}

template <class C>
__global__ void __launch_bounds__(kBlockThreads, kBlockResident)
    store_blocks_kernel(__grid_constant__ const BlockWork w) {
  for (std::int64_t slot = blockIdx.y; slot < w.chunk.count; slot += gridDim.y) {
    const Place place(w, slot);
    const Power<C> scale(filter_exponent(w.filters, w.operands.loops.filter_of(place.row)));
    C const* const from = static_cast<C const*>(w.slots) + slot * w.pitch + w.cut.skip;
    bool mark = false;
    store_row<C>(w.operands.out, w.operands.loops, place.row, w.operands.part.outputs, place.output, first_index(),
                 place.count(w), index_step(), [&](std::int64_t i) {
                   const C y = from[i] * scale.half * scale.rest;
                   mark |= !is_safe(y);
                   return y;
                 });
    if (mark) atomicOr(&w.marks[slot], 1u);
  }
}

/// Direct sums for the outputs of marked blocks, over the samples and taps that exist: NaN and infinity stay local.
template <class C>
__global__ void __launch_bounds__(kBlockThreads, kBlockResident)
    repair_blocks_kernel(__grid_constant__ const BlockWork w) {
  for (std::int64_t slot = blockIdx.y; slot < w.chunk.count; slot += gridDim.y) {
    if (!w.marks[slot]) continue;
    const Place place(w, slot);
    sum_directly<C>(w.operands, w.filters, place.row, place.output, place.count(w), first_index(), index_step());
  }
}

}  // namespace gpuconv::kernels

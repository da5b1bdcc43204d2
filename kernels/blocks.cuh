// Convolution by blocks: what cuFFT's transforms need before, between and after them. One slot of the work array holds
// one block: `size` real points, after the forward transform in place size / 2 + 1 complex ones; of complex data `size`
// complex points before and after.
#pragma once

#include "not_finite.cuh"

namespace gpuconv::kernels {

inline constexpr int kBlockThreads = 256;
/// Blocks a multiprocessor has registers for. Left to itself the compiler spills a few to make room for twice as many.
inline constexpr int kBlockResident = 4;
/// Resident blocks of kernels that are waited for less often, and would spill.
inline constexpr int kFewResident = 2;
/// Those of the kernels that touch samples: blocks of images take more registers.
template <class W>
inline constexpr int kSamplesResident = std::is_same_v<W, BlockWork> ? kBlockResident : kBlockResident - 1;

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
/// A row of taps for each line of each part of each filter.
template <class C>
__global__ void __launch_bounds__(kBlockThreads, kFewResident)
    convert_filters_kernel(Input filter, std::int64_t count, Filters filters) {
  const Loops lines{.outer = {}, .inner = {.count = filters.lines}};
  for (std::int64_t i = blockIdx.y; i < count * filters.parts * filters.lines; i += gridDim.y) {
    const std::int64_t part = i / filters.lines, f = filters.parts == 1 ? part : part / 2;
    const bool imaginary = part != f * filters.parts;
    const std::int64_t row = f * filters.lines + i - part * filters.lines;
    double largest = 0;
    bool finite = true;
    C* const to = static_cast<C*>(filters.taps) + i * filters.columns;
    load_row<C>(filter, lines, row, imaginary, filters.columns, 0, first_index(), filters.columns, index_step(),
                [&](std::int64_t j, C tap) {
                  to[j] = imaginary && filter.conjugated ? -tap : tap;
                  if (is_finite(tap)) largest = fmax(largest, fabs(static_cast<double>(tap)));
                  else finite = false;
                });
    if (!filters.magnitudes) continue;
    // Bits of non-negative numbers are in the order of their values.
    Magnitudes& m = filters.magnitudes[f];
    if (largest > 0) atomicMax(&m.largest, static_cast<unsigned long long>(__double_as_longlong(largest)));
    if (!finite) atomicMax(&m.not_finite, 1ULL);
  }
}

template <class C>
__global__ void __launch_bounds__(kBlockThreads, kBlockResident)
    keep_spectra_kernel(__grid_constant__ const BlockWork w) {
  const std::int64_t bins = w.bins();
  const C scale = C(1) / static_cast<C>(w.cut.size);  // cuFFT's transforms are not normalised
  for (std::int64_t slot = blockIdx.y; slot < w.chunk.count; slot += gridDim.y) {
    auto const* const from = static_cast<Complex<C> const*>(w.slots) + slot * (w.pitch / 2);
    auto* const to = static_cast<Complex<C>*>(w.filters.spectra) + (w.chunk.begin + slot) * bins;
    if (first_index() == 0) keep_facts<C>(w.filters, w.chunk.begin + slot, w.cut.size);
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
  __device__ Place(std::int64_t of_row, std::int64_t first) : row(of_row), output(first) {}
  /// Outputs of the block: fewer than a step in a row's last one.
  __device__ std::int64_t count(BlockWork const& w) const { return min(w.cut.step, w.operands.part.outputs - output); }
  /// The block's first sample in the row.
  __device__ std::int64_t origin(BlockWork const& w) const { return w.operands.part.first - w.cut.skip + output; }
};

/// The same of an image's block: the place within a line, and the first of its lines of outputs.
struct ImagePlace : Place {
  std::int64_t line;
  __device__ ImagePlace(ImageBlockWork const& w, std::int64_t slot)
      : ImagePlace(w, (w.chunk.begin + slot) / w.row_blocks, (w.chunk.begin + slot) % w.row_blocks) {}
  __device__ ImagePlace(ImageBlockWork const& w, std::int64_t image, std::int64_t block)
      : Place(w.operands.part.row + image, block % w.across * w.cut.step), line(block / w.across * w.step_lines()) {}
  /// The image's line that the block starts with.
  __device__ std::int64_t origin_line(ImageBlockWork const& w) const { return w.first_line - w.skipped_lines + line; }
};

__device__ inline Place place_of(BlockWork const& w, std::int64_t slot) { return {w, slot}; }
__device__ inline ImagePlace place_of(ImageBlockWork const& w, std::int64_t slot) { return {w, slot}; }

/// Calls put(i, x) for each of the points i of a block that is this thread's: the sample there, or its part.
template <class C, class Put>
__device__ __forceinline__ void load_block(BlockWork const& w, Place const& place, int part, Put put) {
  load_row<C>(w.operands.signal, w.operands.loops, place.row, part, w.operands.part.samples, place.origin(w),
              first_index(), w.cut.size, index_step(), put);
}
/// A warp has a line; zeros are behind the last one.
template <class C, class Put>
__device__ __forceinline__ void load_block(ImageBlockWork const& w, ImagePlace const& place, int part, Put put) {
  const int lane = static_cast<int>(threadIdx.x) % 32, pitch = static_cast<int>(w.line_pitch);
#pragma unroll 1
  for (std::int64_t l = first_index() / 32; l < w.block_lines; l += index_step() / 32)
    load_line<C>(w.operands, w.signal_lines, place.row, part, place.origin_line(w) + l, place.origin(w), lane, pitch,
                 32, [&](int i, C x) { put(l * pitch + i, x); });
  for (std::int64_t i = w.block_lines * pitch + first_index(); i < w.cut.size; i += index_step()) put(i, C(0));
}

/// Stores the outputs of a block, or their part, that are this thread's: scaled(point) for every point that is kept.
/// `points`: the first one's part; they are `apart` numbers apart.
template <class C, class Scaled>
__device__ __forceinline__ void store_block(BlockWork const& w, Place const& place, int part, C const* points,
                                            int apart, Scaled scaled) {
  C const* const from = points + apart * w.cut.skip;
  store_row<C>(w.operands.out, w.operands.loops, place.row, part, w.operands.part.outputs, place.output, first_index(),
               place.count(w), index_step(), [&](std::int64_t i) { return scaled(from[apart * i]); });
}
template <class C, class Scaled>
__device__ __forceinline__ void store_block(ImageBlockWork const& w, ImagePlace const& place, int part, C const* points,
                                            int apart, Scaled scaled) {
  const int lane = static_cast<int>(threadIdx.x) % 32, count = static_cast<int>(place.count(w));
#pragma unroll 1
  for (std::int64_t l = first_index() / 32; l < w.step_lines(); l += index_step() / 32) {
    const std::int64_t line = place.line + l;
    if (line >= w.output_lines) break;
    if (line % w.line_step != 0) continue;
    C const* const from = points + apart * ((w.skipped_lines + l) * w.line_pitch + w.cut.skip);
    store_row<C>(detail::at_line(w.operands.out, line / w.line_step), w.operands.loops, place.row, part,
                 w.operands.part.outputs, place.output, lane, count, 32,
                 [&](int i) { return scaled(from[apart * i]); });
  }
}

/// Whether a slot's block has a sample that is not finite, or its filter a tap.
template <class C>
__device__ inline bool has_to_be_repaired(BlockWork const& w, std::int64_t slot) {
  return !w.sets_filter &&
         (w.facts[slot].kinds != 0 || !all_finite<C>(w.filters, w.operands.loops.filter_of(Place(w, slot).row)));
}
template <class C>
__device__ inline BlockSets<std::int64_t> sets_of(BlockWork const& w, std::int64_t slot) {
  BlockSets<std::int64_t> sets{reinterpret_cast<Word*>(static_cast<C*>(w.slots) + slot * w.pitch),
                               static_cast<Word*>(w.levels),
                               w.cut.size,
                               w.filters.columns,
                               w.operands.signal_parts(),
                               w.filters.parts};
  sets.levels += slot * sets.level_count();
  return sets;
}

template <class C, class W>
__global__ void __launch_bounds__(kBlockThreads, kSamplesResident<W>)
    measure_blocks_kernel(__grid_constant__ const W w) {
  for (std::int64_t slot = blockIdx.y; slot < w.chunk.count; slot += gridDim.y) {
    const auto place = place_of(w, slot);
    C largest = 0;
    unsigned kinds = 0;
#pragma unroll 1
    for (int part = 0; part < w.operands.signal_parts(); ++part)
      load_block<C>(w, place, part, [&](std::int64_t, C x) { look_at(x, largest, kinds); });
    int exponent = largest > 0 ? SlotFacts::bias + exponent_above(largest) : 0;
    for (int lanes = 16; lanes > 0; lanes /= 2) exponent = max(exponent, __shfl_xor_sync(kWholeWarp, exponent, lanes));
    if (threadIdx.x % 32 == 0 && exponent > 0) atomicMax(&w.facts[slot].exponent, exponent);
    if (kinds != 0) atomicOr(&w.facts[slot].kinds, kinds);
  }
}

/// Samples in a slot are those of the row times 2^-exponent. None of ordinary ones are scaled: their products with an
/// ordinary filter, and sums of as many as there are, stay far from the ends of the exponent's range.
template <class C>
__device__ inline int slot_exponent(BlockWork const& w, std::int64_t slot) {
  constexpr int moderate = 30;
  const int found = w.facts[slot].exponent, exponent = found - SlotFacts::bias;
  return found == 0 || (-moderate <= exponent && exponent <= moderate) ? 0 : exponent;
}

template <class C, class W>
__global__ void __launch_bounds__(kBlockThreads, kSamplesResident<W>)
    gather_blocks_kernel(__grid_constant__ const W w) {
  for (std::int64_t slot = blockIdx.y; slot < w.chunk.slots; slot += gridDim.y) {
    C* const to = static_cast<C*>(w.slots) + slot * w.pitch;
    if (slot >= w.chunk.count) {
      for (std::int64_t i = first_index(); i < w.numbers(); i += index_step()) to[i] = C(0);
      continue;
    }
    const auto place = place_of(w, slot);
    const Power<C> scale(-(w.sets_filter ? tap_exponent<C>(w.filters, place.row) : slot_exponent<C>(w, slot)));
    const int parts = w.complex ? 2 : 1;  // of a point
#pragma unroll 1
    for (int part = 0; part < parts; ++part) {
      C* const at = to + part;
      if (part < w.operands.signal_parts()) {
        load_block<C>(w, place, part,
                      [&](std::int64_t i, C x) { at[parts * i] = is_finite(x) ? x * scale.half * scale.rest : C(0); });
      } else {
        for (std::int64_t i = first_index(); i < w.cut.size; i += index_step()) at[parts * i] = C(0);
      }
    }
    if constexpr (std::is_same_v<W, BlockWork>) {  // blocks of images are repaired without sets
      if (!has_to_be_repaired<C>(w, slot)) continue;
      const BlockSets<std::int64_t> sets = sets_of<C>(w, slot);
      for (std::int64_t i = first_index(); i < sets.level_count(); i += index_step()) sets.levels[i] = 0;
    }
  }
}

template <class C>
__global__ void __launch_bounds__(kBlockThreads, kBlockResident)
    multiply_spectra_kernel(__grid_constant__ const BlockWork w) {
  const std::int64_t bins = w.bins();
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

template <class C, class W>
__global__ void __launch_bounds__(kBlockThreads, kSamplesResident<W>) store_blocks_kernel(__grid_constant__ const W w) {
  for (std::int64_t slot = blockIdx.y; slot < w.chunk.count; slot += gridDim.y) {
    const auto place = place_of(w, slot);
    const Power<C> scale(facts_of<C>(w.filters, w.operands.loops.filter_of(place.row)).exponent +
                         slot_exponent<C>(w, slot));
    const int parts = w.complex ? 2 : 1;  // of a point
#pragma unroll 1
    for (int part = 0; part < parts; ++part) {
      C const* const points = static_cast<C const*>(w.slots) + slot * w.pitch + part;
      store_block(w, place, part, points, parts, [&](C x) { return x * scale.half * scale.rest; });
    }
  }
}

/// The signs of the samples and taps of blocks that have to be repaired, into their slots, which hold nothing any more.
template <class C>
__global__ void __launch_bounds__(kBlockThreads, kFewResident) find_signs_kernel(__grid_constant__ const BlockWork w) {
  for (std::int64_t slot = blockIdx.y; slot < w.chunk.count; slot += gridDim.y) {
    if (!has_to_be_repaired<C>(w, slot)) continue;
    const Place place(w, slot);
    const BlockSets<std::int64_t> sets = sets_of<C>(w, slot);
    find_sample_signs<C>(w.operands, place.row, place.origin(w), sets, first_index(), index_step());
    find_tap_signs<C>(w.filters, w.operands.loops.filter_of(place.row), sets, first_index(), index_step());
  }
}

template <class C>
__global__ void __launch_bounds__(kBlockThreads, kFewResident)
    repair_blocks_kernel(__grid_constant__ const BlockWork w) {
  for (std::int64_t slot = blockIdx.y; slot < w.chunk.count; slot += gridDim.y) {
    if (!has_to_be_repaired<C>(w, slot)) continue;
    const Place place(w, slot);
    put_not_finite<C>(w.operands, sets_of<C>(w, slot), w.facts[slot].kinds,
                      all_finite<C>(w.filters, w.operands.loops.filter_of(place.row)), place.row, place.output,
                      place.count(w), w.cut.skip, 64 * first_index(), 64 * index_step());
  }
}

}  // namespace gpuconv::kernels

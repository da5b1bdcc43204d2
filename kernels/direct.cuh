// Direct convolution: tiles of the data in shared memory, a run of consecutive outputs and a sliding window of the data
// in the registers of each lane.
//
// A row is cut into tiles of lanes * kOutputs outputs, a filter into pieces of kDirectTaps taps, the last ones first. A
// tile belongs to a group of `lanes` lanes of one warp, and so do its place in shared memory and its copy of the taps:
// no warp ever waits for another. A multiprocessor so loads the tiles of some warps while it works on others', and a
// warp has room for several short rows.
//
// Each output adds its products in the order of falling taps, whatever the tile, the piece or the alignment, so that
// its bits depend on nothing but its window and the filter. Where there are several pieces, their sums are added to
// totals in shared memory (core/long_sum.hpp): sums and window take the registers that a lane has.
#pragma once

#include "elements.cuh"

#include "core/long_sum.hpp"

namespace gpuconv::kernels {

template <class C>
inline constexpr int kDirectTaps = direct_taps(sizeof(C));
/// Blocks that a multiprocessor has registers for: with more the window spills.
template <class C>
inline constexpr int kDirectResident = std::is_integral_v<C> ? 4 : 5;

/// One lane of a group.
struct Lane {
  int index, lanes;
};

/// How the work of a launch is laid out. Lengths are in elements of the type that it computes in.
struct DirectTiles {
  Tile tile;
  int room;     // in shared memory for the taps of a piece, and for the samples before a tile's outputs
  int pitch;    // from group to group in shared memory
  int stretch;  // tiles of a stretch: neighbours in a row, which a group takes one after the other
  std::int64_t row_stretches, stretches;  // of a row's part, of all rows
  std::int64_t last_piece;                // of the filter: its first tap
  std::int64_t last;                      // the same, where the pieces of a second term lie behind it
  int last_count;                         // and how many it has
  bool in_pieces;                         // sums are added to totals
  bool new_taps;                          // every tile has to load its taps
};

/// Elements from the last boundary of 16 bytes to `data` + `element`.
template <class C>
__host__ __device__ inline int misalignment(void const* data, std::int64_t element) {
  constexpr std::uintptr_t pack = Pack<C>::size;
  return static_cast<int>((reinterpret_cast<std::uintptr_t>(data) / sizeof(C) + static_cast<std::uintptr_t>(element)) %
                          pack);
}

/// `count` taps in falling order to to[0, count), by the lanes of a group, or what is to be taken from the sum; returns
/// whether this lane saw one that is not finite.
template <class C>
__device__ inline bool load_taps(C const* from, int count, bool minus, Lane lane, C* to) {
  bool not_finite = false;
  for (int i = lane.index; i < count; i += lane.lanes) {
    const C tap = from[i];
    not_finite |= !is_finite(tap);
    to[count - 1 - i] = minus ? -tap : tap;
  }
  return not_finite;
}

/// Which of `count` elements from `origin` on lie within [0, length).
struct Existing {
  __device__ Existing(std::int64_t origin, int count, std::int64_t length)
      : first(static_cast<int>(max(min(-origin, std::int64_t{count}), std::int64_t{0}))),
        last(static_cast<int>(max(min(length - origin, std::int64_t{count}), std::int64_t{0}))) {}
  __device__ bool all(int i, int n) const { return i >= first && i + n <= last; }
  int first, last;
};

/// What a group loads: one part of samples [origin, origin + count) of a row, zero where there are none.
struct Samples {
  std::int64_t origin;
  int count, part;
};

/// Loads samples as they are, 16 bytes at a time and asynchronously: lanes * kOutputs of them and what more there is.
/// Whole accesses, of which the first is aligned. `inside`: all samples exist.
/// `at()`: of the row, from the first sample of all on.
template <int kOutputs, class At, class C>
__device__ __forceinline__ void copy_samples(Operands const& operands, At at, Samples const& samples, bool inside,
                                             Lane lane, C* to) {
  constexpr int pack = Pack<C>::size;
  const int next = lane.lanes * pack;
  int i = lane.index * pack;
  C const* from = static_cast<C const*>(operands.signal.data) + at() + samples.part * operands.signal.imaginary +
                  samples.origin + i;
  if (inside) {
#pragma unroll
    for (int r = 0; r < kOutputs; r += pack, i += next, from += next) __pipeline_memcpy_async(to + i, from, kPackBytes);
#pragma unroll 1
    for (; i < samples.count; i += next, from += next) __pipeline_memcpy_async(to + i, from, kPackBytes);
    return;
  }
  const Existing existing(samples.origin, samples.count, operands.part.samples);
#pragma unroll 1
  for (; i < samples.count; i += next, from += next)
    if (existing.all(i, pack)) __pipeline_memcpy_async(to + i, from, kPackBytes);
    else
      for (int e = 0; e < pack; ++e) to[i + e] = existing.all(i + e, 1) ? from[e] : C(0);
}

/// Loads samples of another type or stride.
template <class C>
__device__ __forceinline__ void convert_samples(Operands const& operands, std::int64_t row, Samples const& samples,
                                                Lane lane, C* to) {
  load_row<C>(operands.signal, operands.loops, row, samples.part, operands.part.samples, samples.origin, lane.index,
              samples.count, lane.lanes, [&](int i, C x) { to[i] = x; });
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

/// Adds the products of the taps [begin, end), both multiples of an access. The window lives in a ring of registers:
/// after kOutputs / pack + 1 steps every sample is in its place again.
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

/// Adds a segment of the direct sum: the products of the taps [begin, end), wherever in an access they begin and end.
/// Zeros in place of the taps that complete an access would not do: zero times infinity is NaN.
template <class C, int kOutputs>
__device__ __forceinline__ void add_segment(C const* data, C const* taps, int begin, int end, C (&sum)[kOutputs]) {
  constexpr int pack = Pack<C>::size;
  int whole = begin, rest = end & -pack;
  if (begin > 0) {
    add_some_products(data, taps, begin, min(end, pack), sum);
    whole = pack;
  }
  if (whole < rest) add_whole_products(data, taps, whole, rest, sum);
  if (rest >= whole && rest < end) add_some_products(data + rest, taps + rest, 0, end - rest, sum);
}

/// The same where zero in place of a missing sample would not do, because a tap is not finite: only some
/// of the tile exist. `at`: of the lane's first output in the tile.
template <class C, int kOutputs>
__device__ void add_existing_products(C const* tile, int at, C const* taps, int begin, int end, Existing existing,
                                      C (&sum)[kOutputs]) {
  for (int tap = begin; tap < end; ++tap)
#pragma unroll
    for (int r = 0; r < kOutputs; ++r)
      if (existing.all(at + r + tap, 1)) sum[r] = multiply_add(tile[at + r + tap], taps[tap], sum[r]);
}

/// The totals of a lane's outputs and their errors, in shared memory. Nobody else touches them.
template <class C, int kOutputs>
struct Totals {
  C *total, *error;

  __device__ void clear() const {
#pragma unroll
    for (int r = 0; r < kOutputs; ++r) total[r] = error[r] = C(0);
  }
  /// Adds the sums of a piece, and clears them.
  __device__ void add(C (&sum)[kOutputs]) const {
#pragma unroll
    for (int r = 0; r < kOutputs; r += Pack<C>::size) {
      Pack<C> totals = pack(total + r), errors = pack(error + r);
#pragma unroll
      for (int e = 0; e < Pack<C>::size; ++e) {
        detail::LongSum<C> s{totals.element[e], errors.element[e]};
        s.add(sum[r + e]);
        totals.element[e] = s.total, errors.element[e] = s.error, sum[r + e] = C(0);
      }
      pack(total + r) = totals, pack(error + r) = errors;
    }
  }
  __device__ void value(C (&sum)[kOutputs]) const {
#pragma unroll
    for (int r = 0; r < kOutputs; r += Pack<C>::size) {
      const Pack<C> totals = pack(total + r), errors = pack(error + r);
#pragma unroll
      for (int e = 0; e < Pack<C>::size; ++e)
        sum[r + e] = detail::LongSum<C>{totals.element[e], errors.element[e]}.value();
    }
  }

 private:
  __device__ static Pack<C>& pack(C* at) { return *reinterpret_cast<Pack<C>*>(at); }
};

template <class C, int kOutputs>
__device__ __forceinline__ Pack<C> pack_of(C const (&sum)[kOutputs], int r) {
  Pack<C> y;
#pragma unroll
  for (int e = 0; e < Pack<C>::size; ++e) y.element[e] = sum[r + e];
  return y;
}

/// The outputs of a row, where they can be written as they lie.
template <class C>
__device__ inline C* outputs_of(Operands const& operands, std::int64_t row) {
  return static_cast<C*>(operands.out.data) + operands.out.offset(operands.loops, row);
}

/// A lane's results, one access, to the outputs from `o` on that exist, or to one of their parts. `as_is`: the output
/// can be written as it lies, and output `o` is aligned. `at()`: of the row, from the first element of all on; `row()`:
/// its number.
template <class C, class At, class Row>
__device__ __forceinline__ void store_pack(C const (&sum)[Pack<C>::size], Operands const& operands, At at, Row row,
                                           int part, std::int64_t o, bool as_is) {
  constexpr int pack = Pack<C>::size;
  const std::int64_t outputs = operands.part.outputs;
  if (as_is && o >= 0 && o + pack <= outputs)
    *reinterpret_cast<Pack<C>*>(static_cast<C*>(operands.out.data) + at() + o) = pack_of(sum, 0);
  else
#pragma unroll
    for (int e = 0; e < pack; ++e)
      store_row<C>(operands.out, operands.loops, row(), part, outputs, o + e, 0, 1, 1, [&](int) { return sum[e]; });
}

/// The results of a group's lanes to the outputs from `o` on that exist, or to one of their parts, by way of `stage`,
/// so that neighbours store to neighbouring addresses. All lanes of a warp take part; `active`: those that have
/// results.
template <class C, int kOutputs, class At, class Row>
__device__ __forceinline__ void store_staged(C const (&sum)[kOutputs], C* stage, Operands const& operands, At at,
                                             Row row, int part, std::int64_t o, bool as_is, Lane lane, bool active) {
  constexpr int pack = Pack<C>::size;
  const std::int64_t outputs = operands.part.outputs;
  __syncwarp();  // the tile is done with
  if (active)
#pragma unroll
    for (int r = 0; r < kOutputs; r += pack)
      *reinterpret_cast<Pack<C>*>(stage + lane.index * kOutputs + r) = pack_of(sum, r);
  __syncwarp();
  if (!active) return;
  const int width = lane.lanes * kOutputs, next = lane.lanes * pack;
  if (!as_is) {
    store_row<C>(operands.out, operands.loops, row(), part, outputs, o, lane.index, width, lane.lanes,
                 [&](int i) { return stage[i]; });
    return;
  }
  C* to = static_cast<C*>(operands.out.data) + at() + o + lane.index * pack;
  C const* from = stage + lane.index * pack;
  if (o >= 0 && o + width <= outputs) {
#pragma unroll
    for (int r = 0; r < kOutputs; r += pack, to += next, from += next)
      *reinterpret_cast<Pack<C>*>(to) = *reinterpret_cast<Pack<C> const*>(from);
    return;
  }
  const Existing existing(o, width, outputs);
#pragma unroll 1
  for (int i = lane.index * pack; i < width; i += next, to += next, from += next)
    if (existing.all(i, pack)) *reinterpret_cast<Pack<C>*>(to) = *reinterpret_cast<Pack<C> const*>(from);
    else
      for (int e = 0; e < pack; ++e)
        if (existing.all(i + e, 1)) to[e] = from[e];
}

/// `kPacked`: groups are as the tile says; else a group is a warp, and what follows from that is known to the
/// compiler.
template <class C, int kOutputs, bool kPacked>
__global__ void __launch_bounds__(kDirectThreads, kDirectResident<C>) direct_kernel(Direct problem, DirectTiles tiles) {
  Operands const& operands = problem.operands;
  Part const& part = operands.part;
  constexpr int pack = Pack<C>::size, warps = kDirectThreads / 32;
  const int lanes = kPacked ? tiles.tile.lanes : 32, groups = kPacked ? tiles.tile.groups : 1;
  const int warp = static_cast<int>(threadIdx.x) / 32, group = static_cast<int>(threadIdx.x) % 32 / lanes;
  const Lane lane{static_cast<int>(threadIdx.x) % 32 - group * lanes, lanes};
  const int width = lanes * kOutputs;  // of a tile
  C* const tile = device::dynamic_shared<C>() + (warp * groups + min(group, groups - 1)) * tiles.pitch;
  C* const taps = tile + width + tiles.room;
  C* const totals_at = tile + tiles.pitch - 2 * width + lane.index * kOutputs;
  const Totals<C, kOutputs> totals{totals_at, totals_at + width};
  const bool in_pieces = std::is_floating_point_v<C> && tiles.in_pieces;
  const bool from_as_is = operands.signal.is_array_of<C>(), to_as_is = operands.out.is_array_of<C>();
  const bool extended = !operands.signal.extension.is_zero();
  const auto any = [](bool group_does) { return kPacked ? __any_sync(kWholeWarp, group_does) != 0 : group_does; };
  int taps_at = -1;  // where the taps in shared memory start
  bool not_finite = false;

  const std::int64_t step = std::int64_t{gridDim.x} * (warps * groups);
  for (std::int64_t base = (std::int64_t{blockIdx.x} * warps + warp) * groups; base < tiles.stretches; base += step) {
    const bool busy = group < groups && base + group < tiles.stretches;
    // Parts of an output take turns: neighbours so load and store the same places. Asked for anew where it is needed:
    // a lane has no register for it.
    const auto output_part = [&] { return (static_cast<int>(base) + device::opaque(group)) & (problem.parts() - 1); };
    const std::int64_t stretch = (busy ? base + group : base) >> (problem.parts() - 1);
    const std::int64_t number = stretch / tiles.row_stretches;
    // Where a row's samples and outputs lie is found once, and the row's number, for what is rare, anew. 64-bit
    // products and groups of lanes leave no registers for it.
    constexpr bool keeps_places = !kPacked && !std::is_integral_v<C>;
    const std::int64_t row_here = part.row + number;
    const std::int64_t from_here = operands.signal.offset(operands.loops, row_here);
    const std::int64_t to_here = operands.out.offset(operands.loops, row_here);
    const auto row = [&] {
      if constexpr (keeps_places) {
        const std::int64_t mine = (busy ? base + device::opaque(group) : base) >> (problem.parts() - 1);
        return part.row + mine / tiles.row_stretches;
      } else return row_here;
    };
    const auto from_at = [&] { return keeps_places ? from_here : operands.signal.offset(operands.loops, row()); };
    const auto to_at = [&] { return keeps_places ? to_here : operands.out.offset(operands.loops, row()); };
    // Tiles start early, so that accesses of 16 bytes to the output are aligned.
    std::int64_t o = (stretch - number * tiles.row_stretches) * (std::int64_t{tiles.stretch} * width) -
                     (to_as_is ? misalignment<C>(operands.out.data, to_here) : 0);
    for (int t = 0; t < tiles.stretch; ++t, o += width) {
      const bool active = busy && o < part.outputs;
      if (!any(active)) break;
      C sum[kOutputs] = {};
      if (in_pieces && active) totals.clear();
      for (std::int64_t piece = tiles.last; piece >= 0; piece -= kDirectTaps<C>) {
        const bool second = piece > tiles.last_piece;
        const std::int64_t begin = second ? piece - tiles.last_piece - kDirectTaps<C> : piece;
        const int count = begin == tiles.last_piece ? tiles.last_count : kDirectTaps<C>;
        const detail::Term term =
            detail::term_of(problem.signal_parts > 1, problem.filter_parts > 1, output_part(), second);
        // The samples start early as well, and the taps as much later.
        const std::int64_t start = part.first + o - begin - count + 1;
        const int early = from_as_is ? misalignment<C>(operands.signal.data,
                                                       from_at() + start + term.signal * operands.signal.imaginary)
                                     : 0;
        const int end = early + count;
        const Samples samples{start - early, width + ((end + pack - 1) & -pack), term.signal};
        const std::int64_t after = samples.origin + samples.count;
        const bool inside = samples.origin >= 0 && after <= part.samples;
        const bool touches = active && (inside || extended || (samples.origin < part.samples && after > 0));
        if (!any(touches)) continue;
        __syncwarp();  // the tile before is done with
        if (touches) {
          if (from_as_is && (inside || !extended))
            copy_samples<kOutputs>(operands, from_at, samples, inside, lane, tile);
          else convert_samples(operands, row(), samples, lane, tile);
          if (early != taps_at || tiles.new_taps) {
            const unsigned whole_group = kWholeWarp >> (32 - lanes) << group * lanes;
            const std::int64_t filter = operands.loops.filter_of(row()) * problem.filter_parts + term.filter;
            C const* const from = static_cast<C const*>(problem.taps) + filter * problem.taps_count + begin;
            not_finite = __any_sync(whole_group, load_taps(from, count, term.minus, lane, taps + early)) != 0;
            taps_at = early;
          }
        }
        __pipeline_commit();
        __pipeline_wait_prior(0);
        __syncwarp();
        if (!touches) continue;
        if (not_finite && !inside && !extended)
          add_existing_products(tile, lane.index * kOutputs, taps, early, end,
                                Existing(samples.origin, samples.count, part.samples), sum);
        else add_segment(tile + lane.index * kOutputs, taps, early, end, sum);
        if (in_pieces) totals.add(sum);
      }
      if (in_pieces && active) totals.value(sum);
      if constexpr (kOutputs > pack)
        store_staged(sum, tile, operands, to_at, row, output_part(), o, to_as_is, lane, active);
      else if (active) store_pack(sum, operands, to_at, row, output_part(), o + lane.index * pack, to_as_is);
    }
  }
}

}  // namespace gpuconv::kernels

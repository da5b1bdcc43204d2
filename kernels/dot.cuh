// Few outputs of many taps: sums along the taps by many warps.
//
// A warp adds up a piece of kDotPiece products for up to kDotOutputs outputs of a row: lane l those of taps l, l + 32,
// and so on of the piece, then the lanes in a tree. The sums of pieces are added in a second launch. So an output's
// bits depend on nothing but its window and the filter. Convolution commutes: where the samples are fewer than the
// taps, the pieces are theirs.
#pragma once

#include "elements.cuh"

#include "core/long_sum.hpp"

namespace gpuconv::kernels {

/// Blocks that a multiprocessor has registers for: left to itself the compiler spills a few to make room for more.
inline constexpr int kDotResident = 7;

/// The work that warps take in turn: pieces of one part of groups of outputs of rows.
struct DotItems {
  std::int64_t count;
  unsigned pieces, row_items;  // of a group's part, of a row
};

/// The same number in all lanes.
template <class C>
__device__ inline C sum_of_warp(C value) {
  for (int distance = 16; distance > 0; distance /= 2) value += __shfl_xor_sync(kWholeWarp, value, distance);
  return value;
}

/// What one warp does: products [begin, begin + count) of outputs [output, output + outputs) of a row, the first of
/// which is `k` within the full convolution; of parts of the operands.
struct DotItem {
  std::int64_t row, output, begin, k;
  int outputs, count;
  detail::Term term;
};

/// Adds this lane's products to the sums of J outputs: those of fewer[t] and more[j * step - t].
template <class C, int J>
__device__ __forceinline__ void add_products(C const* fewer, C const* more, std::int64_t step, int count, int lane,
                                             C* sum) {
#pragma unroll 8
  for (int t = lane; t < count; t += 32) {
    const C one = fewer[t];
#pragma unroll
    for (int j = 0; j < J; ++j) sum[j] = multiply_add(one, more[j * step - t], sum[j]);
  }
}

/// The same for one output of operands whose elements are some distance apart.
template <class C>
__device__ __forceinline__ void add_strided_products(C const* fewer, std::int64_t fewer_stride, C const* more,
                                                     std::int64_t more_stride, int count, int lane, C& sum) {
  fewer += lane * fewer_stride, more -= lane * more_stride;
#pragma unroll 4
  for (int t = lane; t < count; t += 32, fewer += 32 * fewer_stride, more -= 32 * more_stride)
    sum = multiply_add(*fewer, *more, sum);
}

/// This lane's products of output `k`, of any types, where both samples and taps exist.
template <class C>
__device__ inline C existing_products(Dot const& d, C const* taps, DotItem const& item, std::int64_t k, int lane) {
  Operands const& operands = d.operands;
  C sum = 0;
  visit_type(operands.signal.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (detail::kConverts<T, C>) {
      T const* const from = row_of<T>(operands.signal, operands.loops, item.row, item.term.signal);
      for (int t = lane; t < item.count; t += 32) {
        const std::int64_t fewer = item.begin + t, more = k - fewer;
        const std::int64_t sample = d.swapped ? fewer : more, tap = d.swapped ? more : fewer;
        if (sample >= 0 && sample < operands.part.samples && tap >= 0 && tap < d.taps_count)
          sum = multiply_add(static_cast<C>(from[sample * operands.signal.stride]), taps[tap], sum);
      }
    }
  });
  return sum;
}

/// This lane's part of all sums of an item.
template <class C>
__device__ __forceinline__ void add_item(Dot const& d, DotItem const& item, int lane, C (&sum)[kDotOutputs]) {
  Operands const& operands = d.operands;
  const std::int64_t filter = operands.loops.filter_of(item.row) * d.filter_parts + item.term.filter;
  C const* const taps = static_cast<C const*>(d.taps) + filter * d.taps_count;
  const std::int64_t size = d.swapped ? d.taps_count : operands.part.samples;  // of the operand with more
  const bool inside =
      item.k - (item.begin + item.count - 1) >= 0 && item.k + (item.outputs - 1) * d.step - item.begin < size;
  if (inside && detail::same_bits<C>(operands.signal.type)) {
    C const* const samples = row_of<C>(operands.signal, operands.loops, item.row, item.term.signal);
    if (const std::int64_t stride = operands.signal.stride; stride != 1) {
      const std::int64_t fewer = d.swapped ? stride : 1, more = d.swapped ? 1 : stride;
      C const *const a = (d.swapped ? samples : taps) + item.begin * fewer, *const b = (d.swapped ? taps : samples) +
                                                                                       (item.k - item.begin) * more;
#pragma unroll
      for (int j = 0; j < kDotOutputs; ++j)
        if (j < item.outputs) add_strided_products(a, fewer, b + j * d.step * more, more, item.count, lane, sum[j]);
      return;
    }
    C const *const fewer = (d.swapped ? samples : taps) + item.begin, *const more = (d.swapped ? taps : samples) +
                                                                                    (item.k - item.begin);
    if (item.outputs == kDotOutputs) return add_products<C, kDotOutputs>(fewer, more, d.step, item.count, lane, sum);
#pragma unroll
    for (int j = 0; j < kDotOutputs; ++j)
      if (j < item.outputs) add_products<C, 1>(fewer, more + j * d.step, 0, item.count, lane, sum + j);
    return;
  }
#pragma unroll 1
  for (int j = 0; j < item.outputs; ++j) {
    const C one = existing_products(d, taps, item, item.k + j * d.step, lane);
#pragma unroll
    for (int q = 0; q < kDotOutputs; ++q)
      if (q == j) sum[q] = one;  // registers have no index
  }
}

template <class C>
__global__ void __launch_bounds__(kDotThreads, kDotResident) dot_kernel(__grid_constant__ const Dot d, DotItems items) {
  constexpr int warps = kDotThreads / 32;
  Part const& part = d.operands.part;
  const int lane = static_cast<int>(threadIdx.x % 32);
  const std::int64_t products = d.products(), step = std::int64_t{gridDim.x} * warps;
  const auto term_pieces = static_cast<unsigned>(d.term_pieces());
  for (std::int64_t i = std::int64_t{blockIdx.x} * warps + threadIdx.x / 32; i < items.count; i += step) {
    const std::int64_t number = i / items.row_items;
    const auto in_row = static_cast<unsigned>(i - number * items.row_items);
    const unsigned turn = in_row / items.pieces, piece = in_row - turn * items.pieces;
    const unsigned group = turn >> (d.parts() - 1), second = piece >= term_pieces ? 1 : 0;
    const int output_part = static_cast<int>(turn) & (d.parts() - 1);
    DotItem item{
        .row = part.row + number,
        .output = std::int64_t{group} * kDotOutputs,
        .begin = std::int64_t{piece - second * term_pieces} * kDotPiece,
        .k = 0,
        .outputs = 0,
        .count = 0,
        .term = detail::term_of(d.signal_parts > 1, d.filter_parts > 1, output_part, static_cast<int>(second))};
    item.k = part.first + item.output * d.step;
    item.outputs = static_cast<int>(min(std::int64_t{kDotOutputs}, part.outputs - item.output));
    item.count = static_cast<int>(min(kDotPiece, products - item.begin));
    C sum[kDotOutputs] = {}, mine = 0;
    add_item(d, item, lane, sum);
#pragma unroll
    for (int j = 0; j < kDotOutputs; ++j) {
      const C total = sum_of_warp(sum[j]);
      if (lane == j) mine = total;
    }
    if (lane >= item.outputs) continue;
    if (item.term.minus) mine = -mine;
    const std::int64_t output = item.output + lane;
    if (items.pieces > 1)
      static_cast<C*>(d.partial)[((number * part.outputs + output) * d.parts() + output_part) * items.pieces + piece] =
          mine;
    else
      store_row<C>(d.operands.out, d.operands.loops, item.row, output_part, part.outputs, output, 0, 1, 1,
                   [&](int) { return mine; });
  }
}

/// A warp for each part of each output: lane l adds the pieces l, l + 32, and so on.
template <class C>
__global__ void __launch_bounds__(kDotThreads) add_pieces_kernel(__grid_constant__ const Dot d, DotItems items) {
  constexpr int warps = kDotThreads / 32;
  Part const& part = d.operands.part;
  const int lane = static_cast<int>(threadIdx.x % 32);
  const std::int64_t step = std::int64_t{gridDim.x} * warps;
  for (std::int64_t i = std::int64_t{blockIdx.x} * warps + threadIdx.x / 32; i < items.count; i += step) {
    C const* const from = static_cast<C const*>(d.partial) + i * items.pieces;
    detail::LongSum<C> total;
    for (unsigned p = static_cast<unsigned>(lane); p < items.pieces; p += 32) total.add(from[p]);
    const C sum = sum_of_warp(total.value());
    const std::int64_t output = i >> (d.parts() - 1), number = output / part.outputs;
    if (lane == 0)
      store_row<C>(d.operands.out, d.operands.loops, part.row + number, static_cast<int>(i) & (d.parts() - 1),
                   part.outputs, output - number * part.outputs, 0, 1, 1, [&](int) { return sum; });
  }
}

}  // namespace gpuconv::kernels

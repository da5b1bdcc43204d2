// When the outputs of a block cannot be trusted, the block is repeated: without the samples that are not finite, and
// scaled so that nothing overflows or loses its digits on the way.
#pragma once

#include "not_finite.cuh"

#include <climits>

namespace gpuconv::kernels {

/// Threads that work on one block together: a block of threads, or a part of a warp.
struct Group {
  int thread, threads;

  /// Waits for the group, or for the warp where groups share one.
  __device__ void wait() const {
    if (threads > 32) __syncthreads();
    else __syncwarp();
  }
  /// Whether any thread of the group says so; waits as `wait` does.
  __device__ bool any(bool yes) const {
    if (threads > 32) return __syncthreads_or(yes);
    const unsigned votes = __ballot_sync(kWholeWarp, yes);
    __syncwarp();
    return (votes >> (threadIdx.x % 32 / threads * threads) & kWholeWarp >> (32 - threads)) != 0;
  }
  /// Whether any thread of all groups that wait for each other says so.
  __device__ bool any_beside(bool yes) const {
    if (threads > 32) return __syncthreads_or(yes);
    const bool any = __any_sync(kWholeWarp, yes);
    __syncwarp();
    return any;
  }
};

/// The result of a look at the samples of a block that is repeated.
struct Found {
  static constexpr unsigned repeated = 4;  // beside kInfinite and kNan
  static constexpr int only_zeros = INT_MIN;

  int exponent = 0;    // of a power of two about as large as the largest finite sample
  unsigned kinds = 0;  // of samples that are not finite
};

/// Whether a group does not trust the outputs that it has stored, and it or one that it shares a warp with has to
/// repeat its block. `found` says what of, and is empty where there is no need. `unsafe`: one of the thread's outputs
/// is not finite or close to overflow; `large`: one is large enough for its digits to be right.
template <class C>
__device__ __attribute__((noinline)) bool must_repeat(Fused const& p, std::int64_t row, std::int64_t output, int size,
                                                      bool exists, bool unsafe, bool large, Group group, Found* found) {
  const bool any_unsafe = group.any(unsafe), any_large = group.any(large);
  const bool asked = exists && found->kinds == 0 && (any_unsafe || !any_large);
  if (!group.any_beside(asked)) return false;

  if (asked && group.thread == 0) *found = {Found::only_zeros, Found::repeated};
  group.wait();
  C largest = 0;
  unsigned kinds = 0;
  Operands const& operands = p.operands;
#pragma unroll 1
  for (int part = 0; part < operands.signal_parts(); ++part)
    load_row<C>(operands.signal, operands.loops, row, part, operands.part.samples,
                operands.part.first + output - p.skip, group.thread, asked ? size : 0, group.threads,
                [&](int, C x) { look_at(x, largest, kinds); });
  if (largest > 0) atomicMax(&found->exponent, exponent_above(largest));
  if (kinds != 0) atomicOr(&found->kinds, kinds);
  group.wait();
  const bool zeros = found->exponent == Found::only_zeros;
  group.wait();
  if (zeros && group.thread == 0) found->exponent = 0;
  return group.any_beside(asked && (any_unsafe || !zeros || !all_finite<C>(p.filters, operands.loops.filter_of(row))));
}

/// What follows the outputs of a block that was repeated. `words`: for the SignSets of the block and of the filter.
template <class C>
__device__ __attribute__((noinline)) void finish_repeated(Fused const& p, std::int64_t row, std::int64_t output,
                                                          int count, int size, Group group, unsigned kinds,
                                                          Word* words) {
  const std::int64_t filter = p.operands.loops.filter_of(row);
  const bool finite = all_finite<C>(p.filters, filter);
  const bool asked = kinds != 0 && (kinds != Found::repeated || !finite);
  if (!group.any_beside(asked)) return;
  BlockSets<int> sets{nullptr,        words, size, static_cast<int>(p.filters.columns), p.operands.signal_parts(),
                      p.filters.parts};
  sets.words = words + sets.level_count();
  for (int i = group.thread; asked && i < sets.level_count(); i += group.threads) sets.levels[i] = 0;
  group.wait();
  if (asked) {
    find_sample_signs<C>(p.operands, row, p.operands.part.first + output - p.skip, sets, group.thread, group.threads);
    find_tap_signs<C>(p.filters, filter, sets, group.thread, group.threads);
  }
  group.wait();
  if (asked)
    put_not_finite<C>(p.operands, sets, kinds, finite, row, output, count, p.skip, group.thread * 64,
                      group.threads * 64);
}

}  // namespace gpuconv::kernels

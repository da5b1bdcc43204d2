// How the blocks of a fused overlap-save are transformed: what host and device have to agree on.
#pragma once

#include "core/elements.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace gpuconv::kernels {

/// A transform of `points` complex points, a block of twice as many real samples folded (see twiddle_tree.hpp). It
/// takes `passes` passes, each of butterflies of radix[p] points stride(p) apart; between passes the points change
/// threads by way of shared memory. Butterfly `i` of a pass works on node i / stride(p), from point i % stride(p) of it
/// on.
struct FusedShape {
  int points;
  int per_thread;  // points in a thread's registers
  int passes;
  int radix[3];
  int resident;  // blocks of threads that a multiprocessor shall have registers for
  int slots;     // instructions that a thread issues for a block, as predictions.txt counts them for sm_90
  /// Whether the tables hold only what the rest can be computed from, in a few more operations: with all of them they
  /// would not stay in the first-level cache beside the shared memory.
  bool compact = false;

  constexpr int size() const { return 2 * points; }  // samples
  constexpr int threads() const { return points / per_thread; }
  /// Transforms that a block of threads works on side by side: several where they wait for each other within a warp.
  constexpr int groups() const { return threads() <= 32 ? 128 / threads() : 1; }
  constexpr int block_threads() const { return groups() * threads(); }

  constexpr int last() const { return passes - 1; }
  /// Sub-transforms before pass p, and points between a butterfly's points.
  constexpr int nodes(int pass) const {
    int n = 1;
    for (int p = 0; p < pass; ++p) n *= radix[p];
    return n;
  }
  constexpr int stride(int pass) const { return points / nodes(pass + 1); }
  /// Whether the points that pass `pass` writes are read by the same warp in the next.
  constexpr bool within_warp(int pass) const {
    return threads() <= 32 || (stride(pass) <= 32 && radix[pass] == radix[pass + 1]);
  }

  /// One place of padding after as many points as the last butterflies have, so that neither they nor their neighbours
  /// meet in a bank of shared memory.
  constexpr int padded(int point) const { return point + point / radix[last()]; }

  // Tables, in complex numbers: of each pass but the first, the trees of its nodes on the way down; of each pass but
  // the last, those of its points on the way up; then the weights of the points, or of the threads' first ones where
  // the tables are compact. A thread reads two numbers at a time: those of one tree are as many pairs apart as the pass
  // has trees, those of one thread's weights as many as there are threads.
  constexpr int tree_size(int pass) const {
    const int levels = std::countr_zero(static_cast<unsigned>(radix[pass]));
    return compact ? (levels + 1) / 2 * 2 : radix[pass] / 2;
  }
  constexpr int split_trees(int pass) const { return nodes(pass); }
  constexpr int merge_trees(int pass) const { return stride(pass); }
  constexpr int split_table(int pass) const {  // starts here
    int at = 0;
    for (int p = 1; p < pass; ++p) at += split_trees(p) * tree_size(p);
    return at;
  }
  constexpr int merge_table(int pass) const {
    int at = split_table(passes);
    for (int p = 0; p < pass; ++p) at += merge_trees(p) * tree_size(p);
    return at;
  }
  constexpr int weight_table() const { return merge_table(last()); }
  constexpr int weights() const { return compact ? 2 * threads() : points; }
  constexpr int table() const { return weight_table() + weights(); }
};

/// From short to long. Few passes, so radices up to what a thread's registers hold; the outer transforms of the long
/// ones are left with what 16 x 16 points leave.
inline constexpr FusedShape kFusedFloat[] = {
    {.points = 256, .per_thread = 16, .passes = 2, .radix = {16, 16}, .resident = 6, .slots = 1250},
    {.points = 512, .per_thread = 32, .passes = 2, .radix = {32, 16}, .resident = 4, .slots = 2600},
    {.points = 1024, .per_thread = 32, .passes = 2, .radix = {32, 32}, .resident = 4, .slots = 2810},
    {.points = 2048, .per_thread = 16, .passes = 3, .radix = {8, 16, 16}, .resident = 5, .slots = 1650},
    {.points = 4096, .per_thread = 16, .passes = 3, .radix = {16, 16, 16}, .resident = 3, .slots = 1740},
    {.points = 8192,
     .per_thread = 32,
     .passes = 3,
     .radix = {32, 16, 16},
     .resident = 2,
     .slots = 3700,
     .compact = true},
};
inline constexpr FusedShape kFusedDouble[] = {
    {.points = 256, .per_thread = 16, .passes = 2, .radix = {16, 16}, .resident = 3, .slots = 1270},
    {.points = 1024, .per_thread = 16, .passes = 3, .radix = {4, 16, 16}, .resident = 6, .slots = 1630},
    {.points = 4096,
     .per_thread = 16,
     .passes = 3,
     .radix = {16, 16, 16},
     .resident = 2,
     .slots = 1870,
     .compact = true},
};

/// The properties of a shape that the kernel takes for granted.
constexpr bool is_sound(FusedShape const& s) {
  bool sound = s.nodes(s.passes) == s.points && s.points % s.per_thread == 0 && s.threads() <= 1024;
  // A thread has whole butterflies, and a pass's points lie next to each other or in whole units of padding.
  for (int p = 0; p < s.passes; ++p)
    sound &=
        s.radix[p] >= 4 && s.per_thread % s.radix[p] == 0 && (s.stride(p) == 1 || s.stride(p) % s.radix[s.last()] == 0);
  // The weights between a thread's points are in the code, by whole 64ths of half a turn.
  if (s.compact) sound &= s.radix[0] == s.per_thread && 32 % s.radix[0] == 0;
  return sound;
}
static_assert([] {
  bool sound = true;
  for (FusedShape const& s : kFusedFloat) sound &= is_sound(s);
  for (FusedShape const& s : kFusedDouble) sound &= is_sound(s);
  return sound;
}());

/// The shapes of a type to compute in.
constexpr std::span<FusedShape const> fused_shapes(Type compute) {
  if (compute == Type::float32) return kFusedFloat;
  if (compute == Type::float64) return kFusedDouble;
  return {};
}

/// Shared memory of a block of threads.
constexpr std::size_t fused_shared_bytes(Type compute, FusedShape const& s) {
  return static_cast<std::size_t>(s.groups()) * static_cast<std::size_t>(s.padded(s.points)) * 2 * size_of(compute);
}

template <class C>
constexpr FusedShape fused_shape(int i) {
  return fused_shapes(type_of<C>)[static_cast<std::size_t>(i)];
}

}  // namespace gpuconv::kernels

// Overlap-save in one kernel: a block of a row's samples is read, transformed, multiplied by the filter's spectrum,
// transformed back and stored, by one group of threads that has it in registers all the while. Every sample is read
// once, but for the overlap, and every output written once.
#pragma once

#include "fused_shapes.hpp"
#include "repeat.cuh"

#define GPUCONV_INLINE __device__ __forceinline__
#define GPUCONV_TRANSFORM_NAMESPACE kernels::transform
namespace gpuconv::kernels::transform {
GPUCONV_INLINE float twice_minus(float a, float b) { return fmaf(2, a, -b); }
GPUCONV_INLINE double twice_minus(double a, double b) { return fma(2, a, -b); }
}  // namespace gpuconv::kernels::transform
#include "core/twiddle_tree.hpp"

namespace gpuconv::kernels {

using transform::Tree;
template <class C>
using Point = transform::Complex<C>;

/// Points of 16 bytes, and reads of them from memory that no kernel writes while this one runs.
template <class C>
inline constexpr int kPackPoints = kPackBytes / static_cast<int>(sizeof(Point<C>));
__device__ inline void load_points(Point<float> const* from, Point<float>* to) {
  const float4 p = __ldg(reinterpret_cast<float4 const*>(from));
  to[0] = {p.x, p.y}, to[1] = {p.z, p.w};
}
__device__ inline void load_points(Point<double> const* from, Point<double>* to) {
  const double2 p = __ldg(reinterpret_cast<double2 const*>(from));
  to[0] = {p.x, p.y};
}

/// Complex elements as they lie, aligned as whole ones.
template <class C>
__device__ inline Point<C> point_at(C const* from) {
  using Whole = std::conditional_t<std::is_same_v<C, float>, float2, double2>;
  const Whole p = *reinterpret_cast<Whole const*>(from);
  return {p.x, p.y};
}
template <class C>
__device__ inline void put_point(Point<C> p, C* to) {
  using Whole = std::conditional_t<std::is_same_v<C, float>, float2, double2>;
  *reinterpret_cast<Whole*>(to) = {p.re, p.im};
}

/// `count` points that lie as the tables and spectra do: a pack every `step` packs.
template <int kCount, class C>
__device__ __forceinline__ void load_packs(Point<C> const* from, int step, Point<C> (&to)[kCount]) {
  constexpr int pack = kPackPoints<C>;
#pragma unroll
  for (int i = 0; i < kCount; i += pack) load_points(from + i * step, to + i);
}

/// The thread's part in a group's transform of one block.
template <class C, FusedShape S>
class FusedBlock {
 public:
  /// Butterflies of a thread in a pass.
  template <int kPass>
  static constexpr int kButterflies = S.per_thread / S.radix[kPass];

  __device__ FusedBlock(Point<C>* shared, Point<C> const* tables)
      : thread_(static_cast<int>(threadIdx.x) - number() * S.threads()),
        shared_(shared + number() * S.padded(S.points)),
        tables_(tables) {}

  /// Number of the group in its block of threads, of the thread in its group.
  __device__ static int number() { return S.groups() == 1 ? 0 : static_cast<int>(threadIdx.x) / S.threads(); }
  __device__ int thread() const { return thread_; }
  __device__ Group group() const { return {thread_, S.threads()}; }
  /// The group's part of the shared memory, for as many samples as the block has.
  __device__ C* samples() const { return reinterpret_cast<C*>(shared_); }

  /// In the last place of padding, which no point has and no signs (finish_repeated).
  __device__ Found* found() const {
    static_assert(S.padded(S.points - 1) < S.padded(S.points) - 1 && sizeof(Found) <= sizeof(Point<C>));
    constexpr int room = (S.padded(S.points) - 1) * static_cast<int>(sizeof(Point<C>) / sizeof(Word));
    static_assert(2 * kSigns * detail::bit_set_words(S.size()) <= room);
    static_assert(4 * kSigns * detail::bit_set_words(S.points) <= room);  // of both parts
    return reinterpret_cast<Found*>(shared_ + S.padded(S.points) - 1);
  }

  /// Whether all groups that share a warp say so; a group's threads say the same.
  __device__ static bool all(bool yes) {
    if constexpr (S.threads() < 32) return __all_sync(kWholeWarp, yes);
    else return yes;
  }
  /// Sample j of the block and sample j + points are one point: `from` has sample thread().
  __device__ __forceinline__ void load(C const* from) {
#pragma unroll
    for (int b = 0; b < kButterflies<0>; ++b)
#pragma unroll
      for (int m = 0; m < S.radix[0]; ++m) {
        C const* const x = from + place(b, m);
        v_[b * S.radix[0] + m] = {x[0], x[S.points]};
      }
  }

  /// Complex sample j is point j, the same transform unfolded: `from` has sample thread().
  __device__ __forceinline__ void load_points(C const* from) {
#pragma unroll
    for (int b = 0; b < kButterflies<0>; ++b)
#pragma unroll
      for (int m = 0; m < S.radix[0]; ++m) v_[b * S.radix[0] + m] = point_at(from + 2 * place(b, m));
  }

  /// Down to where only the last pass is left.
  __device__ __forceinline__ void forward() {
#pragma unroll
    for (int b = 0; b < kButterflies<0>; ++b) {
      Point<C>* const v = v_ + b * S.radix[0];
      transform::split<S.radix[0]>(v, transform::ConstantTree<C, 1>{});
      put<0>(v, b);
    }
    exchanged<0>();
    if constexpr (S.passes == 3) {
#pragma unroll
      for (int b = 0; b < kButterflies<1>; ++b) {
        get<1>(v_, b);
        transform::split<S.radix[1]>(v_, split_tree<1>(b));
        put<1>(v_, b);
      }
      exchanged<1>();
    }
  }

  /// The last pass, down to the values at the roots: they are the spectrum of a filter.
  __device__ __forceinline__ void store_spectrum(Point<C>* to) {
    constexpr int radix = S.radix[S.last()], pack = kPackPoints<C>;
    constexpr C scale = C(1) / S.points;  // neither `split` nor `merge` divides
    to += thread_ * pack;
#pragma unroll
    for (int b = 0; b < kButterflies<S.last()>; ++b) {
      get<S.last()>(v_, b);
      transform::split<radix>(v_, split_tree<S.last()>(b));
#pragma unroll
      for (int i = 0; i < radix; ++i) to[value_at(b * radix + i) + i % pack] = {v_[i].re * scale, v_[i].im * scale};
    }
  }

  /// The last pass, down and up again: the values are multiplied by those of the filter.
  __device__ __forceinline__ void multiply(Point<C> const* spectrum) {
    constexpr int radix = S.radix[S.last()], pack = kPackPoints<C>;
    spectrum += thread_ * pack;
#pragma unroll
    for (int b = 0; b < kButterflies<S.last()>; ++b) {
      get<S.last()>(v_, b);
      transform::split<radix>(v_, split_tree<S.last()>(b));
#pragma unroll
      for (int i = 0; i < radix; i += pack) {
        Point<C> h[pack];
        kernels::load_points(spectrum + value_at(b * radix + i), h);
#pragma unroll
        for (int e = 0; e < pack; ++e) v_[i + e] = transform::multiply(v_[i + e], h[e].re, h[e].im);
      }
      transform::merge<radix>(v_, transform::ConstantTree<C, 0>{});
      put<S.last()>(v_, b);
    }
    exchanged<S.last() - 1>();
  }

  /// Up to the block's samples, in the places where `load` took them from.
  __device__ __forceinline__ void inverse() {
    if constexpr (S.passes == 3) {
#pragma unroll
      for (int b = 0; b < kButterflies<1>; ++b) {
        get<1>(v_, b);
        transform::merge<S.radix[1]>(v_, merge_tree<1>(b));
        put<1>(v_, b);
      }
      exchanged<0>();
    }
#pragma unroll
    for (int b = 0; b < kButterflies<0>; ++b) {
      Point<C>* const v = v_ + b * S.radix[0];
      get<0>(v, b);
      transform::merge<S.radix[0]>(v, merge_tree<0>(b));
    }
    unweight();
  }

  __device__ __forceinline__ void scale(Power<C> const& by) {
#pragma unroll
    for (Point<C>& v : v_) v = {v.re * by.half * by.rest, v.im * by.half * by.rest};
  }

  /// f(j, sample) for each of the thread's samples of the block, j counted from sample thread().
  __device__ __forceinline__ void each(auto&& f) {
#pragma unroll
    for (int b = 0; b < kButterflies<0>; ++b)
#pragma unroll
      for (int m = 0; m < S.radix[0]; ++m) {
        const Point<C> v = v_[b * S.radix[0] + m];
        f(place(b, m), v.re);
        f(place(b, m) + S.points, v.im);
      }
  }

 private:
  __device__ static constexpr int place(int b, int m) { return S.threads() * b + S.stride(0) * m; }

  /// Where spectra and weights have the pack with value `i` of a thread, from that with its first: as threads read
  /// them.
  __device__ static constexpr int value_at(int i) { return i / kPackPoints<C> * kPackPoints<C> * S.threads(); }

  /// In shared memory, of the first point of the thread's butterfly `b` of a pass; the others follow at fixed
  /// distances.
  template <int kPass>
  __device__ int at(int b) const {
    constexpr int stride = S.stride(kPass);
    const int butterfly = device::opaque(thread_) + S.threads() * b;
    return S.padded(butterfly / stride * stride * S.radix[kPass] + butterfly % stride);
  }
  template <int kPass>
  static constexpr int kStep = S.stride(kPass) == 1 ? 1 : S.padded(S.stride(kPass));

  template <int kPass>
  __device__ __forceinline__ void get(Point<C>* v, int b) const {
    Point<C> const* const from = shared_ + at<kPass>(b);
#pragma unroll
    for (int m = 0; m < S.radix[kPass]; ++m) v[m] = from[m * kStep<kPass>];
  }
  template <int kPass>
  __device__ __forceinline__ void put(Point<C> const* v, int b) {
    Point<C>* const to = shared_ + at<kPass>(b);
#pragma unroll
    for (int m = 0; m < S.radix[kPass]; ++m) to[m * kStep<kPass>] = v[m];
  }
  /// Between two passes, that of pass `kPass` and the next one on the way down.
  template <int kPass>
  __device__ static void exchanged() {
    if constexpr (S.within_warp(kPass)) __syncwarp();
    else __syncthreads();
  }

  template <int kPass>
  __device__ __forceinline__ Tree<C, S.radix[kPass]> split_tree(int b) const {
    const int node = (thread_ + S.threads() * b) / S.stride(kPass);
    return tree<kPass>(S.split_table(kPass), S.split_trees(kPass), node);
  }
  template <int kPass>
  __device__ __forceinline__ Tree<C, S.radix[kPass]> merge_tree(int b) const {
    const int point = (thread_ + S.threads() * b) % S.stride(kPass);
    return tree<kPass>(S.merge_table(kPass), S.merge_trees(kPass), point);
  }
  template <int kPass>
  __device__ __forceinline__ Tree<C, S.radix[kPass]> tree(int table, int trees, int i) const {
    Point<C> const* const from = tables_ + table + i * kPackPoints<C>;
    Tree<C, S.radix[kPass]> t;
    if constexpr (S.compact) {
      Point<C> stems[S.tree_size(kPass)];
      load_packs(from, trees, stems);
      t.grow(stems);
    } else load_packs(from, trees, t.w);
    return t;
  }

  /// Takes the weights of the right angle off the points: exp(i pi j / 2 points) of point j.
  __device__ __forceinline__ void unweight() {
    constexpr int pack = kPackPoints<C>;
    Point<C> const* const weights = tables_ + S.weight_table() + thread_ * pack;
    Point<C> u[pack];
    if constexpr (S.compact) {
      kernels::load_points(weights, u);
      [&]<int... I>(std::integer_sequence<int, I...>) {
        (remove(v_[I], transform::turn<place(I / S.radix[0], I % S.radix[0]) * 32 / S.points>(u[0])), ...);
      }
      (std::make_integer_sequence<int, S.per_thread>{});
    } else {
#pragma unroll
      for (int i = 0; i < S.per_thread; i += pack) {
        kernels::load_points(weights + value_at(i), u);
#pragma unroll
        for (int e = 0; e < pack; ++e) remove(v_[i + e], u[e]);
      }
    }
  }
  __device__ static void remove(Point<C>& v, Point<C> w) { v = transform::multiply_conjugate(v, w.re, w.im); }

  int thread_;
  Point<C>* shared_;
  Point<C> const* tables_;
  Point<C> v_[S.per_thread];
};

/// The group's samples [origin, origin + count) of a row to `to`, converted and scaled, zero outside the row; of
/// complex data the imaginary parts `points` places behind the real ones, zero where there are none. `clean`: zero also
/// in place of what is not finite.
template <class C>
__device__ __attribute__((noinline)) void stage_samples(Fused const& p, std::int64_t row, std::int64_t origin,
                                                        int count, int points, int exponent, bool clean, Group group,
                                                        C* to) {
  Operands const& operands = p.operands;
  const Power<C> scale(exponent);
#pragma unroll 1
  for (int part = 0; part < (p.complex ? 2 : 1); ++part, to += points) {
    if (part < operands.signal_parts()) {
      load_row<C>(operands.signal, operands.loops, row, part, operands.part.samples, origin, group.thread, count,
                  group.threads,
                  [&](int i, C x) { to[i] = clean && !is_finite(x) ? C(0) : x * scale.half * scale.rest; });
    } else {
      for (int i = group.thread; i < count; i += group.threads) to[i] = C(0);
    }
  }
}

/// The group's `count` results at `from`, those of complex data as `stage_samples` lays them out, to the outputs from
/// `output` on of a row. Returns the sum of the magnitudes of those that this thread has stored.
template <class C>
__device__ __attribute__((noinline)) C store_results(Fused const& p, std::int64_t row, std::int64_t output, int count,
                                                     int points, Group group, C const* from) {
  Operands const& operands = p.operands;
  C sum = 0;
  if (p.whole_out) {
    C* const to = static_cast<C*>(operands.out.data) + operands.out.offset(operands.loops, row) + 2 * output;
#pragma unroll 4
    for (int i = group.thread; i < count; i += group.threads) {
      const Point<C> y{from[i], from[i + points]};
      put_point(y, to + 2 * i);
      sum += fabs(y.re) + fabs(y.im);
    }
    return sum;
  }
#pragma unroll 1
  for (int part = 0; part < operands.out_parts(); ++part, from += points) {
    for (int i = group.thread; i < count; i += group.threads) sum += fabs(from[i]);
    store_row<C>(operands.out, operands.loops, row, part, operands.part.outputs, output, group.thread, count,
                 group.threads, [&](int i) { return from[i]; });
  }
  return sum;
}

/// Where a group's block is: its row within the part, its number in the row. `exists`: it is one of the launch's.
struct FusedPlace {
  int part_row, number;
  bool exists;

  __device__ std::int64_t row(Fused const& p) const { return p.operands.part.row + part_row; }
  __device__ std::int64_t filter(Fused const& p) const { return p.operands.loops.filter_of(row(p)); }
  /// The first output in the row, their number, the block's first sample in the row.
  __device__ std::int64_t output(Fused const& p) const { return std::int64_t{number} * p.step; }
  __device__ int count(Fused const& p) const {
    return exists ? static_cast<int>(min(std::int64_t{p.step}, p.operands.part.outputs - output(p))) : 0;
  }
  __device__ std::int64_t origin(Fused const& p) const { return p.operands.part.first - p.skip + output(p); }
};

/// Whether the block's outputs, whose magnitudes `sum` is of this thread's, may be wrong: not finite or close to
/// overflow, or so small that they have lost digits.
template <class C>
struct Doubt {
  bool unsafe, large;
  __device__ Doubt(Fused const& p, FusedPlace const& place, C sum)
      : unsafe(!(sum <= kLargest<C> / 2)), large(sum >= facts_of<C>(p.filters, place.filter(p)).small) {}
};

/// Each group has one block of one row, and ends with it: a loop over blocks would keep registers that a transform
/// needs. The loop that there is repeats a block, and starts from nothing but the thread's number.
template <class C, int kShape>
__global__ void __launch_bounds__(fused_shape<C>(kShape).block_threads(), fused_shape<C>(kShape).resident)
    fused_kernel(__grid_constant__ const Fused p) {
  constexpr FusedShape S = fused_shape<C>(kShape);
  FusedBlock<C, S> block(device::dynamic_shared<Point<C>>(), static_cast<Point<C> const*>(p.tables));
  Operands const& operands = p.operands;

  // Groups that share a warp stay together: one past the end works on whatever its memory holds and stores nothing.
  const unsigned index = blockIdx.x * S.groups() + block.number(), row_blocks = p.row_blocks;
  const bool exists = S.groups() == 1 || index < p.blocks;
  // What follows from it is worked out anew where it is needed: registers are what a block has least of.
  const FusedPlace place{exists ? static_cast<int>(index / row_blocks) : 0,
                         exists ? static_cast<int>(index % row_blocks) : 0, exists};

  const auto size = [&] { return p.complex ? S.points : S.size(); };  // samples
  const bool as_is = p.complex ? p.whole_in : operands.signal.is_array_of<C>();
  const bool inside =
      exists && !p.sets_filter && as_is && place.origin(p) >= 0 && place.origin(p) + size() <= operands.part.samples;
  if (block.all(inside)) {
    C const* const from = row_of<C>(operands.signal, operands.loops, place.row(p));
    if (p.complex) block.load_points(from + 2 * (place.origin(p) + block.thread()));
    else block.load(from + place.origin(p) + block.thread());
  } else {
    const int exponent = p.sets_filter ? -tap_exponent<C>(p.filters, place.filter(p)) : 0;
    stage_samples(p, place.row(p), place.origin(p), exists ? size() : 0, S.points, exponent, p.sets_filter,
                  block.group(), block.samples());
    block.group().wait();
    block.load(block.samples() + block.thread());
    block.group().wait();
  }
  if (block.thread() == 0) *block.found() = {};

  for (;;) {
    auto* const spectrum = static_cast<Point<C>*>(p.filters.spectra) + place.filter(p) * S.points;
    block.forward();
    if (p.sets_filter) {
      if (exists) {
        block.store_spectrum(spectrum);
        if (block.thread() == 0) keep_facts<C>(p.filters, place.filter(p), size());
      }
      return;
    }
    block.multiply(spectrum);
    block.inverse();
    const int exponent = facts_of<C>(p.filters, place.filter(p)).exponent + block.found()->exponent;
    if (exponent != 0) block.scale(Power<C>(exponent));

    const int count = place.count(p);
    C sum = 0;                                          // of the outputs' magnitudes
    if (p.complex || !operands.out.is_array_of<C>()) {  // by way of shared memory, which the last pass has read
      block.group().wait();
      C* const stage = block.samples() + block.thread();
      block.each([&](int j, C y) { stage[j] = y; });
      block.group().wait();
      sum = store_results(p, place.row(p), place.output(p), count, S.points, block.group(), block.samples() + p.skip);
    } else {
      const int first = p.skip - block.thread(), end = first + count;
      C* const to = static_cast<C*>(operands.out.data) + operands.out.offset(operands.loops, place.row(p)) +
                    place.output(p) + block.thread() - p.skip;
      if (p.skip <= S.points && count == p.step) {
        block.each([&](int j, C y) {
          if (j >= S.points || j >= first) to[j] = y, sum += fabs(y);
        });
      } else {
        block.each([&](int j, C y) {
          const bool wanted = j >= first && j < end;
          if (wanted) to[j] = y;
          sum += fabs(wanted ? y : C(0));
        });
      }
    }
    const Doubt<C> doubt(p, place, sum);
    if (!block.group().any_beside(doubt.unsafe || !doubt.large || block.found()->kinds != 0)) return;
    if (block.group().any_beside(block.found()->kinds != 0)) {
      finish_repeated<C>(p, place.row(p), place.output(p), count, size(), block.group(), block.found()->kinds,
                         reinterpret_cast<Word*>(block.samples()));
      return;
    }
    if (!must_repeat<C>(p, place.row(p), place.output(p), size(), exists, doubt.unsafe, doubt.large, block.group(),
                        block.found()))
      return;
    stage_samples(p, place.row(p), place.origin(p), exists ? size() : 0, S.points, -block.found()->exponent,
                  block.found()->kinds != 0, block.group(), block.samples());
    block.group().wait();
    block.load(block.samples() + block.thread());
    block.group().wait();
  }
}

}  // namespace gpuconv::kernels

// Transforms of R points in registers, R a power of two up to 32, as trees of one butterfly:
// (a, b) -> (a + w b, a - w b), six operations with a multiply-add.
//
// `split` goes down. A node holds a polynomial in t modulo t^R - exp(i phi); with w = exp(i phi / 2) it splits into the
// remainders modulo t^(R/2) - w and t^(R/2) + w, and so on down to values at the R roots. Neither the input nor the
// twiddles depend on a sample's place within the node: a pass over strided points needs R / 2 constants, and the
// weighting of a right-angle transform, phi = pi / 2, costs nothing (Bernstein, "Multidigit multiplication for
// mathematicians", 2001, sections 3 to 5).
//
// `merge` goes up: decimation in time, from values in the order that `split` left them in, with the conjugate twiddles
// of phi = 2 pi k / L for point k of sub-transforms of L.
//
// Who includes this has defined twice_minus(a, b), 2 a - b in one operation: compilers make a + a - b of it.
//
// Both want the same constants of an angle, its tree: w[0] = exp(i phi / 2), and for every level l from 1 on, for j
// below 2^(l-1), w[2^(l-1) + j] = exp(i (phi + 2 pi j) / 2^(l+1)); the other half of a level is these times i.
#pragma once

#include "complex.hpp"

#include <bit>
#include <utility>

namespace gpuconv::GPUCONV_TRANSFORM_NAMESPACE {

/// Index of a tree's constant, and whether it is to be multiplied by i.
struct TreeIndex {
  int level, j;
  bool quarter;
};
constexpr int tree_offset(TreeIndex i) { return i.level == 0 ? 0 : (1 << (i.level - 1)) + i.j; }

/// The index of a node of `split`, whose bits say from the highest on which way led to it.
constexpr TreeIndex split_index(int level, int node) {
  int j = 0;
  for (int bit = 0; bit + 1 < level; ++bit) j |= (node >> (level - 1 - bit) & 1) << bit;
  return {level, j, (node & 1) != 0};
}
/// The index of point m of a half in `merge`.
constexpr TreeIndex merge_index(int level, int m) {
  const int half = level == 0 ? 1 : 1 << (level - 1);
  return {level, m % half, m >= half};
}

/// a * exp(i pi k / 64).
template <int k, class V>
GPUCONV_INLINE Complex<V> turn(Complex<V> a) {
  constexpr V re = cosine64<V>(k), im = cosine64<V>(k - 32);
  return k == 0 ? a : multiply(a, re, im);
}

/// The level of a tree's constant, and the level's first constant.
constexpr int level_of(int i) { return 32 - std::countl_zero(static_cast<unsigned>(i)); }
constexpr int first_of(int i) { return 1 << (level_of(i) - 1); }

/// A tree in registers.
template <class V, int R>
struct Tree {
  Complex<V> w[R / 2];

  /// All of it from its levels' first constants, w[0], w[1], w[2], w[4], ...
  GPUCONV_INLINE void grow(Complex<V> const* stems) {
    w[0] = stems[0];
    [&]<int... I>(std::integer_sequence<int, I...>) {
      ((w[I + 1] = turn<64 * (I + 1 - first_of(I + 1)) / (2 * first_of(I + 1))>(stems[level_of(I + 1)])), ...);
    }
    (std::make_integer_sequence<int, R / 2 - 1>{});
  }
  template <TreeIndex I>
  GPUCONV_INLINE Complex<V> get() const {
    return w[tree_offset(I)];
  }
};

/// The tree of phi = pi / 2 * kQuarters, in the code.
template <class T, int kQuarters>
struct ConstantTree {
  template <TreeIndex I>
  static constexpr int kSixtyFourths = (kQuarters + 4 * I.j) * (16 >> I.level);  // of pi

  template <TreeIndex I>
  GPUCONV_INLINE Complex<T> get() const {
    constexpr T re = cosine64<T>(kSixtyFourths<I>), im = cosine64<T>(kSixtyFourths<I> - 32);
    return {re, im};
  }
};

template <TreeIndex I, class Twiddles>
inline constexpr bool kIsOne = false;
template <TreeIndex I, class T, int kQuarters>
inline constexpr bool kIsOne<I, ConstantTree<T, kQuarters>> =
    ConstantTree<T, kQuarters>::template kSixtyFourths<I> == 0;

/// (a, b) -> (a + w b, a - w b), with the conjugate of w on the way up. a - w b is 2 a - (a + w b): one operation a
/// part.
template <TreeIndex I, bool Conjugate, class V, class Twiddles>
GPUCONV_INLINE void butterfly(Complex<V>& a, Complex<V>& b, Twiddles const& tree) {
  if constexpr (kIsOne<I, Twiddles>) {
    const Complex<V> wb = !I.quarter ? b : Conjugate ? Complex<V>{b.im, -b.re} : Complex<V>{-b.im, b.re};
    b = a - wb;
    a = a + wb;
  } else {
    const auto w = tree.template get<I>();
    const auto c = I.quarter ? -w.im : w.re;
    const auto s = (I.quarter ? w.re : w.im) * (Conjugate ? -1 : 1);
    const Complex<V> sum{a.re - b.im * s + b.re * c, a.im + b.re * s + b.im * c};
    b = {twice_minus(a.re, sum.re), twice_minus(a.im, sum.im)};
    a = sum;
  }
}

/// v[0 ... R) in place.
template <int R, class V, class Twiddles, int kLevel = 0, int kNode = 0>
GPUCONV_INLINE void split(Complex<V>* v, Twiddles const& tree) {
  if constexpr (R > 1) {
    constexpr TreeIndex index = split_index(kLevel, kNode);
#pragma unroll
    for (int j = 0; j < R / 2; ++j) butterfly<index, false>(v[j], v[j + R / 2], tree);
    split<R / 2, V, Twiddles, kLevel + 1, 2 * kNode>(v, tree);
    split<R / 2, V, Twiddles, kLevel + 1, 2 * kNode + 1>(v + R / 2, tree);
  }
}

/// v[0 ... R) in place, the inverse of `split` but for factors.
template <int R, class V, class Twiddles>
GPUCONV_INLINE void merge(Complex<V>* v, Twiddles const& tree) {
  if constexpr (R > 1) {
    merge<R / 2>(v, tree);
    merge<R / 2>(v + R / 2, tree);
    [&]<int... M>(std::integer_sequence<int, M...>) {
      (butterfly<merge_index(level_of(R / 2) - 1, M), true>(v[M], v[M + R / 2], tree), ...);
    }
    (std::make_integer_sequence<int, R / 2>{});
  }
}

}  // namespace gpuconv::GPUCONV_TRANSFORM_NAMESPACE

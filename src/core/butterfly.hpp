// Butterflies of 2, 3, 4, 8 and 16 complex points, over any real type with + - and * by a scalar: a number or a vector.
// Forward is exp(-2 pi i jf/R). `load(j)` gives point j, `store(f, x)` takes frequency f, in no particular order.
#pragma once

#include "complex.hpp"

namespace gpuconv::GPUCONV_TRANSFORM_NAMESPACE {

/// a * exp(-+2 pi i K / 16): minus forward, plus inverse.
template <int K, bool Inverse, class T, class V>
GPUCONV_INLINE Complex<V> rotate(Complex<V> a) {
  constexpr T half = cosine64<T>(16);
  if constexpr (K == 0) return a;
  else if constexpr (K == 4) return Inverse ? Complex<V>{-a.im, a.re} : Complex<V>{a.im, -a.re};
  else if constexpr (K == 2)
    return Inverse ? Complex<V>{(a.re - a.im) * half, (a.re + a.im) * half}
                   : Complex<V>{(a.re + a.im) * half, (a.im - a.re) * half};
  else if constexpr (K == 6)
    return Inverse ? Complex<V>{(a.re + a.im) * -half, (a.re - a.im) * half}
                   : Complex<V>{(a.im - a.re) * half, (a.re + a.im) * -half};
  else {
    constexpr T c = cosine64<T>(8 * K), s = cosine64<T>(8 * K - 32);
    return Inverse ? multiply(a, c, s) : multiply(a, c, -s);
  }
}

template <bool Inverse, class V>
GPUCONV_INLINE void butterfly4(Complex<V>& a, Complex<V>& b, Complex<V>& c, Complex<V>& d) {
  const Complex<V> ac = a + c, a_c = a - c, bd = b + d, b_d = b - d;
  a = ac + bd;
  c = ac - bd;
  if constexpr (Inverse) b = {a_c.re - b_d.im, a_c.im + b_d.re}, d = {a_c.re + b_d.im, a_c.im - b_d.re};
  else b = {a_c.re + b_d.im, a_c.im - b_d.re}, d = {a_c.re - b_d.im, a_c.im + b_d.re};
}

template <int R, bool Inverse, class T, class V, class Load, class Store>
GPUCONV_INLINE void butterfly(Load load, Store store) {
  using C = Complex<V>;
  if constexpr (R == 2) {
    const C a = load(0), b = load(1);
    store(0, a + b);
    store(1, a - b);
  } else if constexpr (R == 3) {
    constexpr T half = T(0.5), sine = T(.86602540378443864676L);  // of 2 pi / 3
    const C a = load(0), b = load(1), c = load(2), bc = b + c, b_c = b - c;
    const C even = {a.re - bc.re * half, a.im - bc.im * half}, odd = {b_c.im * sine, b_c.re * sine};
    const C plus = {even.re + odd.re, even.im - odd.im}, minus = {even.re - odd.re, even.im + odd.im};
    store(0, a + bc);
    store(1, Inverse ? minus : plus);
    store(2, Inverse ? plus : minus);
  } else if constexpr (R == 4) {
    C a = load(0), b = load(1), c = load(2), d = load(3);
    butterfly4<Inverse>(a, b, c, d);
    store(0, a), store(1, b), store(2, c), store(3, d);
  } else if constexpr (R == 8) {
    C v[8];
    const auto column = [&]<int J>(std::integral_constant<int, J>) GPUCONV_LAMBDA {
      const C a = load(J), b = load(J + 4);
      v[J] = a + b;
      v[4 + J] = rotate<2 * J, Inverse, T>(a - b);
    };
    column(std::integral_constant<int, 0>{}), column(std::integral_constant<int, 1>{});
    column(std::integral_constant<int, 2>{}), column(std::integral_constant<int, 3>{});
#pragma GCC unroll 2
    for (int m = 0; m < 2; ++m) {
      C* w = v + 4 * m;
      butterfly4<Inverse>(w[0], w[1], w[2], w[3]);
      store(m, w[0]), store(m + 2, w[1]), store(m + 4, w[2]), store(m + 6, w[3]);
    }
  } else {
    static_assert(R == 16);
    C v[16];
    const auto column = [&]<int J>(std::integral_constant<int, J>) GPUCONV_LAMBDA {
      C a = load(J), b = load(J + 4), c = load(J + 8), d = load(J + 12);
      butterfly4<Inverse>(a, b, c, d);
      v[J] = a;
      v[4 + J] = rotate<J, Inverse, T>(b);
      v[8 + J] = rotate<2 * J, Inverse, T>(c);
      v[12 + J] = rotate<3 * J, Inverse, T>(d);
    };
    column(std::integral_constant<int, 0>{}), column(std::integral_constant<int, 1>{});
    column(std::integral_constant<int, 2>{}), column(std::integral_constant<int, 3>{});
#pragma GCC unroll 4
    for (int m = 0; m < 4; ++m) {
      C* w = v + 4 * m;
      butterfly4<Inverse>(w[0], w[1], w[2], w[3]);
      store(m, w[0]), store(m + 4, w[1]), store(m + 8, w[2]), store(m + 12, w[3]);
    }
  }
}

}  // namespace gpuconv::GPUCONV_TRANSFORM_NAMESPACE

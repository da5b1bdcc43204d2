// The passes of the right-angle transform (see ../transform.hpp).
// Only for kernels.cpp: everything here lives in the target's own namespace.
#pragma once

#include "vector.hpp"

#include "../transform.hpp"

#include <cstdint>
#include <type_traits>

#define GPUCONV_TRANSFORM_NAMESPACE detail::GPUCONV_SIMD_TARGET
#include "../../core/butterfly.hpp"

namespace gpuconv::detail::GPUCONV_SIMD_TARGET {
namespace {  // of the object alone, as all code of a target

template <class T>
GPUCONV_INLINE Complex<Vector<T>> load_pair(const T* p) {
  return {load(p), load(p + kLanes<T>)};
}
template <class T>
GPUCONV_INLINE void store_pair(T* p, Complex<Vector<T>> v) {
  store(p, v.re);
  store(p + kLanes<T>, v.im);
}

// Twiddle of frequency f for one chunk. Level 0 (Twist) has one for f = 0 too: the weights u^k.
template <class T, int R, bool Twist>
class Twiddles {
 public:
  static constexpr int kFirst = Twist ? 0 : 1;
  static constexpr std::int64_t kChunk = 2 * kLanes<T> * (R - kFirst);

  GPUCONV_INLINE Twiddles(Level<T> const& level, std::int64_t chunk)
      : factored_(level.factored),
        table_(level.factored ? level.lane_twiddles : level.twiddles + chunk * kChunk),
        base_(level.twiddles + chunk * 2 * (R - kFirst)) {}

  GPUCONV_INLINE Complex<Vector<T>> operator[](int f) const {
    const int i = f - kFirst;
    const Complex<Vector<T>> w = load_pair(table_ + 2 * kLanes<T> * i);
    if (!factored_) return w;
    return multiply(w, broadcast(base_[2 * i]), broadcast(base_[2 * i + 1]));
  }

 private:
  bool factored_;
  const T *table_, *base_;
};

template <class T, int R, bool Twist>
GPUCONV_INLINE Complex<Vector<T>> twiddle(Complex<Vector<T>> v, Twiddles<T, R, Twist> const& w, int f) {
  if (!Twist && f == 0) return v;
  const auto t = w[f];
  return multiply(v, t.re, t.im);
}
template <class T, int R, bool Twist>
GPUCONV_INLINE Complex<Vector<T>> untwiddle(Complex<Vector<T>> v, Twiddles<T, R, Twist> const& w, int f) {
  if (!Twist && f == 0) return v;
  const auto t = w[f];
  return multiply_conjugate(v, t.re, t.im);
}

// u^(j step) = exp(i pi j / 2R): what is left of the weights once u^k has gone into the twiddles.
template <class T, int R>
GPUCONV_INLINE Complex<Vector<T>> weight(int j) {
  if constexpr (R == 3) {
    constexpr T sine = T(.86602540378443864676L);  // of pi / 3
    return {broadcast(j == 1 ? sine : T(0.5)), broadcast(j == 1 ? T(0.5) : sine)};
  } else return {broadcast(kCosine64<T>[j * (32 / R)]), broadcast(kCosine64<T>[32 - j * (32 / R)])};
}

template <class T, int R>
void first_level(Transform<T> const& t, const T* x, T* work, std::int64_t begin, std::int64_t end) {
  using C = Complex<Vector<T>>;
  Level<T> const& level = t.level[0];
  const T* const folded = x + t.points;
  for (std::int64_t c = begin; c < end; ++c) {
    const std::int64_t k = c * kLanes<T>;
    const Twiddles<T, R, true> w(level, c);
    T* const to = work + work_offset<T>(k, kLanes<T>);
    butterfly<R, false, T, Vector<T>>(
        [&](int j) GPUCONV_LAMBDA -> C {
          const C v{load(x + k + j * level.step), load(folded + k + j * level.step)};
          if (j == 0) return v;
          const C u = weight<T, R>(j);
          return multiply(v, u.re, u.im);
        },
        [&](int f, C v) GPUCONV_LAMBDA { store_pair(to + level.offset[f], twiddle<T>(v, w, f)); });
  }
}

// How the last level writes its outputs: into the cache, around it, or around it to an array that is not aligned to
// vectors. Its outputs are 2R runs of `step`, a vector of each a chunk.
enum class Writes { cached, streamed, shifted };

// Shifted: what is stored are vectors of the array, each made of two neighbouring vectors of outputs. The last one of
// every run is held back for the next chunk, the first ones wait until the run before them is complete. Begins and ends
// of all outputs, less than a vector each, go through the cache.
template <class T, int R, Writes W>
class Runs {
 public:
  static constexpr int kRuns = W == Writes::shifted ? 2 * R : 1;

  /// Output i goes to to[i], those below `drop`, a multiple of the lanes, nowhere.
  GPUCONV_INLINE Runs(T* to, std::int64_t drop)
      : to_(to), drop_(drop), past_(past_boundary(to)), shift_(kLanes<T> - past_) {}

  GPUCONV_INLINE void put(int run, std::int64_t i, Vector<T> v, bool first) {
    if (i < drop_) return;
    if constexpr (W == Writes::cached) store(to_ + i, v);
    else if constexpr (W == Writes::streamed) store_streaming(to_ + i, v);
    else {
      if (i == drop_) store_part(i, v, 0, kLanes<T> - past_);
      else if (first) first_[run] = v;
      else store_joined(i, held_[run], v);
      held_[run] = v;
    }
  }

  GPUCONV_INLINE void finish(std::int64_t step) {
    if constexpr (W == Writes::shifted) {
      for (int run = 1; run < kRuns; ++run)
        if (run * step > drop_) store_joined(run * step, held_[run - 1], first_[run]);
      store_part(kRuns * step - kLanes<T>, held_[kRuns - 1], kLanes<T> - past_, kLanes<T>);
    }
    if constexpr (W != Writes::cached) finish_streaming();
  }

 private:
  GPUCONV_INLINE void store_joined(std::int64_t i, Vector<T> before, Vector<T> v) {
    store_streaming(to_ + i - past_, shift_(before, v));
  }
  GPUCONV_INLINE void store_part(std::int64_t i, Vector<T> v, int begin, int end) {
    for (int e = begin; e < end; ++e) to_[i + e] = v[e];
  }

  T* to_;
  std::int64_t drop_;
  int past_;
  VariableShift<T> shift_;
  Vector<T> held_[kRuns] = {}, first_[kRuns] = {};
};

template <class T, int R, Writes W>
T last_level(Transform<T> const& t, const T* work, T* y, std::int64_t drop, std::int64_t begin, std::int64_t end) {
  using C = Complex<Vector<T>>;
  Level<T> const& level = t.level[0];
  Vector<T> finite = {};  // stays zero unless a sum of outputs is infinite or NaN
  Vector<T> highest = {}, lowest = {};
  Runs<T, R, W> runs(y - drop, drop);
  for (std::int64_t c = begin; c < end; ++c) {
    const std::int64_t k = c * kLanes<T>;
    const Twiddles<T, R, true> w(level, c);
    const T* const from = work + work_offset<T>(k, kLanes<T>);
    C sum = {};
    butterfly<R, true, T, Vector<T>>(
        [&](int f) GPUCONV_LAMBDA { return untwiddle<T>(load_pair(from + level.offset[f]), w, f); },
        [&](int j, C v) GPUCONV_LAMBDA {
          if (j != 0) {
            const C u = weight<T, R>(j);
            v = multiply_conjugate(v, u.re, u.im);
          }
          sum = sum + v;
          runs.put(j, k + j * level.step, v.re, c == begin);
          runs.put(R + j, k + j * level.step + t.points, v.im, c == begin);
        });
    const Vector<T> outputs = sum.re + sum.im;
    finite += outputs * T(0);
    highest = outputs > highest ? outputs : highest;
    lowest = outputs < lowest ? outputs : lowest;
  }
  runs.finish(level.step);
  if (any_nonzero<T>(finite)) return static_cast<T>(__builtin_huge_val());
  T largest = 0;
  for (int e = 0; e < kLanes<T>; ++e) {
    const T magnitude = highest[e] > -lowest[e] ? highest[e] : -lowest[e];
    if (magnitude > largest) largest = magnitude;
  }
  return largest;
}

// The sub-transforms of a level within `size` points, in each the chunks from `begin` to `end`.
template <class T, int R, bool Inverse>
void middle_level(Level<T> const& level, T* work, std::int64_t size, std::int64_t begin, std::int64_t end) {
  using C = Complex<Vector<T>>;
  for (std::int64_t g = 0; g < size; g += level.size)
    for (std::int64_t c = begin; c < end; ++c) {
      const Twiddles<T, R, false> w(level, c);
      T* const at = work + work_offset<T>(g + c * kLanes<T>, kLanes<T>);
      if constexpr (Inverse)
        butterfly<R, true, T, Vector<T>>(
            [&](int f) GPUCONV_LAMBDA { return untwiddle<T>(load_pair(at + level.offset[f]), w, f); },
            [&](int j, C v) GPUCONV_LAMBDA { store_pair(at + level.offset[j], v); });
      else
        butterfly<R, false, T, Vector<T>>(
            [&](int j) GPUCONV_LAMBDA { return load_pair(at + level.offset[j]); },
            [&](int f, C v) GPUCONV_LAMBDA { store_pair(at + level.offset[f], twiddle<T>(v, w, f)); });
    }
}

// Calls f(std::integral_constant<int, R>) for the radix of a level.
template <class F>
GPUCONV_INLINE auto with_radix(int radix, F f) {
  switch (radix) {
    case 2:
      return f(std::integral_constant<int, 2>{});
    case 4:
      return f(std::integral_constant<int, 4>{});
    case 8:
      return f(std::integral_constant<int, 8>{});
    default:
      return f(std::integral_constant<int, 16>{});
  }
}

// The same for level 0, which takes the factor 3 of a size that has it.
template <class F>
GPUCONV_INLINE auto with_first_radix(int radix, F f) {
  if (radix == 3) return f(std::integral_constant<int, 3>{});
  return with_radix(radix, f);
}

template <class T>
void first(Transform<T> const& t, const T* x, T* work, std::int64_t begin, std::int64_t end) {
  with_first_radix(t.level[0].radix, [&](auto r) { first_level<T, r>(t, x, work, begin, end); });
}
template <class T, bool Inverse>
void middle(Level<T> const& level, T* work, std::int64_t size, std::int64_t begin, std::int64_t end) {
  with_radix(level.radix, [&](auto r) { middle_level<T, r, Inverse>(level, work, size, begin, end); });
}
template <class T>
void forward(Transform<T> const& t, int l, T* work, std::int64_t begin, std::int64_t end) {
  middle<T, false>(t.level[l], work, t.level[l].size, begin, end);
}
template <class T>
void inverse(Transform<T> const& t, int l, T* work, std::int64_t begin, std::int64_t end) {
  middle<T, true>(t.level[l], work, t.level[l].size, begin, end);
}
template <class T>
T last(Transform<T> const& t, const T* work, T* y, std::int64_t drop, bool stream, std::int64_t begin,
       std::int64_t end) {
  const bool whole = begin == 0 && end == t.level[0].step / kLanes<T>;
  return with_first_radix(t.level[0].radix, [&](auto r) {
    if (stream && aligned_to_vector(y)) return last_level<T, r, Writes::streamed>(t, work, y, drop, begin, end);
    if constexpr (kShiftsByVariable)
      if (stream && whole) return last_level<T, r, Writes::shifted>(t, work, y, drop, begin, end);
    return last_level<T, r, Writes::cached>(t, work, y, drop, begin, end);
  });
}

// The innermost transforms, V of V points at a time: transposed so that each lane holds one of them.
template <class T>
GPUCONV_INLINE void load_transposed(const T* work, Vector<T>* re, Vector<T>* im) {
  constexpr int V = kLanes<T>;
#pragma GCC unroll 16
  for (int j = 0; j < V; ++j) re[j] = load(work + 2 * V * j);
  transpose<T>(re);
#pragma GCC unroll 16
  for (int j = 0; j < V; ++j) im[j] = load(work + 2 * V * j + V);
  transpose<T>(im);
}

template <class T>
void multiply_spectrum(T* work, std::int64_t points, const T* spectrum, const T* prefetch) {
  using C = Complex<Vector<T>>;
  constexpr int V = kLanes<T>;
  for (std::int64_t g = 0; g < points; g += V * V) {
    if (prefetch)
      for (std::int64_t i = 0; i < 2 * V * V; i += 64 / static_cast<int>(sizeof(T)))
        __builtin_prefetch(prefetch + 2 * g + i, 0, 2);
    T* const at = work + work_offset<T>(g, V);
    const T* const h = spectrum + 2 * g;
    Vector<T> re[V], im[V];
    C product[V];
    load_transposed(at, re, im);
    butterfly<V, false, T, Vector<T>>(
        [&](int j) GPUCONV_LAMBDA {
          return C{re[j], im[j]};
        },
        [&](int f, C v) GPUCONV_LAMBDA {
          const C s = load_pair(h + 2 * V * f);
          product[f] = multiply(v, s.re, s.im);
        });
    butterfly<V, true, T, Vector<T>>([&](int f) GPUCONV_LAMBDA { return product[f]; },
                                     [&](int j, C v) GPUCONV_LAMBDA { re[j] = v.re, im[j] = v.im; });
    transpose<T>(re);
#pragma GCC unroll 16
    for (int j = 0; j < V; ++j) store(at + 2 * V * j, re[j]);
    transpose<T>(im);
#pragma GCC unroll 16
    for (int j = 0; j < V; ++j) store(at + 2 * V * j + V, im[j]);
  }
}

template <class T>
void store_spectrum(const T* work, std::int64_t points, T* spectrum, T scale) {
  using C = Complex<Vector<T>>;
  constexpr int V = kLanes<T>;
  for (std::int64_t g = 0; g < points; g += V * V) {
    Vector<T> re[V], im[V];
    load_transposed(work + work_offset<T>(g, V), re, im);
    butterfly<V, false, T, Vector<T>>(
        [&](int j) GPUCONV_LAMBDA {
          return C{re[j], im[j]};
        },
        [&](int f, C v) GPUCONV_LAMBDA {
          store_pair(spectrum + 2 * (g + V * f), C{v.re * scale, v.im * scale});
        });
  }
}

// Every sub-transform of level `l` within the `size` points at `work`.
template <class T, bool Inverse>
void whole_level(Transform<T> const& t, int l, T* work, std::int64_t size) {
  middle<T, Inverse>(t.level[l], work, size, 0, t.level[l].step / kLanes<T>);
}

template <class T>
void inner(Transform<T> const& t, int l, T* work, std::int64_t size, const T* spectrum, const T* prefetch) {
  for (int i = l; i < t.levels; ++i) whole_level<T, false>(t, i, work, size);
  multiply_spectrum(work, size, spectrum, prefetch);
  for (int i = t.levels - 1; i >= l; --i) whole_level<T, true>(t, i, work, size);
}

template <class T>
void spectrum(Transform<T> const& t, int l, T* work, std::int64_t size, T* to, T scale) {
  for (int i = l; i < t.levels; ++i) whole_level<T, false>(t, i, work, size);
  store_spectrum(work, size, to, scale);
}

}  // namespace
}  // namespace gpuconv::detail::GPUCONV_SIMD_TARGET

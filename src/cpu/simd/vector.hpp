// Vectors of the target this file is compiled for, as the compiler's own vector types.
// Only for simd/*.cpp: everything here lives in the target's own namespace.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define GPUCONV_INLINE inline __attribute__((always_inline))
#define GPUCONV_LAMBDA __attribute__((always_inline))

namespace gpuconv::detail::GPUCONV_SIMD_TARGET {

#if defined(__AVX512F__)
inline constexpr int kBytes = 64;
#elif defined(__AVX2__)
inline constexpr int kBytes = 32;
#else
inline constexpr int kBytes = 16;
#endif

template <class T>
struct VectorOf {
  typedef T type __attribute__((vector_size(kBytes)));
  typedef T unaligned __attribute__((vector_size(kBytes), aligned(alignof(T)), may_alias));
};
template <class T>
using Vector = typename VectorOf<T>::type;
template <class T>
inline constexpr int kLanes = kBytes / static_cast<int>(sizeof(T));

template <class T>
GPUCONV_INLINE Vector<T> load(const T* p) {
  return *reinterpret_cast<const typename VectorOf<T>::unaligned*>(p);
}
/// The first `count` elements, at least one and less than a vector, and zeros.
template <class T>
GPUCONV_INLINE Vector<T> load_part(const T* p, int count) {
#if defined(__AVX512F__)
  const unsigned mask = (1U << count) - 1;
  if constexpr (sizeof(T) == 4)
    return reinterpret_cast<Vector<T>>(_mm512_maskz_loadu_epi32(static_cast<__mmask16>(mask), p));
  else return reinterpret_cast<Vector<T>>(_mm512_maskz_loadu_epi64(static_cast<__mmask8>(mask), p));
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane);
    return reinterpret_cast<Vector<T>>(_mm256_maskload_epi32(reinterpret_cast<const int*>(p), mask));
  } else {
    const __m256i lane = _mm256_setr_epi64x(0, 1, 2, 3);
    const __m256i mask = _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), lane);
    return reinterpret_cast<Vector<T>>(_mm256_maskload_epi64(reinterpret_cast<const long long*>(p), mask));
  }
#else
  Vector<T> v = {};
  for (int i = 0; i < count; ++i) v[i] = p[i];
  return v;
#endif
}
template <class T>
GPUCONV_INLINE void store(T* p, Vector<T> v) {
  *reinterpret_cast<typename VectorOf<T>::unaligned*>(p) = v;
}
template <class T>
GPUCONV_INLINE Vector<T> broadcast(T s) {
  return s - Vector<T>{};  // x - 0 is x, for signed zeros too
}

/// Writes around the cache; `p` is aligned to a vector.
template <class T>
GPUCONV_INLINE void store_streaming(T* p, Vector<T> v) {
#if defined(__AVX512F__)
  _mm512_stream_si512(reinterpret_cast<__m512i*>(p), reinterpret_cast<__m512i>(v));
#elif defined(__AVX2__)
  _mm256_stream_si256(reinterpret_cast<__m256i*>(p), reinterpret_cast<__m256i>(v));
#elif defined(__SSE2__)
  _mm_stream_si128(reinterpret_cast<__m128i*>(p), reinterpret_cast<__m128i>(v));
#else
  store(p, v);
#endif
}
/// Makes streamed stores visible in order, before the caller's thread says that it is done.
GPUCONV_INLINE void finish_streaming() {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}
/// J vectors, around the cache if `stream`.
template <class T, int J>
GPUCONV_INLINE void store_tile(Vector<T> const (&sum)[J], T* out, bool stream) {
#pragma GCC unroll 16
  for (int j = 0; j < J; ++j) {
    if (stream) store_streaming(out + kLanes<T> * j, sum[j]);
    else store(out + kLanes<T> * j, sum[j]);
  }
}

/// Elements by which `p` is past a vector boundary.
template <class T>
GPUCONV_INLINE int past_boundary(const T* p) {
  return static_cast<int>(reinterpret_cast<std::uintptr_t>(p) % kBytes / sizeof(T));
}
template <class T>
GPUCONV_INLINE bool aligned_to_vector(const T* p) {
  return reinterpret_cast<std::uintptr_t>(p) % kBytes == 0;
}

/// Keeps a loaded value in a register, where the compiler would load it again for each use.
template <class V>
GPUCONV_INLINE void keep(V& v) {
#if defined(__x86_64__)
  asm("" : "+v"(v));
#elif defined(__aarch64__)
  asm("" : "+w"(v));
#endif
}

/// True where any lane is not zero or is NaN.
template <class T>
GPUCONV_INLINE bool any_nonzero(Vector<T> v) {
  bool any = false;
  for (int i = 0; i < kLanes<T>; ++i) any |= !(v[i] == 0);
  return any;
}

// ---- transposes ---------------------------------------------------------------------------------------------------

template <auto Index, class V, std::size_t... I>
GPUCONV_INLINE V shuffle(V a, V b, std::index_sequence<I...>) {
  return __builtin_shufflevector(a, b, Index(static_cast<int>(I))...);
}

template <class T>
using AllLanes = std::make_index_sequence<static_cast<std::size_t>(kLanes<T>)>;

/// What belongs at even places and what at odd ones, in their order: the lower or the higher half of it.
template <class T, bool High>
GPUCONV_INLINE Vector<T> interleave(Vector<T> even, Vector<T> odd) {
  constexpr int L = kLanes<T>;
  return shuffle<[](int i) { return (High ? L / 2 : 0) + i / 2 + i % 2 * L; }>(even, odd, AllLanes<T>{});
}

/// Elements R and up of `low`, then the first R of `high`: what a load R elements further on would give.
template <int R, class T>
GPUCONV_INLINE Vector<T> shift(Vector<T> low, Vector<T> high) {
#if defined(__AVX512F__)
  // The compiler's own choice is a permutation, which wants an index vector and overwrites it. All lanes are asked for
  // by a mask, because g++ 12 warns of what its header does in the plain form.
  const auto a = reinterpret_cast<__m512i>(high), b = reinterpret_cast<__m512i>(low);
  if constexpr (sizeof(T) == 4) return reinterpret_cast<Vector<T>>(_mm512_maskz_alignr_epi32(0xffff, a, b, R));
  else return reinterpret_cast<Vector<T>>(_mm512_maskz_alignr_epi64(0xff, a, b, R));
#else
  return shuffle<[](int i) { return i + R; }>(low, high, AllLanes<T>{});
#endif
}

/// Whether a target shifts by a number known only at run time in one instruction.
inline constexpr bool kShiftsByVariable = kBytes == 64;

/// Elements `by` and up of `low`, then the first `by` of `high`.
template <class T>
class VariableShift {
 public:
#if defined(__AVX512F__)
  GPUCONV_INLINE explicit VariableShift(int by) {
    using Index = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
    Vector<Index> index;
    for (int i = 0; i < kLanes<T>; ++i) index[i] = static_cast<Index>(i) + static_cast<Index>(by);
    index_ = reinterpret_cast<__m512i>(index);
  }
  GPUCONV_INLINE Vector<T> operator()(Vector<T> low, Vector<T> high) const {
    const auto a = reinterpret_cast<__m512i>(low), b = reinterpret_cast<__m512i>(high);
    if constexpr (sizeof(T) == 4) return reinterpret_cast<Vector<T>>(_mm512_permutex2var_epi32(a, index_, b));
    else return reinterpret_cast<Vector<T>>(_mm512_permutex2var_epi64(a, index_, b));
  }

 private:
  __m512i index_;
#else
  GPUCONV_INLINE explicit VariableShift(int) {}
  GPUCONV_INLINE Vector<T> operator()(Vector<T>, Vector<T> high) const { return high; }
#endif
};

template <class T>
inline constexpr int kLaneSize = 16 / static_cast<int>(sizeof(T));  // elements in 128 bits

/// Interleaves the low (High false) or high units of `Unit` elements of a and b, within each 128 bits.
template <class T, int Unit, bool High>
GPUCONV_INLINE Vector<T> unpack(Vector<T> a, Vector<T> b) {
  constexpr int E = kLaneSize<T>;
  constexpr auto index = [](int i) {
    const int k = i % E, unit = k / Unit, source = unit / 2 + (High ? E / Unit / 2 : 0);
    return (unit % 2 ? kLanes<T> : 0) + i / E * E + source * Unit + k % Unit;
  };
  return shuffle<index>(a, b, AllLanes<T>{});
}
/// The even (Odd false) or odd 128-bit parts of a, then those of b.
template <class T, bool Odd>
GPUCONV_INLINE Vector<T> parts(Vector<T> a, Vector<T> b) {
  constexpr int E = kLaneSize<T>, half = kLanes<T> / E / 2;
  constexpr auto index = [](int i) {
    const int part = i / E;
    return (part >= half ? kLanes<T> : 0) + (2 * (part % half) + (Odd ? 1 : 0)) * E + i % E;
  };
  return shuffle<index>(a, b, AllLanes<T>{});
}

/// Transposes kLanes x kLanes elements held in as many vectors.
template <class T>
GPUCONV_INLINE void transpose(Vector<T>* r) {
  constexpr int V = kLanes<T>, E = kLaneSize<T>, W = V / E;
#pragma GCC unroll 16
  for (int i = 0; i < V; i += E) {
    if constexpr (E == 4) {
      const Vector<T> a = unpack<T, 1, false>(r[i], r[i + 1]), b = unpack<T, 1, true>(r[i], r[i + 1]);
      const Vector<T> c = unpack<T, 1, false>(r[i + 2], r[i + 3]), d = unpack<T, 1, true>(r[i + 2], r[i + 3]);
      r[i] = unpack<T, 2, false>(a, c), r[i + 1] = unpack<T, 2, true>(a, c);
      r[i + 2] = unpack<T, 2, false>(b, d), r[i + 3] = unpack<T, 2, true>(b, d);
    } else {
      const Vector<T> a = unpack<T, 1, false>(r[i], r[i + 1]), b = unpack<T, 1, true>(r[i], r[i + 1]);
      r[i] = a, r[i + 1] = b;
    }
  }
  if constexpr (W == 2) {
#pragma GCC unroll 16
    for (int c = 0; c < E; ++c) {
      const Vector<T> a = parts<T, false>(r[c], r[E + c]), b = parts<T, true>(r[c], r[E + c]);
      r[c] = a, r[E + c] = b;
    }
  } else if constexpr (W == 4) {
#pragma GCC unroll 16
    for (int c = 0; c < E; ++c) {
      const Vector<T> a = parts<T, false>(r[c], r[E + c]), b = parts<T, true>(r[c], r[E + c]);
      const Vector<T> d = parts<T, false>(r[2 * E + c], r[3 * E + c]), e = parts<T, true>(r[2 * E + c], r[3 * E + c]);
      r[c] = parts<T, false>(a, d), r[2 * E + c] = parts<T, true>(a, d);
      r[E + c] = parts<T, false>(b, e), r[3 * E + c] = parts<T, true>(b, e);
    }
  }
}

}  // namespace gpuconv::detail::GPUCONV_SIMD_TARGET

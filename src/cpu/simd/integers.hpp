// Direct sums of integers that are narrower than their sums, with the multiplications that widen: exactly what 64-bit
// products would give. Included by kernels.cpp alone.
//
// A vector of samples holds twice as many as its products: those of a tap (or two, of 16 bits) meet every other output.
// So sums are kept apart for outputs at even and at odd places, which take the same window, one sample on.
#pragma once

#include "vector.hpp"

#include "../simd_target.hpp"

namespace gpuconv::detail::GPUCONV_SIMD_TARGET {
namespace {

#if defined(__AVX2__) || defined(__AVX512F__)
inline constexpr bool kMultipliesSigned32 = true;
#else
inline constexpr bool kMultipliesSigned32 = false;  // SSE2 has the unsigned one alone
#endif

using V16 = Vector<std::int16_t>;
using V32 = Vector<std::int32_t>;
using V64 = Vector<std::uint64_t>;

/// Outputs of a tile: 8 vectors of sums, 4 of 32-bit ones.
inline constexpr int kTileOutputs = kTileVectors * kLanes<std::uint64_t>;

/// How sums come to the outputs.
enum class Put { store, stream, add };

template <Put P>
GPUCONV_INLINE void put(std::uint64_t* out, V64 y) {
  if constexpr (P == Put::stream) store_streaming(out, y);
  else store(out, P == Put::add ? load(out) + y : y);
}

// ---- 16 bits ------------------------------------------------------------------------------------------------------

/// Neighbouring products, added: a[2i] b[2i] + a[2i+1] b[2i+1].
GPUCONV_INLINE V32 multiply_pairs(V16 a, V16 b) {
#if defined(__AVX512BW__)
  return reinterpret_cast<V32>(_mm512_madd_epi16(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__)
  return reinterpret_cast<V32>(_mm256_madd_epi16(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__SSE2__)
  return reinterpret_cast<V32>(_mm_madd_epi16(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
  V32 sum;
  for (int i = 0; i < kLanes<std::int32_t>; ++i) sum[i] = a[2 * i] * b[2 * i] + a[2 * i + 1] * b[2 * i + 1];
  return sum;
#endif
}

/// Taps of a piece: with two digits, sums of so many pairs of products stay below 2^31. They are in so many lines at
/// most.
inline constexpr int kPiece16 = 256, kLines16 = 32;

/// A piece of the filters of some segments as pairs of taps, each the sum of its digits times 256^digit. The last one
/// of an odd number has two pairs of its own, with a zero behind it and with one before it: nobody reads a sample that
/// no tap meets.
struct Pairs16 {
  struct Line {
    const std::int16_t* x;
    int first, count;  // place of its taps, pairs
    bool single;       // the last one is
  };
  Line line[kLines16];
  int lines = 0, digits = 1;
  std::int16_t tap[2][kPiece16 + 2 * kLines16];

  /// Takes the taps from tap `k` of segment `s` on, and moves these to what it leaves.
  GPUCONV_INLINE Pairs16(const Segment<std::int16_t>* segments, std::int64_t count, std::int64_t& s, std::int64_t& k) {
    int sum = 0, taken = 0;
    for (; s < count && taken < kPiece16 && lines < kLines16; k = 0, ++s) {
      const std::int64_t left = segments[s].count - k, room = kPiece16 - taken;
      const int taps = static_cast<int>(left < room ? left : room);
      sum += add_line(segments[s].window + k, segments[s].taps + k, taps, taken + 2 * lines);
      taken += taps;
      if (taps < left) {
        k += taps;
        break;
      }
    }
    if (sum >= 1 << 16) digits = 2;  // times 2^15 that is 2^31
    if (digits == 1) return;
    for (int i = 0; i < taken + 2 * lines; ++i) {
      const int whole = tap[0][i], low = (whole & 255) - (whole & 128) * 2;
      tap[0][i] = static_cast<std::int16_t>(low);
      tap[1][i] = static_cast<std::int16_t>((whole - low) / 256);
    }
  }

 private:
  // The sum of the taps' magnitudes.
  GPUCONV_INLINE int add_line(const std::int16_t* x, const std::int16_t* taps, int count, int first) {
    line[lines++] = {x, first, count / 2, count % 2 == 1};
    std::int16_t* const to = tap[0] + first;
    int sum = 0;
    for (int k = 0; k < count; ++k) to[k] = taps[k], sum += taps[k] < 0 ? -taps[k] : taps[k];
    to[count] = 0, to[count + 1] = to[count - 1];
    return sum;
  }
};

/// The pair of taps at `taps` in all places.
GPUCONV_INLINE V16 broadcast_pair(const std::int16_t* taps) {
  std::int32_t both;
  __builtin_memcpy(&both, taps, sizeof both);
  return reinterpret_cast<V16>(both - V32{});
}

/// Sums of a piece for T tiles, `at` outputs from the first, as the digits make them: sum[d][2v] of the even ones among
/// the outputs 2Lv and up, L 32-bit lanes, sum[d][2v + 1] of the odd ones.
template <int D, int T>
GPUCONV_INLINE void add_pairs(V32 (&sum)[D][4 * T], Pairs16 const& pairs, Pairs16::Line const& line, std::int64_t at) {
  constexpr int L = kLanes<std::int32_t>;
  const std::int16_t* const x = line.x + at;
  for (int p = 0; p < line.count; ++p) {
    const std::int16_t* const from = x + 2 * p;
    V16 tap[D];
#pragma GCC unroll 2
    for (int d = 0; d < D; ++d) tap[d] = broadcast_pair(pairs.tap[d] + line.first + 2 * p);
#pragma GCC unroll 16
    for (int v = 0; v < 4 * T; ++v) {
      V16 samples = load(from + 2 * L * (v / 2) + v % 2);
      if constexpr (D > 1) keep(samples);
#pragma GCC unroll 2
      for (int d = 0; d < D; ++d) sum[d][v] += multiply_pairs(samples, tap[d]);
    }
  }
  if (!line.single) return;
  const int last = 2 * line.count;
#pragma GCC unroll 16
  for (int v = 0; v < 4 * T; ++v) {
    const V16 samples = load(x + last + 2 * L * (v / 2));
#pragma GCC unroll 2
    for (int d = 0; d < D; ++d)
      sum[d][v] += multiply_pairs(samples, broadcast_pair(pairs.tap[d] + line.first + last + v % 2));
  }
}

/// The low or the high half of a vector, in 64 bits: with their signs beside them.
template <bool High>
GPUCONV_INLINE V64 widen(V32 v) {
  return reinterpret_cast<V64>(interleave<std::int32_t, High>(v, v >> 31));
}

template <int D, int T, Put P>
GPUCONV_INLINE void put_widened(V32 const (&sum)[D][4 * T], std::uint64_t* out) {
  constexpr int L = kLanes<std::uint64_t>;
  const auto put_vector = [&]<bool High>(std::bool_constant<High>, int v) GPUCONV_LAMBDA {
    V32 ordered[D];
#pragma GCC unroll 2
    for (int d = 0; d < D; ++d) ordered[d] = interleave<std::int32_t, High>(sum[d][v], sum[d][v + 1]);
    V64 low = widen<false>(ordered[0]), high = widen<true>(ordered[0]);
    if constexpr (D == 2) low += widen<false>(ordered[1]) << 8, high += widen<true>(ordered[1]) << 8;
    put<P>(out, low);
    put<P>(out + L, high);
    out += 2 * L;
  };
#pragma GCC unroll 8
  for (int v = 0; v < 4 * T; v += 2) put_vector(std::false_type{}, v), put_vector(std::true_type{}, v);
}

/// `One`: the piece has one line, as those of rows have.
template <int D, int T, Put P, bool One>
GPUCONV_INLINE void direct_piece(Pairs16 const& pairs, std::int64_t at, std::uint64_t* out) {
  V32 sum[D][4 * T] = {};
  if constexpr (One) add_pairs<D, T>(sum, pairs, pairs.line[0], at);
  else
    for (int l = 0; l < pairs.lines; ++l) add_pairs<D, T>(sum, pairs, pairs.line[l], at);
  put_widened<D, T, P>(sum, out + at);
}

template <int D, Put P, bool One>
GPUCONV_INLINE void direct_pieces(Pairs16 const& pairs, std::uint64_t* out, std::int64_t tiles) {
  constexpr int kTogether = D == 1 ? 2 : kBytes == 64 ? 2 : 1;  // as there are registers
  std::int64_t t = 0;
  for (; tiles - t >= kTogether; t += kTogether) direct_piece<D, kTogether, P, One>(pairs, t * kTileOutputs, out);
  for (; t < tiles; ++t) direct_piece<D, 1, P, One>(pairs, t * kTileOutputs, out);
}

template <Put P>
GPUCONV_INLINE void direct_pieces16(Pairs16 const& pairs, std::uint64_t* out, std::int64_t tiles) {
  if (pairs.lines == 1) {
    if (pairs.digits == 1) direct_pieces<1, P, true>(pairs, out, tiles);
    else direct_pieces<2, P, true>(pairs, out, tiles);
  } else {
    if (pairs.digits == 1) direct_pieces<1, P, false>(pairs, out, tiles);
    else direct_pieces<2, P, false>(pairs, out, tiles);
  }
}

inline void direct16(const Segment<std::int16_t>* segments, std::int64_t count, std::uint64_t* out, std::int64_t tiles,
                     bool stream) {
  std::int64_t s = 0, k = 0;
  for (bool first = true; s < count; first = false) {
    const Pairs16 pairs(segments, count, s, k);
    if (!first) direct_pieces16<Put::add>(pairs, out, tiles);
    else if (stream && s == count && aligned_to_vector(out)) {  // others add to what is in the cache by then
      direct_pieces16<Put::stream>(pairs, out, tiles);
      finish_streaming();
    } else direct_pieces16<Put::store>(pairs, out, tiles);
  }
}

// ---- 32 bits ------------------------------------------------------------------------------------------------------

/// Products of the low halves of 64-bit lanes, as T says.
template <class T>
GPUCONV_INLINE V64 multiply_halves(V64 a, V64 b) {
#if defined(__AVX512F__)
  const auto x = reinterpret_cast<__m512i>(a), y = reinterpret_cast<__m512i>(b);
  if constexpr (std::is_signed_v<T>) return reinterpret_cast<V64>(_mm512_maskz_mul_epi32(0xff, x, y));
  else return reinterpret_cast<V64>(_mm512_maskz_mul_epu32(0xff, x, y));
#elif defined(__AVX2__)
  const auto x = reinterpret_cast<__m256i>(a), y = reinterpret_cast<__m256i>(b);
  if constexpr (std::is_signed_v<T>) return reinterpret_cast<V64>(_mm256_mul_epi32(x, y));
  else return reinterpret_cast<V64>(_mm256_mul_epu32(x, y));
#elif defined(__SSE2__)
  return reinterpret_cast<V64>(_mm_mul_epu32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
  return (a & 0xffffffffu) * (b & 0xffffffffu);
#endif
}

/// A tap for the low halves of all lanes.
template <class T>
GPUCONV_INLINE V64 broadcast_half(T tap) {
  return reinterpret_cast<V64>(broadcast(tap));
}

/// The taps k + 2Lq for k in [begin, end) and q < Q, L 64-bit lanes, on J vectors of sums: sum[v], v even, of the even
/// ones among the outputs Lv and up, sum[v + 1] of the odd ones. A sample that an even output takes with a tap is the
/// odd one's with the tap before; the first tap has none before it.
template <class T, int Q, int J>
GPUCONV_INLINE void add_taps32(V64 (&sum)[J], const T* x, const T* taps, std::int64_t begin, std::int64_t end) {
  constexpr int L = kLanes<std::uint64_t>;
  for (std::int64_t k = begin; k < end; ++k) {
    V64 tap[Q], before[Q];
#pragma GCC unroll 2
    for (int q = 0; q < Q; ++q) {
      const T* const at = taps + k + 2 * L * q;
      tap[q] = broadcast_half(*at);
      before[q] = q > 0 || k > 0 ? broadcast_half(at[-1]) : V64{};
    }
#pragma GCC unroll 16
    for (int i = 0; i < J / 2 + Q - 1; ++i) {
      V64 samples = reinterpret_cast<V64>(load(x + k + 2 * L * i));
      keep(samples);
#pragma GCC unroll 2
      for (int q = 0; q < Q; ++q)
        if (i - q >= 0 && i - q < J / 2) {
          sum[2 * (i - q)] += multiply_halves<T>(samples, tap[q]);
          sum[2 * (i - q) + 1] += multiply_halves<T>(samples, before[q]);
        }
    }
  }
}

/// One segment. What odd outputs take with the last tap are the high halves of their neighbours' lanes.
template <class T, int J>
GPUCONV_INLINE void add_segment32(V64 (&sum)[J], const T* x, const T* taps, std::int64_t count) {
  constexpr int L = kLanes<std::uint64_t>;
  std::int64_t k = 0;
  if constexpr (kBytes == 64)  // elsewhere registers are short
    for (; count - k >= 4 * L; k += 4 * L) add_taps32<T, 2, J>(sum, x, taps, k, k + 2 * L);
  add_taps32<T, 1, J>(sum, x, taps, k, count);
  const V64 last = broadcast_half(taps[count - 1]);
#pragma GCC unroll 16
  for (int v = 0; v < J; v += 2)
    sum[v + 1] += multiply_halves<T>(reinterpret_cast<V64>(load(x + count - 1 + L * v)) >> 32, last);
}

/// J vectors of outputs.
template <class T, int J, Put P>
GPUCONV_INLINE void direct_tile32(const Segment<T>* segments, std::int64_t count, std::int64_t at, std::uint64_t* out) {
  constexpr int L = kLanes<std::uint64_t>;
  V64 sum[J] = {};
  for (std::int64_t s = 0; s < count; ++s)
    add_segment32<T, J>(sum, segments[s].window + at, segments[s].taps, segments[s].count);
#pragma GCC unroll 16
  for (int v = 0; v < J; v += 2) {
    put<P>(out + L * v, interleave<std::uint64_t, false>(sum[v], sum[v + 1]));
    put<P>(out + L * (v + 1), interleave<std::uint64_t, true>(sum[v], sum[v + 1]));
  }
}

template <class T, Put P>
GPUCONV_INLINE void direct_tiles32(const Segment<T>* segments, std::int64_t count, std::uint64_t* out,
                                   std::int64_t tiles) {
  constexpr int kTogether = kBytes == 64 ? 2 : 1;  // as there are registers
  std::int64_t t = 0;
  for (; tiles - t >= kTogether; t += kTogether)
    direct_tile32<T, kTogether * kTileVectors, P>(segments, count, t * kTileOutputs, out + t * kTileOutputs);
  for (; t < tiles; ++t) direct_tile32<T, kTileVectors, P>(segments, count, t * kTileOutputs, out + t * kTileOutputs);
}

template <class T>
void direct32(const Segment<T>* segments, std::int64_t count, std::uint64_t* out, std::int64_t tiles, bool stream) {
  if (!stream || !aligned_to_vector(out)) return direct_tiles32<T, Put::store>(segments, count, out, tiles);
  direct_tiles32<T, Put::stream>(segments, count, out, tiles);
  finish_streaming();
}

}  // namespace
}  // namespace gpuconv::detail::GPUCONV_SIMD_TARGET

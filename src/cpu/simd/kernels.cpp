// The SIMD code, compiled once a target: direct convolution with register blocking, and what the headers beside it
// hold.
#include "across.hpp"
#include "dot.hpp"
#include "gaps.hpp"
#include "halves.hpp"
#include "image.hpp"
#include "integers.hpp"
#include "passes.hpp"
#include "rows.hpp"
#include "vector.hpp"

#include "../../core/long_sum.hpp"
#include "../simd_target.hpp"

#include <type_traits>

namespace gpuconv::detail::GPUCONV_SIMD_TARGET {
namespace {

// ---- direct -------------------------------------------------------------------------------------------------------

// Elements between the samples that follow each other in a window.
template <std::int64_t N>
using Steps = std::integral_constant<std::int64_t, N>;

// Taps r + V*q for r in [begin, end) and q < Q, on J vectors of outputs, V samples apart: every loaded vector serves Q
// taps. `step`: between samples, a number or Steps<1>.
template <class T, int Q, int J, class Step = Steps<1>>
GPUCONV_INLINE void add_taps(Vector<T> (&sum)[J], const T* x, const T* taps, int begin, int end, Step step = {}) {
  constexpr int V = kLanes<T>;
  for (int r = begin; r < end; ++r) {
    Vector<T> tap[Q];
#pragma GCC unroll 4
    for (int q = 0; q < Q; ++q) {
      tap[q] = broadcast(taps[r + V * q]);
      keep(tap[q]);
    }
#pragma GCC unroll 32
    for (int i = 0; i < J + Q - 1; ++i) {
      Vector<T> v = load(x + (r + V * i) * step);
      if constexpr (Q > 1) keep(v);
#pragma GCC unroll 4
      for (int q = 0; q < Q; ++q)
        if (i - q >= 0 && i - q < J) sum[i - q] += v * tap[q];
    }
  }
}

// The last `count` < 4V taps, exactly: a tap beyond them would turn an infinity outside the window into NaN.
template <class T, int Q, int J, class Step = Steps<1>>
GPUCONV_INLINE void add_last_taps(Vector<T> (&sum)[J], const T* x, const T* taps, int count, Step step = {}) {
  constexpr int V = kLanes<T>;
  const int split = count - V * (Q - 1);  // taps below it have Q of them, V apart
  add_taps<T, Q, J>(sum, x, taps, 0, split, step);
  if constexpr (Q > 1) add_taps<T, Q - 1, J>(sum, x, taps, split, V, step);
}

// The same for `count` <= 2V taps, where a target shifts across a whole vector in one instruction: every other vector
// is shifted together in registers. Loads that straddle cache lines are the limit of short filters, shifts take the
// place of multiply-adds. Reads V samples past those of the taps.
template <class T, int Q, int J>
GPUCONV_INLINE void add_shifted_taps(Vector<T> (&sum)[J], const T* x, const T* taps, int count) {
  constexpr int V = kLanes<T>;
  const int split = count - V * (Q - 1);
  Vector<T> window[J + Q];
#pragma GCC unroll 16
  for (int j = 0; j < J + Q; ++j) window[j] = load(x + V * j);
  const auto add = [&]<int R, int P>(std::integral_constant<int, R>, std::integral_constant<int, P>) GPUCONV_LAMBDA {
    Vector<T> tap[P];
#pragma GCC unroll 4
    for (int q = 0; q < P; ++q) tap[q] = broadcast(taps[R + V * q]);
#pragma GCC unroll 16
    for (int i = 0; i < J + P - 1; ++i) {
      Vector<T> v;
      if constexpr (R % 2 == 0) v = shift<R, T>(window[i], window[i + 1]);
      else v = load(x + R + V * i);
      if constexpr (P > 1) keep(v);
#pragma GCC unroll 4
      for (int q = 0; q < P; ++q)
        if (i - q >= 0 && i - q < J) sum[i - q] += v * tap[q];
    }
  };
  const auto add_either = [&]<int R>(std::integral_constant<int, R> r) GPUCONV_LAMBDA {
    if (R < split) add(r, std::integral_constant<int, Q>{});
    else if constexpr (Q > 1) add(r, std::integral_constant<int, Q - 1>{});
    return Q > 1 || R < split;
  };
  [&]<std::size_t... R>(std::index_sequence<R...>) GPUCONV_LAMBDA {
    (add_either(std::integral_constant<int, static_cast<int>(R)>{}) && ...);
  }
  (AllLanes<T>{});
}

template <class T>
inline constexpr bool kShifts = kBytes == 64 && std::is_floating_point_v<T>;

// The products of one segment, on J vectors of outputs. `Past`: V samples past those of the contract can be read.
template <class T, int J, bool Past, class Step = Steps<1>>
GPUCONV_INLINE void add_segment(Vector<T> (&sum)[J], const T* x, const T* taps, std::int64_t count, Step step = {}) {
  constexpr int V = kLanes<T>;
  std::int64_t k = 0;
  for (; count - k >= 4 * V; k += 4 * V) add_taps<T, 4, J>(sum, x + k * step, taps + k, 0, V, step);
  const int rest = static_cast<int>(count - k);
  if (Past && kShifts<T> && rest <= V) add_shifted_taps<T, 1, J>(sum, x + k, taps + k, rest);
  else if (Past && kShifts<T> && rest <= 2 * V) add_shifted_taps<T, 2, J>(sum, x + k, taps + k, rest);
  else if (rest > 3 * V) add_last_taps<T, 4, J>(sum, x + k * step, taps + k, rest, step);
  else if (rest > 2 * V) add_last_taps<T, 3, J>(sum, x + k * step, taps + k, rest, step);
  else if (rest > V) add_last_taps<T, 2, J>(sum, x + k * step, taps + k, rest, step);
  else if (rest > 0) add_last_taps<T, 1, J>(sum, x + k * step, taps + k, rest, step);
}

// J vectors of outputs, `at` outputs from the first, of one segment that is one piece.
template <class T, int J, bool Past>
GPUCONV_INLINE void direct_tile(Segment<T> const& segment, std::int64_t at, T* out, bool stream) {
  Vector<T> sum[J] = {};
  add_segment<T, J, Past>(sum, segment.window + at, segment.taps, segment.count);
  store_tile<T, J>(sum, out + at, stream);
}

// The same of any segments that are one piece together.
template <class T, int J, bool Past>
GPUCONV_INLINE void direct_tile_of_segments(const Segment<T>* segment, std::int64_t segments, std::int64_t at, T* out,
                                            bool stream) {
  Vector<T> sum[J] = {};
  for (const Segment<T>* const end = segment + segments; segment < end; ++segment)
    add_segment<T, J, Past>(sum, segment->window + at, segment->taps, segment->count);
  store_tile<T, J>(sum, out + at, stream);
}

// The same of any segments, in pieces, which may be of several segments.
template <class T, int J>
GPUCONV_INLINE void direct_tile_in_pieces(const Segment<T>* segment, std::int64_t segments, std::int64_t at, T* out,
                                          bool stream) {
  LongSum<Vector<T>> total[J] = {};
  Vector<T> sum[J] = {};
  for (const Segment<T>* const last = segment + segments - 1; segment <= last; ++segment)
    for (std::int64_t k = 0, end; k < segment->count; k = end) {
      const std::int64_t piece_end = k + kSumPiece - (segment->before + k) % kSumPiece;
      end = piece_end < segment->count ? piece_end : segment->count;
      add_segment<T, J, false>(sum, segment->window + at + k, segment->taps + k, end - k);
      if (end < piece_end && segment < last) continue;
#pragma GCC unroll 16
      for (int j = 0; j < J; ++j) total[j].add(sum[j]), sum[j] = Vector<T>{};
    }
#pragma GCC unroll 16
  for (int j = 0; j < J; ++j) sum[j] = total[j].value();
  store_tile<T, J>(sum, out + at, stream);
}

// Twice the outputs a tile where there are registers for them: fewer loads a tap.
inline constexpr int kWideTile = kBytes == 64 ? 2 * kTileVectors : kTileVectors;

// The products of `taps` taps of both segments, from tap `k` on.
template <class T, int J, bool Past>
GPUCONV_INLINE void add_pair(Vector<T> (&sum)[J], const Segment<T>* pair, std::int64_t at, std::int64_t k,
                             std::int64_t taps) {
  add_segment<T, J, Past>(sum, pair[0].window + at + k, pair[0].taps + k, taps);
  add_segment<T, J, Past>(sum, pair[1].window + at + k, pair[1].taps + k, taps);
}

// A tile of two segments with as many taps and as many before them, tap by tap: one piece, or pieces of both.
template <class T, int J, bool Past>
GPUCONV_INLINE void direct_tile_of_pair(const Segment<T>* pair, std::int64_t at, T* out, bool stream) {
  Vector<T> sum[J] = {};
  add_pair<T, J, Past>(sum, pair, at, 0, pair->count);
  store_tile<T, J>(sum, out + at, stream);
}
inline constexpr std::int64_t kPairPiece = kSumPiece / 2;
template <class T, int J>
GPUCONV_INLINE void direct_tile_of_pair_in_pieces(const Segment<T>* pair, std::int64_t at, T* out, bool stream) {
  LongSum<Vector<T>> total[J] = {};
  for (std::int64_t k = 0, end; k < pair->count; k = end) {
    end = k + kPairPiece - (pair->before + k) % kPairPiece;
    end = end < pair->count ? end : pair->count;
    Vector<T> sum[J] = {};
    add_pair<T, J, false>(sum, pair, at, k, end - k);
#pragma GCC unroll 16
    for (int j = 0; j < J; ++j) total[j].add(sum[j]);
  }
  Vector<T> sum[J];
#pragma GCC unroll 16
  for (int j = 0; j < J; ++j) sum[j] = total[j].value();
  store_tile<T, J>(sum, out + at, stream);
}

template <class T>
__attribute__((noinline)) void direct_pair(const Segment<T>* segments, T* out, std::int64_t tiles, bool stream) {
  constexpr int V = kLanes<T>, J = kTileVectors;
  stream = stream && aligned_to_vector(out);
  const Segment<T> pair[] = {segments[0], segments[1]};
  const std::int64_t vectors = tiles * J;
  std::int64_t i = 0;
  if (pair->before % kPairPiece + pair->count > kPairPiece) {
    for (; vectors - i >= kWideTile; i += kWideTile)
      direct_tile_of_pair_in_pieces<T, kWideTile>(pair, V * i, out, stream);
    for (; i < vectors; i += J) direct_tile_of_pair_in_pieces<T, J>(pair, V * i, out, stream);
  } else {
    if (pair->count > (kShifts<T> ? 2 * V : V))
      for (; vectors - i >= kWideTile; i += kWideTile)
        direct_tile_of_pair<T, kWideTile, false>(pair, V * i, out, stream);
    for (; vectors - i > J; i += J) direct_tile_of_pair<T, J, true>(pair, V * i, out, stream);
    for (; i < vectors; i += J) direct_tile_of_pair<T, J, false>(pair, V * i, out, stream);
  }
  if (stream) finish_streaming();
}

template <class T>
bool are_one_piece(const Segment<T>* segments, std::int64_t count) {
  const Segment<T>& last = segments[count - 1];
  return std::is_integral_v<T> ||
         segments[0].before % kSumPiece + (last.before + last.count - segments[0].before) <= kSumPiece;
}

template <class T>
__attribute__((noinline)) void direct_segments(const Segment<T>* segments, std::int64_t count, T* out,
                                               std::int64_t tiles, bool stream) {
  constexpr int V = kLanes<T>, J = kTileVectors;
  stream = stream && aligned_to_vector(out);
  const std::int64_t vectors = tiles * J;
  std::int64_t i = 0;
  if (segments[0].count > (kShifts<T> ? 2 * V : V))
    for (; vectors - i >= kWideTile; i += kWideTile)
      direct_tile_of_segments<T, kWideTile, false>(segments, count, V * i, out, stream);
  for (; vectors - i > J; i += J) direct_tile_of_segments<T, J, true>(segments, count, V * i, out, stream);
  for (; i < vectors; i += J) direct_tile_of_segments<T, J, false>(segments, count, V * i, out, stream);
  if (stream) finish_streaming();
}

template <class T>
void direct(const Segment<T>* segments, std::int64_t count, T* out, std::int64_t tiles, bool stream) {
  constexpr int V = kLanes<T>, J = kTileVectors;
  if constexpr (std::is_floating_point_v<T>)
    if (count == 2 && segments[0].before == segments[1].before && segments[0].count == segments[1].count)
      return direct_pair(segments, out, tiles, stream);
  if (count > 1 && are_one_piece(segments, count)) return direct_segments(segments, count, out, tiles, stream);
  stream = stream && aligned_to_vector(out);
  const std::int64_t vectors = tiles * J;
  std::int64_t i = 0;
  if (const Segment<T> one = *segments;
      count > 1 || (std::is_floating_point_v<T> && one.before % kSumPiece + one.count > kSumPiece)) {
    for (; vectors - i >= kWideTile; i += kWideTile)
      direct_tile_in_pieces<T, kWideTile>(segments, count, V * i, out, stream);
    for (; i < vectors; i += J) direct_tile_in_pieces<T, J>(segments, count, V * i, out, stream);
  } else {
    if (one.count > (kShifts<T> ? 2 * V : V))
      for (; vectors - i >= kWideTile; i += kWideTile) direct_tile<T, kWideTile, false>(one, V * i, out, stream);
    for (; vectors - i > J; i += J) direct_tile<T, J, true>(one, V * i, out, stream);
    for (; i < vectors; i += J) direct_tile<T, J, false>(one, V * i, out, stream);
  }
  if (stream) finish_streaming();
}

// ---- copies -------------------------------------------------------------------------------------------------------

template <class T>
void stream_copy(const T* from, T* to, std::int64_t count) {
  constexpr int V = kLanes<T>;
  std::int64_t i = 0;
  for (; i < count && !aligned_to_vector(to + i); ++i) to[i] = from[i];
  for (; count - i >= V; i += V) store_streaming(to + i, load(from + i));
  for (; i < count; ++i) to[i] = from[i];
  finish_streaming();
}

// The real and the imaginary parts of `count` complex numbers. The last vector overlaps with the one before it.
template <class T>
void split(const T* from, T* re, T* im, std::int64_t count) {
  constexpr int V = kLanes<T>;
  const auto vector = [&](std::int64_t i) GPUCONV_LAMBDA {
    const Vector<T> a = load(from + 2 * i), b = load(from + 2 * i + V);
    store(re + i, shuffle<[](int e) { return 2 * e; }>(a, b, AllLanes<T>{}));
    store(im + i, shuffle<[](int e) { return 2 * e + 1; }>(a, b, AllLanes<T>{}));
  };
  std::int64_t i = 0;
  for (; count - i >= V; i += V) vector(i);
  if (i == count) return;
  if (count >= V) return vector(count - V);
  for (; i < count; ++i) re[i] = from[2 * i], im[i] = from[2 * i + 1];
}

// The other way round.
template <class T>
void join(const T* re, const T* im, T* to, std::int64_t count, bool stream) {
  constexpr int V = kLanes<T>;
  const auto vector = [&](std::int64_t i, auto put) GPUCONV_LAMBDA {
    const Vector<T> a = load(re + i), b = load(im + i);
    put(to + 2 * i, interleave<T, false>(a, b));
    put(to + 2 * i + V, interleave<T, true>(a, b));
  };
  const auto one = [&](std::int64_t i) GPUCONV_LAMBDA { to[2 * i] = re[i], to[2 * i + 1] = im[i]; };
  std::int64_t i = 0;
  if (stream && past_boundary(to) % 2 == 0) {
    for (; i < count && !aligned_to_vector(to + 2 * i); ++i) one(i);
    for (; count - i >= V; i += V) vector(i, [](T* at, Vector<T> v) GPUCONV_LAMBDA { store_streaming(at, v); });
    finish_streaming();
  }
  const auto plain = [](T* at, Vector<T> v) GPUCONV_LAMBDA { store(at, v); };
  for (; count - i >= V; i += V) vector(i, plain);
  if (i == count) return;
  if (count >= V && !stream) return vector(count - V, plain);
  for (; i < count; ++i) one(i);
}

template <class T>
void rows(RowSums<T> const& rows) {
  if (narrow_rows(rows)) return;
  const auto add = []<int J, bool Past>(Vector<T>(&sum)[J], const T* window, const T* taps, std::int64_t count,
                                        std::bool_constant<Past>)
                       GPUCONV_LAMBDA { add_segment<T, J, Past>(sum, window, taps, count); };
  if (rows.count > 2 * kLanes<T>) each_row<T, kWideTile>(rows, add);
  else each_row<T, kTileVectors>(rows, add);
}

template <class T>
void across(AcrossSums<T> const& sums) {
  sums_across(sums, []<int J>(Vector<T>(&sum)[J], const T* x, std::int64_t step, const T* taps, std::int64_t count)
                        GPUCONV_LAMBDA { add_segment<T, J, false>(sum, x, taps, count, step); });
}

template <class T>
constexpr SimdKernels<T> kernels() {
  if constexpr (std::is_floating_point_v<T>)
    return {
        kLanes<T>,
        direct<T>,
        ImageTile<T>::kLines,
        image_lines<T>,
        rows<T>,
        across<T>,
        copy_rows<T>,
        transpose_lines<T>,
        dot<T>,
        stream_copy<T>,
        split<T>,
        join<T>,
        {any_missing<T>, separate_missing<T>, weigh_gaps<T>, divide_by_weights<T>},
        {kBytes == 64 ? 4 : 3, kShiftsByVariable, first<T>, forward<T>, inverse<T>, inner<T>, spectrum<T>, last<T>}};
  else
    return {kLanes<T>, direct<T>,      1,       nullptr, rows<T>, across<T>, copy_rows<T>, transpose_lines<T>,
            dot<T>,    stream_copy<T>, nullptr, nullptr, {},      {}};
}

}  // namespace

#define GPUCONV_STRING2(x) #x
#define GPUCONV_STRING(x) GPUCONV_STRING2(x)

extern const SimdTarget target;
const SimdTarget target{GPUCONV_STRING(GPUCONV_SIMD_TARGET),
                        8 * kBytes,
                        kernels<float>(),
                        kernels<double>(),
                        kernels<std::uint64_t>(),
                        direct16,
                        kMultipliesSigned32 ? direct32<std::int32_t> : nullptr,
                        direct32<std::uint32_t>,
                        {load_halves<Float16>, store_halves<Float16>},
                        {load_halves<Bfloat16>, store_halves<Bfloat16>}};

}  // namespace gpuconv::detail::GPUCONV_SIMD_TARGET

// What samples and taps that are not finite make of a block's outputs, which were computed without them: NaN where a
// NaN meets anything, infinities and NaN where products of infinities fall.
#pragma once

#include "filters.cuh"

#include "core/signs.hpp"

namespace gpuconv::kernels {

using detail::BitSetLayout;
using detail::kSigns;
using detail::Sign;
using detail::Word;

/// The result of a look for samples of a block that are not finite.
inline constexpr unsigned kInfinite = 1, kNan = 2;

/// Looks at one more sample: the largest finite magnitude, and the kinds of others.
template <class C>
__device__ inline void look_at(C x, C& largest, unsigned& kinds) {
  const C magnitude = x < 0 ? -x : x;
  if (x != x) kinds |= kNan;
  else if (magnitude > kLargest<C>) kinds |= kInfinite;
  else if (magnitude > largest) largest = magnitude;
}

/// A set for each sign of `size` samples or taps.
template <class Index>
struct SignSets {
  Word* words;   // of all sets
  Word* levels;  // of all sets
  Index size;

  __host__ __device__ static constexpr Index word_count(Index size) {
    return kSigns * BitSetLayout<Index>(size).words();
  }
  __host__ __device__ static constexpr Index level_count(Index size) {
    return kSigns * BitSetLayout<Index>(size).levels();
  }
  __device__ Word* words_of(int s) const { return words + s * BitSetLayout<Index>(size).words(); }
  __device__ Word* levels_of(int s) const { return levels + s * BitSetLayout<Index>(size).levels(); }
  __device__ detail::BasicBitSet<Index> get(Sign sign) const {
    const int s = static_cast<int>(sign);
    return {words_of(s), levels_of(s), size};
  }
};

/// Those of each part of a block and of its filter, one behind the other.
template <class Index>
struct BlockSets {
  Word* words;
  Word* levels;
  Index size, columns;             // samples, taps
  int signal_parts, filter_parts;  // of each

  __host__ __device__ Index word_count() const {
    return signal_parts * SignSets<Index>::word_count(size) + filter_parts * SignSets<Index>::word_count(columns);
  }
  __host__ __device__ Index level_count() const {
    return signal_parts * SignSets<Index>::level_count(size) + filter_parts * SignSets<Index>::level_count(columns);
  }
  __device__ SignSets<Index> samples(int part) const {
    return {words + part * SignSets<Index>::word_count(size), levels + part * SignSets<Index>::level_count(size), size};
  }
  __device__ SignSets<Index> taps(int part) const {
    const SignSets<Index> behind = samples(signal_parts);
    return {behind.words + part * SignSets<Index>::word_count(columns),
            behind.levels + part * SignSets<Index>::level_count(columns), columns};
  }
};

/// Words begin, begin + step, ... of each set, whose levels are 0: members are elements [first, end), of which
/// load(begin, end, put) calls put(i, x).
template <class C, class Index>
__device__ __forceinline__ void find_signs(SignSets<Index> const& to, Index first, Index end, Index begin, Index step,
                                           auto load) {
  const BitSetLayout<Index> l(to.size);
  for (Index w = begin; w < l.members; w += step) {
    Word found[kSigns] = {};
    load(max(w * 64, first), min(w * 64 + 64, end), [&](Index i, C x) {
#pragma unroll
      for (int s = 0; s < kSigns; ++s)
        if (detail::has_sign(x, kLargest<C>, static_cast<Sign>(s))) found[s] |= Word{1} << (i - w * 64);
    });
#pragma unroll
    for (int s = 0; s < kSigns; ++s) {
      Word *const words = to.words_of(s), *const levels = to.levels_of(s);
      words[1 + w] = found[s];
      if (w == 0) words[0] = words[l.members + 1] = 0;
      if (found[s] == 0) continue;
      atomicOr(&levels[w / 64], Word{1} << w % 64);
      atomicOr(&levels[l.first_level + w / 4096], Word{1} << w / 64 % 64);
    }
  }
}

/// Finds the signs of a block's samples, element 0 of which is sample `origin` of the row: of those that the row has. A
/// row that is extended has all.
template <class C, class Index>
__device__ __attribute__((noinline)) void find_sample_signs(Operands const& operands, std::int64_t row,
                                                            std::int64_t origin, BlockSets<Index> const& sets,
                                                            Index begin, Index step) {
  const std::int64_t samples = operands.part.samples, size = sets.size;
  const bool extended = !operands.signal.extension.is_zero();
  const auto first = extended ? Index{0} : static_cast<Index>(min(size, max(std::int64_t{0}, -origin)));
  const auto end = extended ? sets.size : static_cast<Index>(max(std::int64_t{0}, min(size, samples - origin)));
#pragma unroll 1
  for (int part = 0; part < sets.signal_parts; ++part)
    find_signs<C>(sets.samples(part), first, end, begin, step, [&](Index from, Index until, auto put) {
      load_row<C>(operands.signal, operands.loops, row, part, samples, origin, from, until, Index{1}, put);
    });
}
template <class C, class Index>
__device__ __attribute__((noinline)) void find_tap_signs(Filters const& filters, std::int64_t filter,
                                                         BlockSets<Index> const& sets, Index begin, Index step) {
#pragma unroll 1
  for (int part = 0; part < sets.filter_parts; ++part) {
    C const* const taps =
        static_cast<C const*>(filters.taps) + (filter * sets.filter_parts + part) * std::int64_t{filters.columns};
    find_signs<C>(sets.taps(part), Index{0}, sets.columns, begin, step, [&](Index from, Index until, auto put) {
      for (Index i = from; i < until; ++i) put(i, taps[i]);
    });
  }
}

/// The outputs, among the 64 of which the first is full[k], with a NaN tap that meets one of the row's samples. None
/// before full[0] does.
template <class Index>
__device__ inline Word met_by_nan_tap(SignSets<Index> const& taps, std::int64_t k, std::int64_t samples) {
  if (k <= -64) return 0;
  const int none = k < 0 ? static_cast<int>(-k) : 0;  // of the outputs
  k += none;
  // Beyond the taps all indices can be taken back, to where an Index holds them.
  const std::int64_t back = max(std::int64_t{0}, k - taps.size);
  constexpr std::int64_t far = 1 << 30;
  const std::int64_t reach = max(std::int64_t{0}, min(samples - back, sizeof(Index) < 8 ? far : samples));
  return detail::reached(taps.get(Sign::nan), static_cast<Index>(k - back), static_cast<Index>(reach)) << none;
}

/// What the products of samples i and taps first + o - i make of the `asked` outputs o among 64. `output`: the first of
/// them within the full convolution; `kinds` and `finite` as below.
template <class Index>
__device__ inline detail::Infinities not_finite_sums(Operands const& operands, SignSets<Index> const& samples,
                                                     SignSets<Index> const& taps, unsigned kinds, bool finite,
                                                     std::int64_t output, Index first, Word asked) {
  // A sign that no product asks for is an empty set: infinities where there are none, the others where they meet none.
  const bool infinite = (kinds & kInfinite) != 0;
  const auto set = [](SignSets<Index> const& of, Sign s, bool infinities, bool others) {
    return (s <= Sign::minus_infinity ? infinities : others) ? of.get(s) : detail::BasicBitSet<Index>();
  };
  const auto of_samples = [&](Sign s) { return set(samples, s, infinite, !finite); };
  const auto of_taps = [&](Sign s) { return set(taps, s, !finite, infinite); };
  const bool extended = !operands.signal.extension.is_zero();  // every tap meets a sample
  constexpr std::int64_t endless = std::int64_t{1} << 62;
  Word nan = 0;
  if ((kinds & kNan) != 0) nan = detail::reached(samples.get(Sign::nan), first, taps.size);
  if (!finite && extended) nan |= met_by_nan_tap(taps, std::int64_t{taps.size}, endless);
  else if (!finite) nan |= met_by_nan_tap(taps, output, operands.part.samples);
  detail::Infinities found = detail::infinities(of_samples, of_taps, first, asked & ~nan);
  found.nan |= nan;
  return found;
}

/// Puts what is not finite into outputs o of the `count` from `output` on of a row, 64 from each of begin, begin +
/// step, ... on. Output o is the sum of the block's samples i times taps skip + o - i; parts of complex outputs add up
/// as core/parts.hpp says. `kinds`: of the samples that are not finite; `finite`: all taps are.
template <class C, class Index>
__device__ __attribute__((noinline)) void put_not_finite(Operands const& operands, BlockSets<Index> const& sets,
                                                         unsigned kinds, bool finite, std::int64_t row,
                                                         std::int64_t output, Index count, Index skip, Index begin,
                                                         Index step) {
  const bool complex_signal = sets.signal_parts == 2, complex_filter = sets.filter_parts == 2;
#pragma unroll 1
  for (int part = 0; part < operands.out_parts(); ++part) {
    for (Index o = begin; o < count; o += step) {
      const int asked = static_cast<int>(min(Index{64}, count - o));
      detail::Infinities all{};
#pragma unroll 1
      for (int i = 0; i < detail::term_count(complex_signal, complex_filter); ++i) {
        const detail::Term term = detail::term_of(complex_signal, complex_filter, part, i);
        const detail::Infinities found =
            not_finite_sums(operands, sets.samples(term.signal), sets.taps(term.filter), kinds, finite,
                            operands.part.first + output + o, skip + o, ~Word{0} >> (64 - asked));
        all.nan |= found.nan;
        all.plus |= term.minus ? found.minus : found.plus;
        all.minus |= term.minus ? found.plus : found.minus;
      }
      all.nan |= all.plus & all.minus;
      for (int i = 0; i < asked; ++i) {
        const Word bit = Word{1} << i;
        if (((all.nan | all.plus | all.minus) & bit) == 0) continue;
        const C infinity = (all.plus & bit) != 0 ? C(INFINITY) : -C(INFINITY);
        store_element(operands.out, operands.loops, row, part, output + o + i,
                      (all.nan & bit) != 0 ? C(NAN) : infinity);
      }
    }
  }
}

}  // namespace gpuconv::kernels

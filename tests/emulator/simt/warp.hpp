// Warp barriers, votes and shuffles.
#pragma once

#include "builtins.hpp"

#include <bit>
#include <cstring>
#include <type_traits>

namespace simt {

template <class T>
T shuffle(Site site, unsigned mask, T value, unsigned source) {
  static_assert(std::is_arithmetic_v<T> && sizeof(T) >= 4, "shuffles move 32-bit and 64-bit arithmetic types");
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  bits = exchange(site, mask, bits, source);
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// The lanes that a shuffle of `width` stays among.
struct Segment {
  unsigned first, end;
};
inline Segment segment(Site site, int width) {
  const unsigned lanes = static_cast<unsigned>(width);
  if (width < 1 || lanes > warp_size || !std::has_single_bit(lanes))
    fail(site, "a shuffle's width is a power of two up to 32");
  const unsigned first = lane() & ~(lanes - 1);
  return {first, first + lanes};
}

}  // namespace simt

inline void __syncwarp(unsigned mask = simt::full_mask, SIMT_SITE) { simt::sync_warp(SIMT_HERE, mask); }
inline unsigned __activemask() { return simt::active_mask(); }
inline unsigned __ballot_sync(unsigned mask, int predicate, SIMT_SITE) {
  return simt::ballot(SIMT_HERE, mask, predicate != 0);
}
inline int __any_sync(unsigned mask, int predicate, SIMT_SITE) {
  return simt::ballot(SIMT_HERE, mask, predicate != 0) != 0;
}
inline int __all_sync(unsigned mask, int predicate, SIMT_SITE) {
  return simt::ballot(SIMT_HERE, mask, predicate == 0) == 0;
}

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = warpSize, SIMT_SITE) {
  const simt::Segment own = simt::segment(SIMT_HERE, width);
  return simt::shuffle(SIMT_HERE, mask, value, own.first + (static_cast<unsigned>(source) & (own.end - own.first - 1)));
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = warpSize, SIMT_SITE) {
  const simt::Segment own = simt::segment(SIMT_HERE, width);
  const unsigned lane = simt::lane();
  return simt::shuffle(SIMT_HERE, mask, value, lane >= own.first + delta ? lane - delta : lane);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = warpSize, SIMT_SITE) {
  const simt::Segment own = simt::segment(SIMT_HERE, width);
  const unsigned lane = simt::lane();
  return simt::shuffle(SIMT_HERE, mask, value, lane + delta < own.end ? lane + delta : lane);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = warpSize, SIMT_SITE) {
  const simt::Segment own = simt::segment(SIMT_HERE, width);
  const unsigned lane = simt::lane(), source = lane ^ static_cast<unsigned>(bits);
  return simt::shuffle(SIMT_HERE, mask, value, source < own.end ? source : lane);
}

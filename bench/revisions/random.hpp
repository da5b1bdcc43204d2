// Random numbers that are the same with every compiler and library, as the records of two revisions have to be.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace gpuconv::revisions {

/// SplitMix64 (Steele, Lea and Flood, 2014).
class Rng {
 public:
  explicit Rng(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// A number in [low, high], low and high included.
  std::int64_t pick(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(bits() % static_cast<std::uint64_t>(high - low + 1));
  }
  /// True once in `n` times.
  bool one_in(std::int64_t n) { return pick(1, n) == 1; }
  template <class T>
  T any_of(std::initializer_list<T> values) {
    return values.begin()[pick(0, static_cast<std::int64_t>(values.size()) - 1)];
  }
  /// In [-1, 1), a multiple of 2^-52.
  double uniform() { return static_cast<double>(static_cast<std::int64_t>(bits()) >> 11) * 0x1p-52; }

 private:
  std::uint64_t state_;
};

}  // namespace gpuconv::revisions

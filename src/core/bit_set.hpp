// Sets of samples, taps and outputs as bits: which outputs a product of certain samples and taps falls on, 64 outputs
// a word. Plain C++ without a library, for host and device.
#pragma once

#include <cstdint>

namespace gpuconv::detail {

/// The words of a BitSet of `size` integers: one more at either end, so that 64 members are read at any place.
constexpr std::int64_t bit_set_words(std::int64_t size) { return (size + 63) / 64 + 2; }

/// A set of integers of [0, size), in words of the caller's.
class BitSet {
 public:
  constexpr BitSet() = default;  ///< empty

  /// The integers i of [0, size) with `holds(i)`; `words` has bit_set_words(size).
  template <class Holds>
  constexpr BitSet(std::uint64_t* words, std::int64_t size, Holds holds) : words_(words), size_(size) {
    words[0] = words[bit_set_words(size) - 1] = 0;
    for (std::int64_t begin = 0; begin < size; begin += 64) {
      const std::int64_t count = size - begin < 64 ? size - begin : 64;
      std::uint64_t word = 0;
      for (std::int64_t b = 0; b < count; ++b) word |= static_cast<std::uint64_t>(holds(begin + b)) << b;
      words[begin / 64 + 1] = word;
      any_ |= word != 0;
    }
  }

  constexpr std::int64_t size() const { return size_; }
  constexpr bool empty() const { return !any_; }

  /// Bit b tells whether begin + b is a member; -64 <= begin < size.
  constexpr std::uint64_t from(std::int64_t begin) const {
    const std::int64_t at = begin + 64;
    const int shift = static_cast<int>(at % 64);
    return words_[at / 64] >> shift | words_[at / 64 + 1] << 1 << (63 - shift);
  }

 private:
  const std::uint64_t* words_ = nullptr;
  std::int64_t size_ = 0;
  bool any_ = false;
};

/// Which of the 64 integers from `first` on are a sum of a member of `a` and one of `b`, as far as `wanted` asks. Both
/// sets' members are gone through in turn: the sparser set, or the last bit wanted, ends it.
constexpr std::uint64_t sums(BitSet const& a, BitSet const& b, std::int64_t first, std::uint64_t wanted) {
  if (a.empty() || b.empty()) return 0;
  // The members of one set that can matter, 64 at a time.
  struct Walk {
    std::int64_t at, end;
    std::uint64_t bits = 0;
  };
  const auto walk = [first](BitSet const& members, BitSet const& other) {
    const std::int64_t begin = first - other.size() + 1, end = first + 64;
    return Walk{(begin < 0 ? 0 : begin) - 64, end < members.size() ? end : members.size()};
  };
  std::uint64_t found = 0;
  // One member or one word further; whether there are more.
  const auto step = [&](Walk& w, BitSet const& members, BitSet const& other) {
    if (w.bits == 0) {
      w.at += 64;
      if (w.at >= w.end) return false;
      w.bits = members.from(w.at);
      return true;
    }
    const std::int64_t member = w.at + __builtin_ctzll(w.bits);
    w.bits &= w.bits - 1;
    const std::int64_t begin = first - member;
    if (begin > -64 && begin < other.size()) found |= other.from(begin);
    return true;
  };
  Walk in_a = walk(a, b), in_b = walk(b, a);
  while ((wanted & ~found) != 0 && step(in_a, a, b) && step(in_b, b, a)) {
  }
  return found & wanted;
}

}  // namespace gpuconv::detail

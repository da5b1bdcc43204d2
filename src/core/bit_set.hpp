// Sets of samples, taps and outputs as bits: which outputs a product of certain samples and taps falls on, 64 outputs
// a word. Plain C++, for host and device.
#pragma once

#include <cstdint>
#include <type_traits>

namespace gpuconv::detail {

/// A bit for each of 64 members. CUDA's atomics take this type and not std::uint64_t.
using Word = unsigned long long;

/// The number of the lowest and of the highest bit of a word that is not 0. nvcc compiles neither the compiler's
/// functions for it nor those of <bit>, and does not say so: the bit times a de Bruijn sequence has its number in the
/// upper bits.
constexpr int bit_number(Word bit) {
  constexpr int kShift = 58;
  return static_cast<int>(
      "\000\001\060\002\071\061\034\003\075\072\062\052\046\035\021\004"
      "\076\067\073\044\065\063\053\026\055\047\041\036\030\022\014\005"
      "\077\057\070\033\074\051\045\020\066\043\064\025\054\040\027\013"
      "\056\032\050\017\042\024\037\012\031\016\023\011\015\010\007\006"[bit * 0x03f79d71b4cb0a89 >> kShift]);
}
constexpr int lowest_bit(Word bits) { return bit_number(bits & (0 - bits)); }
constexpr int highest_bit(Word bits) {
  for (int shift = 1; shift < 64; shift *= 2) bits |= bits >> shift;
  return bit_number(bits - (bits >> 1));
}

/// The words of a set of `size` integers: `members` of them hold 64 members each, with one word of zeros at either end
/// so that 64 members are read at any place; beside them the levels, bits that tell which of these are not zero, and
/// which of those.
template <class Index>
struct BitSetLayout {
  Index members, first_level, second_level;

  constexpr explicit BitSetLayout(Index size)
      : members((size + 63) / 64), first_level((members + 63) / 64), second_level((first_level + 63) / 64) {}

  constexpr Index words() const { return members + 2; }
  constexpr Index levels() const { return first_level + second_level; }
};

/// Both together.
template <class Index>
constexpr Index bit_set_words(Index size) {
  return BitSetLayout<Index>(size).words() + BitSetLayout<Index>(size).levels();
}

/// A set of integers of [0, size), in words of the caller's. `Index`: of the integers; kernels whose blocks are small
/// have no registers for 64 bits.
template <class Index>
class BasicBitSet {
 public:
  constexpr BasicBitSet() = default;  ///< empty
  /// The set of words that are filled already.
  constexpr BasicBitSet(Word const* words, Word const* levels, Index size)
      : words_(words), levels_(levels), size_(size) {}

  /// The set of the integers i of [0, size) with `holds(i)`; `words` has bit_set_words(size).
  template <class Holds>
  static constexpr BasicBitSet of(Word* words, Index size, Holds holds) {
    const BitSetLayout<Index> l(size);
    Word* const levels = words + l.words();
    for (Index i = 0; i < l.levels(); ++i) levels[i] = 0;
    words[0] = words[l.members + 1] = 0;
    for (Index w = 0; w < l.members; ++w) {
      const Index begin = w * 64, count = size - begin < 64 ? size - begin : 64;
      Word word = 0;
      for (Index b = 0; b < count; ++b) word |= Word{holds(begin + b)} << b;
      words[1 + w] = word;
      if (word == 0) continue;
      levels[w / 64] |= Word{1} << w % 64;
      levels[l.first_level + w / 4096] |= Word{1} << w / 64 % 64;
    }
    return BasicBitSet(words, levels, size);
  }

  constexpr Index size() const { return size_; }

  /// Bit b tells whether begin + b is a member; -64 <= begin < size.
  constexpr Word from(Index begin) const {
    const Index at = begin + 64;
    const int shift = static_cast<int>(at % 64);
    return words_[at / 64] >> shift | words_[at / 64 + 1] << 1 << (63 - shift);
  }

  /// Members 64 w and up.
  constexpr Word word(Index w) const { return words_[1 + w]; }
  /// The first word from `w` on with a member, or the number of words.
  constexpr Index word_from(Index w) const {
    if (w >= layout().members || word(w) != 0) return w < layout().members ? w : layout().members;
    Index at = w / 64;
    const Word here = first(at) >> w % 64;
    if (here != 0) return w + lowest_bit(here);
    if (++at >= layout().first_level) return layout().members;
    Index above = at / 64;
    Word beyond = second(above) >> at % 64 << at % 64;
    while (beyond == 0) {
      if (++above >= layout().second_level) return layout().members;
      beyond = second(above);
    }
    at = above * 64 + lowest_bit(beyond);
    return at * 64 + lowest_bit(first(at));
  }
  /// The last word before `w`, at most the number of words, with a member, or -1.
  constexpr Index word_before(Index w) const {
    if (--w < 0 || word(w) != 0) return w;
    Index at = w / 64;
    const Word here = first(at) & lower(w % 64);
    if (here != 0) return at * 64 + highest_bit(here);
    if (at == 0) return -1;
    Index above = at / 64;
    Word beyond = second(above) & lower(at % 64);
    while (beyond == 0) {
      if (--above < 0) return -1;
      beyond = second(above);
    }
    at = above * 64 + highest_bit(beyond);
    return at * 64 + highest_bit(first(at));
  }

 private:
  constexpr BitSetLayout<Index> layout() const { return BitSetLayout<Index>(size_); }
  static constexpr Word lower(Index bits) { return (Word{1} << bits) - 1; }
  constexpr Word first(Index w) const { return levels_[w]; }
  constexpr Word second(Index w) const { return levels_[layout().first_level + w]; }

  Word const* words_ = nullptr;
  Word const* levels_ = nullptr;
  Index size_ = 0;
};

using BitSet = BasicBitSet<std::int64_t>;

/// The members of a set that can be a part of one of the 64 sums from `first` on with a member of another, in turn.
template <class Index>
class Walk {
 public:
  constexpr Walk(BasicBitSet<Index> const& members, BasicBitSet<Index> const& other, Index first)
      : end_(first + 64 < members.size() ? first + 64 : members.size()) {
    const Index begin = first - other.size() + 1 < 0 ? 0 : first - other.size() + 1;
    word_ = begin / 64;
    if (begin < end_) bits_ = members.word(word_) >> begin % 64 << begin % 64;
  }

  /// One member or some words further: adds the sums with the member to `found`. Returns whether there may be more.
  constexpr bool step(BasicBitSet<Index> const& members, BasicBitSet<Index> const& other, Index first, Word& found) {
    if (bits_ == 0) {
      if (word_ * 64 >= end_) return false;
      word_ = members.word_from(word_ + 1);
      if (word_ * 64 >= end_) return false;
      bits_ = members.word(word_);
      return true;
    }
    const Index begin = first - (word_ * 64 + lowest_bit(bits_));
    bits_ &= bits_ - 1;
    if (begin > -64 && begin < other.size()) found |= other.from(begin);
    return true;
  }

 private:
  Index word_, end_;
  Word bits_ = 0;
};

/// Which of the 64 integers from `first` on are a sum of a member of `a` and one of `b`, as far as `wanted` asks. Both
/// sets' members are gone through in turn: the sparser set, or the last bit wanted, ends it.
template <class Index>
constexpr Word sums(BasicBitSet<Index> const& a, BasicBitSet<Index> const& b, std::type_identity_t<Index> first,
                    Word wanted) {
  if (a.size() == 0 || b.size() == 0) return 0;
  Word found = 0;
  Walk<Index> in_a(a, b, first), in_b(b, a, first);
  while ((wanted & ~found) != 0 && in_a.step(a, b, first, found) && in_b.step(b, a, first, found)) {
  }
  return found & wanted;
}

/// Which of the 64 integers from `first` on, not negative, are less than `reach` above a member or are one.
template <class Index>
constexpr Word reached(BasicBitSet<Index> const& a, std::type_identity_t<Index> first,
                       std::type_identity_t<Index> reach) {
  const Index begin = first < a.size() ? first : a.size();
  const Word here = first < a.size() ? a.from(first) : 0;
  // The last member before.
  const Index w = begin / 64;
  const Word near = begin % 64 == 0 ? 0 : a.word(w) & ((Word{1} << begin % 64) - 1);
  const Index far = near == 0 ? a.word_before(w) : w;
  Index last = far < 0 ? first - reach : far * 64 + highest_bit(near == 0 ? a.word(far) : near);
  Word found = 0;
  for (int b = 0; b < 64; ++b) {
    if ((here >> b & 1) != 0) last = first + b;
    if (first + b - last < reach) found |= Word{1} << b;
  }
  return found;
}

}  // namespace gpuconv::detail

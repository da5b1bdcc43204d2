// Sums of many products. A plain sum of m products may be off by m u times the sum of their magnitudes; ones by ones in
// float32 stop at 2^24. So a sum runs in pieces, and the pieces are added to a compensated total: an output is off by
// (kSumPiece + 4) u + O(m u^2) times the sum of the magnitudes, however long the filter is. (The two-sum is Knuth's,
// "The Art of Computer Programming", volume 2, section 4.2.2, theorem B.)
#pragma once

#include <cstdint>
#include <type_traits>

namespace gpuconv::detail {

/// Products of a piece, at most. Pieces end where a whole number of them from one end of the filter does, so that an
/// output's bits do not depend on which of its neighbours are computed with it.
inline constexpr std::int64_t kSumPiece = 512;

/// The total of some pieces. `V`: a number, or a vector of numbers. Integers have no error to keep.
template <class V>
struct LongSum {
  V total{}, error{};

  [[gnu::always_inline]] constexpr void add(V piece) {
    if constexpr (std::is_integral_v<V>) total += piece;
    else {
      const V sum = total + piece, added = sum - total;
      error += (total - (sum - added)) + (piece - added);
      total = sum;
    }
  }
  /// An infinite or NaN total has a NaN for an error, which says nothing.
  [[gnu::always_inline]] constexpr V value() const {
    if constexpr (std::is_integral_v<V>) return total;
    else return total + (error == error ? error : V{});
  }
};

/// The sum of product(k) for k in [0, count), in pieces; `before` products of the filter come before these.
template <class V, class Product>
constexpr V long_sum(std::int64_t count, std::int64_t before, Product product) {
  LongSum<V> total;
  for (std::int64_t k = 0; k < count;) {
    const std::int64_t left = kSumPiece - (before + k) % kSumPiece, end = left < count - k ? k + left : count;
    V piece{};
    for (; k < end; ++k) piece += product(k);
    total.add(piece);
  }
  return total.value();
}

}  // namespace gpuconv::detail

// How an operand lies in memory: what the loaders and storers of every method obey.
#pragma once

#include "work.hpp"

#include <cstdint>
#include <type_traits>

namespace gpuconv::detail {

/// Elements of type `type`: element i of a row is `stride` * i elements from the row's first, and rows are `outer` and
/// `inner` elements apart in the loops of the work. Any of them may be negative or, for what is read, 0. What lies
/// beyond the ends of a row counts as zero. `Void`: `void const` for what is read, `void` for what is written.
template <class Void>
struct Access {
  Void* data = nullptr;  // element 0 of row 0
  Type type = Type::float32;
  std::int64_t outer = 0, inner = 0;
  std::int64_t stride = 1;

  /// Elements from `data` to the first one of `row`.
  constexpr std::int64_t offset(Loops const& loops, std::int64_t row) const {
    const Loops::Turn turn = loops.turn(row);
    return loops.inner.count == 1 ? turn.outer * outer : turn.outer * outer + turn.inner * inner;
  }
  /// Whether a row can be used as an array of `C` where it lies.
  template <class C>
  constexpr bool is_array_of() const {
    return same_bits<C>(type) && stride == 1;
  }
};

/// The same from `elements` further on.
template <class Void>
constexpr Access<Void> advanced(Access<Void> access, std::int64_t elements) {
  using Bytes = std::conditional_t<std::is_const_v<Void>, char const, char>;
  access.data = static_cast<Bytes*>(access.data) + elements * static_cast<std::int64_t>(size_of(access.type));
  return access;
}

using Input = Access<void const>;
using Output = Access<void>;

}  // namespace gpuconv::detail

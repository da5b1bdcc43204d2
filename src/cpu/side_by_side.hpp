// Rows that lie across memory: some of them are loaded and stored together, so that cache lines are used whole.
#pragma once

#include "../core/saturated.hpp"
#include "simd_target.hpp"

#include "../core/access.hpp"

#include <algorithm>
#include <cstdint>
#include <type_traits>

namespace gpuconv::detail {

/// Some rows of the outer loop, `access.outer` elements apart, from the one that `access` begins at.
template <class Void>
struct Neighbours {
  Access<Void> access;
  std::int64_t rows;

  /// `count` of them from `row` on.
  Neighbours from(std::int64_t row, std::int64_t count) const { return {advanced(access, row * access.outer), count}; }
  /// Whether elements of C lie beside those of the next row.
  template <class C>
  bool touch() const {
    return same_bits<C>(access.type) && access.outer == 1 &&
           (std::is_const_v<Void> || (access.every == 1 && access.saturation == Saturation::none));
  }
};

/// The loops over a part's rows as those see them who take neighbours together: neighbours are the turns of either
/// loop. The part has whole turns of the outer one.
class NeighbouringRows {
 public:
  NeighbouringRows(Loops const& loops, Part const& part, bool inner)
      : loops_(loops), first_(part.row / loops.inner.count), turns_(part.rows / loops.inner.count), inner_(inner) {}

  /// Whether rows of the inner loop, rather than of the outer one, may be taken together: they share their filter.
  static bool may_be_inner(Loops const& loops) { return loops.inner.signal_moves && !loops.inner.filter_moves; }
  /// Whether they are those that lie across.
  static bool are_inner(Loops const& loops, Input const& signal, Output const& out) {
    return may_be_inner(loops) && !lies_across(signal) && !lies_across(out) &&
           (lies_across(signal.inner, signal.stride) || lies_across(out.inner, out.stride));
  }
  /// The most neighbours that there can be.
  static std::int64_t most(Loops const& loops) {
    return may_be_inner(loops) ? std::max(loops.outer.count, loops.inner.count) : loops.outer.count;
  }

  /// How many neighbours there are, how often, and the number of one of them.
  std::int64_t count() const { return inner_ ? loops_.inner.count : turns_; }
  std::int64_t groups() const { return inner_ ? turns_ : loops_.inner.count; }
  std::int64_t row(std::int64_t group, std::int64_t neighbour) const {
    return inner_ ? (first_ + group) * loops_.inner.count + neighbour
                  : (first_ + neighbour) * loops_.inner.count + group;
  }
  template <class Void>
  Neighbours<Void> from(Access<Void> const& access, std::int64_t row, std::int64_t count) const {
    Neighbours<Void> some{advanced(access, access.offset(loops_, row)), count};
    if (inner_) some.access.outer = access.inner;
    return some;
  }

 private:
  Loops loops_;
  std::int64_t first_, turns_;
  bool inner_;
};

/// Calls f(i, r) for i < count and r < rows, a tile after the other: whichever of them is the nearer one in memory.
template <class F>
void in_tiles(std::int64_t count, std::int64_t rows, F f) {
  constexpr std::int64_t kTile = 16;
  for (std::int64_t i = 0; i < count; i += kTile)
    for (std::int64_t r = 0; r < rows; r += kTile)
      for (std::int64_t j = i, end = std::min(count, i + kTile); j < end; ++j)
        for (std::int64_t q = r, last = std::min(rows, r + kTile); q < last; ++q) f(j, q);
}

/// Where elements of neighbours go to or come from, in memory of our own: element i of row r is at
/// data[i * stride + r * step]. Either the rows are side by side, and `step` is 1, or they are one behind the other,
/// and `stride` is.
template <class C>
struct Place {
  C* data;
  std::int64_t stride, step;

  static Place side_by_side(C* data, std::int64_t rows) { return {data, rows, 1}; }
  static Place row_after_row(C* data, std::int64_t step) { return {data, 1, step}; }
  C& at(std::int64_t i, std::int64_t r) const { return data[i * stride + r * step]; }
};

/// Samples from `first` on of neighbours, beyond their `size` samples by their extension.
template <class C>
void load_neighbours(Neighbours<void const> const& x, std::int64_t size, std::int64_t first, std::int64_t count,
                     Place<C> to) {
  const Input& access = x.access;
  const std::int64_t rows = x.rows, step = access.outer, stride = access.stride;
  const std::int64_t begin = std::clamp<std::int64_t>(-first, 0, count);
  const std::int64_t end = std::clamp<std::int64_t>(size - first, begin, count);
  visit_type(access.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (kConverts<T, C>) {
      const T* const data = static_cast<const T*>(access.data);
      const auto beyond = [&](std::int64_t from, std::int64_t until) {
        const Boundary boundary = access.extension.boundary;
        const C value = static_cast<C>(static_cast<T>(boundary == Boundary::constant ? access.extension.constant : 0));
        in_tiles(until - from, rows, [&](std::int64_t i, std::int64_t r) {
          const std::int64_t at = extended_index(boundary, first + from + i, size);
          to.at(from + i, r) = at < 0 ? value : static_cast<C>(data[at * stride + r * step]);
        });
      };
      beyond(0, begin);
      beyond(end, count);
      if (end == begin) return;
      const T* const from = data + (first + begin) * stride;
      if constexpr (sizeof(T) == sizeof(C))
        if (x.touch<C>()) {
          const C* const lines = reinterpret_cast<const C*>(from);
          C* const inside = &to.at(begin, 0);
          if (to.step == 1) simd_target().kernels<C>().copy_rows({lines, stride, inside, to.stride, rows, end - begin});
          else simd_target().kernels<C>().transpose_lines({lines, stride, inside, to.step, rows, end - begin});
          return;
        }
      in_tiles(end - begin, rows, [&](std::int64_t i, std::int64_t r) {
        to.at(begin + i, r) = static_cast<C>(from[i * stride + r * step]);
      });
    }
  });
}

/// Outputs from `first` on of neighbours, saturated.
template <class C>
void saturate_neighbours(Neighbours<void> const& y, std::int64_t first, std::int64_t count, Place<C> from) {
  const Output& access = y.access;
  const std::int64_t every = access.every, kept = (first + every - 1) / every, skipped = kept * every - first;
  visit_type(access.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (kSaturates<C, T>)
      for (std::int64_t r = 0; r < y.rows && skipped < count; ++r)
        store_saturated(&from.at(skipped, r), every * from.stride,
                        static_cast<T*>(access.data) + kept * access.stride + r * access.outer, access.stride,
                        (count - skipped + every - 1) / every, access.saturation);
  });
}

/// Outputs from `first` on of neighbours, those that the access keeps.
template <class C>
void store_neighbours(Neighbours<void> const& y, std::int64_t first, std::int64_t count, Place<C> from) {
  const Output& access = y.access;
  const std::int64_t rows = y.rows, step = access.outer, stride = access.stride, every = access.every;
  if (access.saturation != Saturation::none) return saturate_neighbours(y, first, count, from);
  visit_type(access.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (kStores<C, T>) {
      T* const data = static_cast<T*>(access.data);
      if constexpr (sizeof(T) == sizeof(C))
        if (y.touch<C>()) {
          C* const to = reinterpret_cast<C*>(data + first * stride);
          if (from.step == 1) simd_target().kernels<C>().copy_rows({from.data, from.stride, to, stride, rows, count});
          else simd_target().kernels<C>().transpose_lines({from.data, from.step, to, stride, count, rows});
          return;
        }
      const std::int64_t kept = (first + every - 1) / every, end = (first + count + every - 1) / every;
      in_tiles(end - kept, rows, [&](std::int64_t i, std::int64_t r) {
        data[(kept + i) * stride + r * step] = static_cast<T>(from.at((kept + i) * every - first, r));
      });
    }
  });
}

}  // namespace gpuconv::detail

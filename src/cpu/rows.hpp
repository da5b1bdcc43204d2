// The loader and the storer of all CPU methods: rows in memory, read and written as the type that is computed in.
#pragma once

#include "aligned.hpp"

#include "../core/access.hpp"
#include "../executor.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace gpuconv::detail {

/// Rows of any type and stride, read as `C`.
template <class C>
class Source {
 public:
  Source(Input const& access, Loops const& loops) noexcept
      : access_(access), loops_(loops), in_place_(access.is_array_of<C>()) {}

  /// `count` elements of `row` from `first` on, converted into `to`.
  void load(std::int64_t row, std::int64_t first, std::int64_t count, C* to) const {
    visit_type(access_.type, [&]<class T>(std::type_identity<T>) {
      const T* from = static_cast<const T*>(access_.data) + access_.offset(loops_, row) + first * access_.stride;
      if (access_.stride != 1)
        for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<C>(from[i * access_.stride]);
      else if constexpr (std::is_same_v<T, C>) std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(C));
      else
        for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<C>(from[i]);
    });
  }

  /// The same, zero outside `[0, size)`: the row as if it went on for ever.
  void load_padded(std::int64_t row, std::int64_t size, std::int64_t first, std::int64_t count, C* to) const {
    const std::int64_t begin = first < 0 ? (-first < count ? -first : count) : 0;
    const std::int64_t left = size - first, end = left < count ? (left > begin ? left : begin) : count;
    for (std::int64_t i = 0; i < begin; ++i) to[i] = C{};
    if (end > begin) load(row, first + begin, end - begin, to + begin);
    for (std::int64_t i = end; i < count; ++i) to[i] = C{};
  }

  /// The row itself where it can be used as it lies, else null.
  const C* in_place(std::int64_t row) const {
    return in_place_ ? static_cast<const C*>(access_.data) + access_.offset(loops_, row) : nullptr;
  }

 private:
  Input access_;
  Loops loops_;
  bool in_place_;
};

/// Rows of any type and stride, written from `C`. Integers wrap to narrower types.
template <class C>
class Sink {
 public:
  Sink(Output const& access, Loops const& loops) noexcept
      : access_(access), loops_(loops), in_place_(access.is_array_of<C>()) {}

  void store(std::int64_t row, std::int64_t first, std::int64_t count, const C* from) const {
    visit_type(access_.type, [&]<class T>(std::type_identity<T>) {
      if constexpr (kConverts<C, T> && kConverts<T, C>) {
        T* to = static_cast<T*>(access_.data) + access_.offset(loops_, row) + first * access_.stride;
        if (access_.stride != 1)
          for (std::int64_t i = 0; i < count; ++i) to[i * access_.stride] = static_cast<T>(from[i]);
        else if constexpr (std::is_same_v<T, C>) std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(C));
        else
          for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<T>(from[i]);
      }
    });
  }

  /// The row itself where it can be used as it lies, else null.
  C* in_place(std::int64_t row) const {
    return in_place_ ? static_cast<C*>(access_.data) + access_.offset(loops_, row) : nullptr;
  }

 private:
  Output access_;
  Loops loops_;
  bool in_place_;
};

/// Filters as they are kept: one after the other, converted.
template <class C>
class KeptFilters {
 public:
  /// Throws std::bad_alloc.
  KeptFilters(std::int64_t count, std::int64_t taps) : data_(count * taps), taps_(taps) {}

  void set(Input const& filter, std::int64_t count, Means const&) {
    const Source<C> source(filter, {});
    for (std::int64_t f = 0; f < count; ++f) source.load(f, 0, taps_, (*this)[f]);
  }

  C* operator[](std::int64_t f) const { return data_.data() + f * taps_; }
  Input access() const { return {.data = data_.data(), .type = type_of<C>, .outer = taps_}; }
  std::size_t bytes() const { return data_.bytes(); }

 private:
  AlignedBuffer<C> data_;
  std::int64_t taps_;
};

/// Integers always are.
template <class C>
bool all_finite(const C* x, std::int64_t count) {
  if constexpr (!std::is_floating_point_v<C>) return true;
  else return std::all_of(x, x + count, [](C v) { return std::isfinite(v); });
}

}  // namespace gpuconv::detail

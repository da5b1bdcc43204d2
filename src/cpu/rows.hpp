// The loader and the storer of all CPU methods: rows in memory, read and written as the type that is computed in.
#pragma once

#include "../core/saturated.hpp"
#include "aligned.hpp"
#include "simd_target.hpp"

#include "../core/parts.hpp"
#include "../executor.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace gpuconv::detail {

/// Numbers of 16 bits that are computed with in float.
template <class T, class C>
inline constexpr bool kHalves = std::is_same_v<C, float> && (std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>);

template <class T>
HalfKernels const& half_kernels() {
  if constexpr (std::is_same_v<T, float16>) return simd_target().float16;
  else return simd_target().bfloat16;
}

/// `count` numbers as those of another type.
template <class T, class C>
void convert(const T* from, C* to, std::int64_t count) {
  if constexpr (kHalves<T, C>) half_kernels<T>().load(reinterpret_cast<const std::uint16_t*>(from), to, count);
  else if constexpr (kHalves<C, T>) half_kernels<C>().store(from, reinterpret_cast<std::uint16_t*>(to), count);
  else
    for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<C>(from[i]);
}

/// Rows of any type and stride, read as `C`.
template <class C>
class Source {
 public:
  Source(Input const& access, Loops const& loops) noexcept
      : access_(access), loops_(loops), in_place_(access.is_array_of<C>()) {}

  /// `count` elements of `row` from `first` on, converted into `to`.
  void load(std::int64_t row, std::int64_t first, std::int64_t count, C* to) const {
    visit([&]<class T>(std::type_identity<T>) {
      const T* from = static_cast<const T*>(access_.data) + access_.offset(loops_, row) + first * access_.stride;
      if (access_.stride != 1)
        for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<C>(from[i * access_.stride]);
      else if constexpr (std::is_same_v<T, C>) std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(C));
      else convert(from, to, count);
    });
  }

  /// The first `count` elements of `rows` rows of one loop from `row` on, converted, `to_step` apart.
  void load_rows(std::int64_t row, std::int64_t rows, std::int64_t count, C* to, std::int64_t to_step) const {
    if (row_step() == count && to_step == count && access_.stride == 1) count *= rows, rows = 1;
    visit([&]<class T>(std::type_identity<T>) {
      const T* const first = static_cast<const T*>(access_.data) + access_.offset(loops_, row);
      const std::int64_t step = row_step(), stride = access_.stride;
      for (std::int64_t r = 0; r < rows; ++r, to += to_step) {
        const T* const from = first + r * step;
        if (stride == 1) convert(from, to, count);
        else
          for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<C>(from[i * stride]);
      }
    });
  }

  /// The elements from `first` on of the row as it goes on for ever, beyond its `size` elements by its extension.
  void load_extended(std::int64_t row, std::int64_t size, std::int64_t first, std::int64_t count, C* to) const {
    const std::int64_t begin = first < 0 ? (-first < count ? -first : count) : 0;
    const std::int64_t left = size - first, end = left < count ? (left > begin ? left : begin) : count;
    load_beyond(row, size, first, begin, to);
    if (end > begin) load(row, first + begin, end - begin, to + begin);
    load_beyond(row, size, first + end, count - end, to + end);
  }

  /// `count` elements of a row that lies beyond the signal itself: zeros, or the constant of the extension.
  void fill_beyond(std::int64_t count, C* to) const {
    visit([&]<class T>(std::type_identity<T>) {
      std::fill_n(to, count, static_cast<C>(static_cast<T>(access_.extension.constant)));
    });
  }

  /// Whether what is beyond the ends of a row is samples like others.
  bool is_extended() const { return !access_.extension.is_zero(); }

  /// The row itself where it can be used as it lies, else null.
  const C* in_place(std::int64_t row) const {
    return in_place_ ? static_cast<const C*>(access_.data) + access_.offset(loops_, row) : nullptr;
  }
  /// Elements from a row to the next one of the same loop.
  std::int64_t row_step() const { return loops_.inner.count == 1 ? access_.outer : access_.inner; }

 private:
  // `count` elements beyond the ends.
  void load_beyond(std::int64_t row, std::int64_t size, std::int64_t first, std::int64_t count, C* to) const {
    const Boundary boundary = access_.extension.boundary;
    if (boundary == Boundary::zero) {
      std::fill_n(to, count, C{});
      return;
    }
    if (boundary == Boundary::constant) return fill_beyond(count, to);
    visit([&]<class T>(std::type_identity<T>) {
      const T* const from = static_cast<const T*>(access_.data) + access_.offset(loops_, row);
      for (std::int64_t i = 0; i < count; ++i)
        to[i] = static_cast<C>(from[extended_index(boundary, first + i, size) * access_.stride]);
    });
  }

  // Calls `f` with the type of the elements, one that C is computed from.
  template <class F>
  void visit(F&& f) const {
    visit_type(access_.type, [&]<class T>(std::type_identity<T> type) {
      if constexpr (kConverts<T, C>) f(type);
    });
  }

  Input access_;
  Loops loops_;
  bool in_place_;
};

/// Elements [first, first + count) of a line of an image, both of which may lie beyond its ends: line `y` of images of
/// `lines` x `size` samples.
template <class C>
void load_extended_line(Input const& images, Loops const& loops, std::int64_t row, std::int64_t lines, std::int64_t y,
                        std::int64_t size, std::int64_t first, std::int64_t count, C* to) {
  const std::int64_t there = extended_index(images.extension.boundary, y, lines);
  if (there < 0) return Source<C>(images, loops).fill_beyond(count, to);
  Source<C>(at_line(images, there), loops).load_extended(row, size, first, count, to);
}

/// Rows of any type and stride, written from `C`. Integers wrap to narrower types or, where the access says so, are
/// saturated; doubles are rounded to floats.
template <class C>
class Sink {
 public:
  Sink(Output const& access, Loops const& loops) noexcept
      : access_(access), loops_(loops), in_place_(access.is_array_of<C>()) {}

  void store(std::int64_t row, std::int64_t first, std::int64_t count, const C* from) const {
    if (access_.saturation != Saturation::none) return saturate(row, first, count, from);
    visit_type(access_.type, [&]<class T>(std::type_identity<T>) {
      if constexpr (kStores<C, T>) {
        T* to = static_cast<T*>(access_.data) + access_.offset(loops_, row);
        if (access_.every != 1) {
          const std::int64_t every = access_.every;
          for (std::int64_t kept = (first + every - 1) / every; kept * every < first + count; ++kept)
            to[kept * access_.stride] = static_cast<T>(from[kept * every - first]);
          return;
        }
        to += first * access_.stride;
        if (access_.stride != 1)
          for (std::int64_t i = 0; i < count; ++i) to[i * access_.stride] = static_cast<T>(from[i]);
        else if constexpr (std::is_same_v<T, C>) std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(C));
        else convert(from, to, count);
      }
    });
  }

  /// The same for `rows` rows of one loop from `row` on, all of their elements, `from_step` apart.
  void store_rows(std::int64_t row, std::int64_t rows, std::int64_t count, const C* from,
                  std::int64_t from_step) const {
    if (access_.saturation != Saturation::none) {
      for (std::int64_t r = 0; r < rows; ++r) saturate(row + r, 0, count, from + r * from_step);
      return;
    }
    visit_type(access_.type, [&]<class T>(std::type_identity<T>) {
      if constexpr (kStores<C, T>) {
        T* to = static_cast<T*>(access_.data) + access_.offset(loops_, row);
        const std::int64_t step = row_step(), stride = access_.stride, every = access_.every;
        for (std::int64_t r = 0; r < rows; ++r, from += from_step, to += step)
          if (every != 1)
            for (std::int64_t kept = 0; kept * every < count; ++kept)
              to[kept * stride] = static_cast<T>(from[kept * every]);
          else if (stride == 1) convert(from, to, count);
          else
            for (std::int64_t i = 0; i < count; ++i) to[i * stride] = static_cast<T>(from[i]);
      }
    });
  }

  /// The row itself where it can be used as it lies, else null.
  C* in_place(std::int64_t row) const {
    return in_place_ ? static_cast<C*>(access_.data) + access_.offset(loops_, row) : nullptr;
  }
  /// Elements from a row to the next one of the same loop.
  std::int64_t row_step() const { return loops_.inner.count == 1 ? access_.outer : access_.inner; }

 private:
  void saturate(std::int64_t row, std::int64_t first, std::int64_t count, const C* from) const {
    visit_type(access_.type, [&]<class T>(std::type_identity<T>) {
      if constexpr (kSaturates<C, T>) {
        T* const to = static_cast<T*>(access_.data) + access_.offset(loops_, row);
        const std::int64_t every = access_.every, kept = (first + every - 1) / every;
        const std::int64_t skipped = kept * every - first;
        if (skipped < count)
          store_saturated(from + skipped, every, to + kept * access_.stride, access_.stride,
                          (count - skipped + every - 1) / every, access_.saturation);
      }
    });
  }

  Output access_;
  Loops loops_;
  bool in_place_;
};

/// Filters as they are kept: one after the other, converted; of complex ones first the real parts, then the imaginary
/// parts. Those of images line by line.
template <class C>
class KeptFilters {
 public:
  /// Throws std::bad_alloc.
  KeptFilters(std::int64_t count, std::int64_t line_taps, int parts = 1, std::int64_t lines = 1)
      : data_(count * line_taps * lines * parts), lines_(lines), taps_(line_taps * lines), parts_(parts) {}

  void set(Input const& filter, std::int64_t count, Means const&) {
    if (parts_ == 1 && lines_ == 1) return Source<C>(filter, {}).load_rows(0, count, taps_, data_.data(), taps_);
    const std::int64_t line_taps = taps_ / lines_;
    for (int p = 0; p < parts_; ++p)
      for (std::int64_t l = 0; l < lines_; ++l) {
        const Source<C> source(part_of(at_line(filter, l), p), {});
        source.load_rows(0, count, line_taps, part(0, p) + l * line_taps, parts_ * taps_);
      }
    if (!filter.conjugated) return;
    for (std::int64_t f = 0; f < count; ++f)
      std::transform(part(f, 1), part(f, 1) + taps_, part(f, 1), [](C v) { return -v; });
  }

  C* operator[](std::int64_t f) const { return part(f, 0); }
  C* part(std::int64_t f, int p) const { return data_.data() + (f * parts_ + p) * taps_; }
  std::size_t bytes() const { return data_.bytes(); }

 private:
  AlignedBuffer<C> data_;
  std::int64_t lines_, taps_;  // taps of a part of a filter, all lines
  int parts_;
};

/// Integers always are. A block of elements at a time: zero times what is not finite is NaN.
template <class C>
bool all_finite(const C* x, std::int64_t count) {
  if constexpr (!std::is_floating_point_v<C>) return true;
  else {
    constexpr int kBlock = 64;
    for (; count >= kBlock; x += kBlock, count -= kBlock) {
      C sum[8] = {};
      for (int i = 0; i < kBlock; ++i) sum[i % 8] += x[i] * C(0);
      if (std::any_of(sum, sum + 8, [](C v) { return v != 0; })) return false;
    }
    return std::all_of(x, x + count, [](C v) { return std::isfinite(v); });
  }
}

}  // namespace gpuconv::detail

// Moves samples between the callers' element types and the type that solvers compute in.
#pragma once

#include <gpuconv/view.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace gpuconv::detail {

/// Whether an array of `type` can be used as one of `C` as it stands: int64 and uint64 are the same bits modulo 2^64.
template <class C>
constexpr bool same_bits(Type type) {
  return std::is_same_v<C, std::uint64_t> ? type == Type::int64 || type == Type::uint64 : type == type_of<C>;
}

/// The caller's array of any type, read as `C`.
template <class C>
class Source {
 public:
  explicit Source(HostInput view) noexcept
      : data_(static_cast<const char*>(view.data())),
        type_(view.type()),
        row_bytes_(view.stride() * static_cast<std::int64_t>(size_of(view.type()))) {}

  /// `count` samples of `row` from `first` on, converted into `to`.
  void load(std::int64_t row, std::int64_t first, std::int64_t count, C* to) const {
    visit_type(type_, [&]<class T>(std::type_identity<T>) {
      const T* from = reinterpret_cast<const T*>(data_ + row * row_bytes_) + first;
      if constexpr (std::is_same_v<T, C>) std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(C));
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

  /// The row itself where it needs no conversion, else null.
  const C* direct(std::int64_t row) const {
    return same_bits<C>(type_) ? reinterpret_cast<const C*>(data_ + row * row_bytes_) : nullptr;
  }

 private:
  const char* data_;
  Type type_;
  std::int64_t row_bytes_;
};

/// The caller's output array of any type, written from `C`. Integers wrap to narrower types.
template <class C>
class Sink {
 public:
  explicit Sink(HostOutput view) noexcept
      : data_(static_cast<char*>(view.data())),
        type_(view.type()),
        row_bytes_(view.stride() * static_cast<std::int64_t>(size_of(view.type()))) {}

  void store(std::int64_t row, std::int64_t first, std::int64_t count, const C* from) const {
    visit_type(type_, [&]<class T>(std::type_identity<T>) {
      if constexpr (std::is_floating_point_v<T> == std::is_floating_point_v<C>) {
        T* to = reinterpret_cast<T*>(data_ + row * row_bytes_) + first;
        if constexpr (std::is_same_v<T, C>) std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(C));
        else
          for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<T>(from[i]);
      }
    });
  }

  /// The row itself where it needs no conversion, else null.
  C* direct(std::int64_t row) const {
    return same_bits<C>(type_) ? reinterpret_cast<C*>(data_ + row * row_bytes_) : nullptr;
  }

 private:
  char* data_;
  Type type_;
  std::int64_t row_bytes_;
};

/// Integers always are.
template <class C>
bool all_finite(const C* x, std::int64_t count) {
  if constexpr (!std::is_floating_point_v<C>) return true;
  else return std::all_of(x, x + count, [](C v) { return std::isfinite(v); });
}

/// Calls `f(std::type_identity<C>{})` with the type that solvers compute in.
template <class F>
decltype(auto) visit_compute(Type compute, F&& f) {
  if (compute == Type::float32) return f(std::type_identity<float>{});
  if (compute == Type::float64) return f(std::type_identity<double>{});
  return f(std::type_identity<std::uint64_t>{});
}

}  // namespace gpuconv::detail

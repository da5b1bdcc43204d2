// Test data of any element type: rows at any alignment and stride, with guards that show what else was written.
#pragma once

#include "core/parts.hpp"

#include <gpuconv/view.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <vector>

namespace gpuconv::test {

using detail::parts_of, detail::visit_part;

/// Where rows lie in memory: `offset` elements past a 64-byte boundary, `gap` elements between rows.
struct Layout {
  std::int64_t offset = 0;
  std::int64_t gap = 0;
};

/// `[rows][columns]` elements of `type`. All bytes are 0xFF at first (a NaN, or -1), those around the rows for good:
/// whoever reads them gets NaN, and `guards_intact` tells who writes them.
class Array {
 public:
  Array(Type type, std::int64_t rows, std::int64_t columns, Layout layout = {});

  Type type() const { return type_; }
  std::int64_t rows() const { return shape_.rows; }
  std::int64_t columns() const { return shape_.columns; }
  std::int64_t stride() const { return *shape_.stride; }

  HostInput input() const { return {data(), type_, shape_}; }
  HostOutput output() { return {data(), type_, shape_}; }

  template <class T>
  std::span<T> row(std::int64_t r) {
    return {reinterpret_cast<T*>(data()) + r * *shape_.stride, static_cast<std::size_t>(shape_.columns)};
  }
  template <class T>
  std::span<T const> row(std::int64_t r) const {
    return {reinterpret_cast<const T*>(data()) + r * *shape_.stride, static_cast<std::size_t>(shape_.columns)};
  }
  /// A row as the numbers that its elements consist of, which are of type T.
  template <class T>
  std::span<T> parts(std::int64_t r) {
    const std::int64_t each = parts_of(type_);
    return {reinterpret_cast<T*>(data()) + each * r * *shape_.stride, static_cast<std::size_t>(each * shape_.columns)};
  }
  template <class T>
  std::span<T const> parts(std::int64_t r) const {
    return const_cast<Array*>(this)->parts<T>(r);
  }
  /// The bytes of one row.
  std::span<std::byte const> bytes(std::int64_t r) const;

  /// The row's elements, or one of their parts, as `T`, whatever their type.
  template <class T>
  std::vector<T> as(std::int64_t r, int part = 0) const {
    return visit_part(type_, [&]<class E>(std::type_identity<E>) {
      const std::span<E const> all = parts<E>(r);
      std::vector<T> out;
      for (auto i = static_cast<std::size_t>(part); i < all.size(); i += static_cast<std::size_t>(parts_of(type_)))
        out.push_back(static_cast<T>(all[i]));
      return out;
    });
  }

  /// The whole array, guards included, and where the rows begin in it.
  std::span<std::byte> storage() { return storage_; }
  std::span<std::byte const> storage() const { return storage_; }
  std::size_t begin() const { return begin_; }
  Rows shape() const { return shape_; }

  /// Nothing but the rows has been written.
  testing::AssertionResult guards_intact() const;
  /// Every byte, guards included, is that of `other`.
  bool operator==(Array const& other) const { return storage_ == other.storage_; }

 private:
  static constexpr std::size_t kGuard = 1024;
  template <class T>
  struct CacheLineAllocator {
    using value_type = T;
    T* allocate(std::size_t n) { return static_cast<T*>(::operator new (n * sizeof(T), std::align_val_t{64})); }
    void deallocate(T* p, std::size_t) { ::operator delete (p, std::align_val_t{64}); }
    bool operator==(CacheLineAllocator const&) const = default;
  };

  std::byte* data() { return storage_.data() + begin_; }
  const std::byte* data() const { return storage_.data() + begin_; }

  Type type_;
  Rows shape_;
  std::size_t begin_;
  std::vector<std::byte, CacheLineAllocator<std::byte>> storage_;
};

/// An array of one row with these elements.
template <class T>
Array array_of(std::vector<T> const& values) {
  Array out(type_of<T>, 1, static_cast<std::int64_t>(values.size()));
  std::copy(values.begin(), values.end(), out.template row<T>(0).begin());
  return out;
}

}  // namespace gpuconv::test

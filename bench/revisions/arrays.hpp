// Rows of any element type at a chosen place in memory, and the values in them.
#pragma once

#include "problems.hpp"

#include <gpuconv/view.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace gpuconv::revisions {

/// `[rows][columns]` elements. All bytes are 0xFF at first (a NaN, or -1), those around the rows for good: whoever
/// reads them gets NaN, and `guards_intact` tells who writes them.
class Array {
 public:
  Array(Type type, std::int64_t rows, std::int64_t columns, Place place);

  HostInput input() const { return {data(), type_, shape_}; }
  HostOutput output() { return {data(), type_, shape_}; }
  Type type() const { return type_; }
  Rows shape() const { return shape_; }

  template <class T>
  std::span<T> row(std::int64_t r) {
    return {reinterpret_cast<T*>(data()) + r * stride_, static_cast<std::size_t>(shape_.columns)};
  }
  template <class T>
  std::span<T const> row(std::int64_t r) const {
    return {reinterpret_cast<T const*>(data()) + r * stride_, static_cast<std::size_t>(shape_.columns)};
  }
  /// The whole array, guards included, and where the rows begin in it.
  std::span<std::byte> storage() { return {storage_.get(), size_}; }
  std::span<std::byte const> storage() const { return {storage_.get(), size_}; }
  std::size_t begin() const { return begin_; }

  /// The rows without what is between them.
  std::vector<std::byte> packed() const;
  /// Nothing but the rows has been written. For rows that do not overlap.
  bool guards_intact() const;
  /// FNV-1a of all bytes.
  std::uint64_t hash() const;
  /// 2-norm of a row's finite elements.
  long double norm(std::int64_t r) const;

 private:
  struct Free {
    void operator()(std::byte* p) const;
  };
  std::byte* data() { return storage_.get() + begin_; }
  std::byte const* data() const { return storage_.get() + begin_; }

  Type type_;
  Rows shape_;
  std::int64_t stride_;  // that of the shape, whose own type is not the same in all revisions
  std::size_t begin_, size_;
  std::unique_ptr<std::byte, Free> storage_;
};

/// The signal and the filter of a problem.
struct Data {
  Array signal, filter;
};
Data make_data(Case const& c, Rng& rng);

}  // namespace gpuconv::revisions

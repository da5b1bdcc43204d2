// The elements of a .npy file as the library takes them, without a copy where the file can be mapped.
#pragma once

#include "npy.hpp"

#include <cstddef>
#include <cstdint>

namespace npy {

/// Elements in the order in which they lie in a file and in this machine's byte order, a range of them at a time:
/// mapped or, of a pipe and in the other byte order, read.
class Elements {
 public:
  /// `reader` must outlive the object and is read by nobody else.
  explicit Elements(Reader& reader) : reader_(reader) {}

  /// From now on a range may begin before the one asked for last. What has to be read is held in memory whole.
  void allow_any_order() noexcept { any_order_ = true; }
  /// The `count` elements from `first` on, valid until the next call. Throws as `Reader::read_rows`.
  std::byte const* range(std::int64_t first, std::int64_t count);

 private:
  std::int64_t total() const noexcept { return reader_.rows() * reader_.columns(); }
  std::int64_t size() const noexcept { return static_cast<std::int64_t>(gpuconv::size_of(reader_.type())); }
  bool map(std::int64_t first, std::int64_t count);
  void read(std::int64_t first, std::int64_t count);
  void skip(std::int64_t count);

  Reader& reader_;
  bool any_order_ = false;
  // The elements from held_ to end_ are in one of these.
  std::int64_t held_ = 0, end_ = 0;
  Mapping mapping_;
  Buffer buffer_;
};

}  // namespace npy

// Random data of a problem, in enough copies that a benchmark that walks through them finds none in the cache.
#pragma once

#include <gpuconv/problem.hpp>
#include <gpuconv/view.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace gpuconv::bench {

/// Bytes of the machine's last-level cache.
std::int64_t cache_bytes();

/// An array of random elements: uniform in [-1, 1), integers over all values of their type.
class Array {
 public:
  /// Throws std::bad_alloc.
  Array(Type type, Rows shape, std::uint64_t seed);

  HostInput input() const { return {data_.get(), type_, shape_}; }
  HostOutput output() { return {data_.get(), type_, shape_}; }
  std::int64_t bytes() const;

 private:
  struct Free {
    void operator()(std::byte* p) const;
  };
  std::unique_ptr<std::byte, Free> data_;
  Type type_;
  Rows shape_;
};

/// The filter of a problem and sets of signal and output. Problems of at least `kColdBytes` get as many sets as twice
/// the last-level cache holds and so are measured cold; smaller ones get one set and are measured warm, as their
/// callers find them.
class Data {
 public:
  static constexpr std::int64_t kColdBytes = std::int64_t{256} << 10;

  /// `across`: rows are the columns of a matrix.
  explicit Data(Problem const& problem, bool across = false, std::uint64_t seed = 1);

  HostInput filter() const { return filter_.input(); }
  HostInput signal(std::size_t set) const { return signals_[set].input(); }
  HostOutput out(std::size_t set) { return outs_[set].output(); }
  std::size_t sets() const { return signals_.size(); }

 private:
  Array filter_;
  std::vector<Array> signals_, outs_;
};

}  // namespace gpuconv::bench

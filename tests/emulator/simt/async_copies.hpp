// The asynchronous copies that a CUDA thread has asked for and that have not taken place.
#pragma once

#include <cstddef>
#include <vector>

namespace simt {

struct Copy {
  void* to;
  const void* from;
  std::size_t bytes, zero_fill;
};

class AsyncCopies {
 public:
  void add(const Copy& copy) { copies_.push_back(copy); }
  void commit() { group_ends_.push_back(copies_.size()); }
  /// Copies all groups but the last few; the uncommitted ones, too, where asked to.
  void wait(std::size_t groups_left, bool uncommitted);

 private:
  void copy_until(std::size_t end);

  std::vector<Copy> copies_;
  std::vector<std::size_t> group_ends_;
  std::size_t copied_ = 0, groups_copied_ = 0;
};

}  // namespace simt

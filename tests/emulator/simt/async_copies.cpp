#include "async_copies.hpp"

#include <cstring>

namespace simt {

// The sanitizers watch memcpy and memset, whoever calls them.
void AsyncCopies::copy_until(std::size_t end) {
  for (; copied_ < end; ++copied_) {
    const Copy& copy = copies_[copied_];
    const std::size_t from_memory = copy.bytes - copy.zero_fill;
    std::memcpy(copy.to, copy.from, from_memory);
    std::memset(static_cast<char*>(copy.to) + from_memory, 0, copy.zero_fill);
  }
}

void AsyncCopies::wait(std::size_t groups_left, bool uncommitted) {
  while (group_ends_.size() - groups_copied_ > groups_left) copy_until(group_ends_[groups_copied_++]);
  if (uncommitted) copy_until(copies_.size());
  if (copied_ != copies_.size()) return;
  // Only counters change here, no memory: a CUDA thread must not own any.
  groups_copied_ = 0;
  copied_ = 0;
  copies_.clear();
  group_ends_.clear();
}

}  // namespace simt

// Counts the allocations of the whole program and makes chosen ones fail. A program that links allocations.cpp has its
// operator new, in all forms, replaced.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gpuconv::test {

/// Blocks allocated and not freed, by all threads.
std::int64_t live_allocations();
/// Blocks ever allocated, by all threads.
std::int64_t total_allocations();
/// Bytes of the largest request since `forget_largest`, by all threads.
std::size_t largest_request();
void forget_largest();
/// Requests of more bytes than this fail; 0: none.
void set_request_limit(std::size_t bytes);

/// While it lives, allocation number `number` of this thread (from 0) and, if so wanted, all that follow throw
/// std::bad_alloc.
class FailingAllocation {
 public:
  enum class Then { succeed, fail };
  explicit FailingAllocation(std::int64_t number, Then then = Then::succeed);
  ~FailingAllocation();
  FailingAllocation(FailingAllocation const&) = delete;
  FailingAllocation& operator=(FailingAllocation const&) = delete;

  /// Whether an allocation has failed: otherwise there were fewer than `number` + 1.
  bool happened() const;
};

}  // namespace gpuconv::test

#include "fenced.hpp"

#include "sanitizers.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace simt {
namespace {

constexpr unsigned char unwritten = 0xff;

/// A multiple of the alignment, and enough to catch a vector store. AddressSanitizer brings its own.
std::size_t fence_bytes(std::size_t alignment) { return under_asan() ? 0 : std::max<std::size_t>(alignment, 64); }

bool untouched(const unsigned char* fence, std::size_t bytes) {
  return std::all_of(fence, fence + bytes, [](unsigned char byte) { return byte == unwritten; });
}

}  // namespace

void* fenced_allocate(std::size_t bytes, std::size_t alignment) {
  const std::size_t fence = fence_bytes(alignment);
  const std::size_t all = fence + bytes + fence;
  if (all < bytes) return nullptr;
  void* p = nullptr;
  if (posix_memalign(&p, std::max(alignment, sizeof(void*)), std::max<std::size_t>(all, 1)) != 0) return nullptr;
  std::memset(p, unwritten, all);
  return static_cast<unsigned char*>(p) + fence;
}

void fenced_free(void* p, std::size_t, std::size_t alignment) {
  std::free(static_cast<unsigned char*>(p) - fence_bytes(alignment));
}

bool fences_are_intact(const void* p, std::size_t bytes, std::size_t alignment) {
  const std::size_t fence = fence_bytes(alignment);
  const auto* const begin = static_cast<const unsigned char*>(p);
  return untouched(begin - fence, fence) && untouched(begin + bytes, fence);
}

}  // namespace simt

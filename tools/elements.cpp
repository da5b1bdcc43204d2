#include "elements.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace npy {
namespace {

constexpr std::int64_t kLeastMappedBytes = 16 << 20;  // system calls for small ranges would take longer than their work
constexpr std::int64_t kSkippedBytes = 1 << 20;

}  // namespace

std::byte const* Elements::range(std::int64_t first, std::int64_t count) {
  if (!map(first, count)) read(first, count);
  std::byte const* const data = mapping_.data() ? mapping_.data() : buffer_.data();
  return data + (first - held_) * size();
}

// Returns false where nothing can be mapped. What was mapped for a much longer range is given back: the memory that its
// pages take is counted as this process's.
bool Elements::map(std::int64_t first, std::int64_t count) {
  if (buffer_.capacity() > 0) return false;
  const std::int64_t wanted = std::max(count, kLeastMappedBytes / size());
  if (mapping_.data() && first >= held_ && first + count <= end_ && (end_ - held_) / 4 <= wanted) return true;
  const std::int64_t end = std::min(first + wanted, total());
  mapping_ = Mapping();
  mapping_ = reader_.map_elements(first, end - first);
  held_ = first, end_ = end;
  if (mapping_.data()) return true;
  held_ = end_ = 0;
  return false;
}

void Elements::read(std::int64_t first, std::int64_t count) {
  if (any_order_) first = 0, count = total();
  if (first > end_) skip(first - end_);
  const std::int64_t kept = end_ - first;
  if (first > held_ && kept > 0)
    std::memmove(buffer_.data(), buffer_.data() + (first - held_) * size(), static_cast<std::size_t>(kept * size()));
  buffer_.resize(static_cast<std::size_t>(kept * size()));
  held_ = first;
  if (kept < count) {
    reader_.append_elements(count - kept, buffer_);
    end_ = first + count;
  }
}

void Elements::skip(std::int64_t count) {
  while (count > 0) {
    const std::int64_t step = std::min(count, kSkippedBytes / size());
    buffer_.resize(0);
    reader_.append_elements(step, buffer_);
    held_ = end_ += step;
    count -= step;
  }
}

}  // namespace npy

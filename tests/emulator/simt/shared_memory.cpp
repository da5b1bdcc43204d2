#include "shared_memory.hpp"

#include "fenced.hpp"
#include "sanitizers.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace simt {

SharedMemory::Array SharedMemory::allocate(const void* declaration, std::size_t bytes, std::size_t alignment) {
  alignment = std::max<std::size_t>(alignment, 16);
  void* const data = fenced_allocate(bytes, alignment);
  if (!data) {
    std::fprintf(stderr, "simt: no memory for %zu bytes of shared memory\n", bytes);
    std::abort();
  }
  return {declaration, data, bytes, alignment, true};
}

void SharedMemory::refresh(Array& array) {
  std::memset(array.data, 0xff, array.bytes);
  array.in_use = true;
}

SharedMemory::~SharedMemory() {
  retire_all();
  free_retired();
}

void SharedMemory::retire_all() {
  for (const Array& array : arrays_) retired_bytes_ += array.bytes;
  retired_.insert(retired_.end(), arrays_.begin(), arrays_.end());
  arrays_.clear();
}

void SharedMemory::begin_block(std::size_t dynamic_bytes) {
  // Blocks run side by side to the race detector: they cannot use the same addresses.
  if (under_tsan()) retire_all();
  for (Array& array : arrays_) array.in_use = false;
  if (arrays_.empty()) arrays_.push_back(allocate(nullptr, dynamic_bytes, 16));
  else refresh(arrays_[0]);
}

void* SharedMemory::declared(const void* declaration, std::size_t bytes, std::size_t alignment) {
  for (Array& array : arrays_) {
    if (array.declaration != declaration) continue;
    if (!array.in_use) refresh(array);
    return array.data;
  }
  arrays_.push_back(allocate(declaration, bytes, alignment));
  return arrays_.back().data;
}

bool SharedMemory::contains(const void* p, std::size_t bytes) const {
  const auto* const begin = static_cast<const char*>(p);
  return std::any_of(arrays_.begin(), arrays_.end(), [&](const Array& array) {
    const auto* const data = static_cast<const char*>(array.data);
    return array.in_use && begin >= data && begin + bytes <= data + array.bytes;
  });
}

bool SharedMemory::fences_are_intact() const {
  return std::all_of(arrays_.begin(), arrays_.end(), [](const Array& array) {
    return simt::fences_are_intact(array.data, array.bytes, array.alignment);
  });
}

void SharedMemory::free_retired() {
  for (const Array& array : retired_) fenced_free(array.data, array.bytes, array.alignment);
  retired_.clear();
  retired_bytes_ = 0;
}

}  // namespace simt

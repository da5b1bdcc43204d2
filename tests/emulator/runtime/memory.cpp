// The device's memory. To AddressSanitizer it is poisoned except while the device works, so that host code which
// dereferences a device pointer is caught.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "../simt/fenced.hpp"
#include "../simt/sanitizers.hpp"
#include "../simt/scheduler.hpp"
#include "device.hpp"
#include "turn.hpp"

namespace standin {

void poison(const char* p, std::size_t bytes) {
  if (simt::under_asan()) __asan_poison_memory_region(p, bytes);
}
void unpoison(const char* p, std::size_t bytes) {
  if (simt::under_asan()) __asan_unpoison_memory_region(p, bytes);
}

Device::Turn::Turn(Device& device) : device_(device) {
  if (device_.turns_++ != 0) return;
  for (const auto& [p, allocation] : device_.allocations_)
    if (allocation.on_device && allocation.ready) unpoison(p, allocation.bytes);
}
Device::Turn::~Turn() {
  if (--device_.turns_ != 0) return;
  for (const auto& [p, allocation] : device_.allocations_)
    if (allocation.on_device) poison(p, allocation.bytes);
}

void* Device::allocate(std::size_t bytes, bool on_device) {
  if (on_device && bytes > memory_bytes - used_bytes) wait_for_all();
  if (on_device && (used_bytes > memory_bytes || bytes > memory_bytes - used_bytes)) return nullptr;
  void* const p = simt::fenced_allocate(bytes, alignment);
  if (!p) return nullptr;
  allocations_[static_cast<const char*>(p)] = {.bytes = bytes, .on_device = on_device};
  if (!on_device) return p;
  used_bytes += bytes;
  if (turns_ == 0) poison(static_cast<const char*>(p), bytes);
  return p;
}

void Device::release_memory(void* p, std::size_t bytes) const {
  if (!simt::fences_are_intact(p, bytes, alignment)) {
    std::fprintf(stderr, "standin: something wrote beyond the ends of %zu bytes of device or pinned memory\n", bytes);
    std::abort();
  }
  simt::fenced_free(p, bytes, alignment);
}

void Device::free(void* p) {
  const auto it = allocations_.find(static_cast<const char*>(p));
  const Allocation allocation = it->second;
  allocations_.erase(it);
  unpoison(static_cast<const char*>(p), allocation.bytes);
  if (allocation.on_device) used_bytes -= allocation.bytes;
  release_memory(p, allocation.bytes);
}

void* Device::allocate(std::size_t bytes, const StreamPointer& stream) {
  void* const p = allocate(bytes, true);
  if (!p) return nullptr;
  const auto* const begin = static_cast<const char*>(p);
  allocations_[begin].ready = false;
  enqueue(stream, {.work = [p, bytes] { std::memset(p, 0xff, bytes); },
                   .before =
                       [this, begin, bytes] {
                         allocations_[begin].ready = true;
                         unpoison(begin, bytes);
                       }});
  return p;
}

bool Device::free(void* p, const StreamPointer& stream) {
  const auto* const begin = static_cast<const char*>(p);
  const std::size_t bytes = allocations_[begin].bytes;
  if (std::exchange(allocations_[begin].freed, true)) return false;
  enqueue(stream, {.work = [this, p, bytes] { release_memory(p, bytes); },
                   .before =
                       [this, begin, bytes] {
                         allocations_.erase(begin);
                         used_bytes -= bytes;
                       }});
  return true;
}

const Allocation* Device::find(const void* p, std::size_t bytes) const {
  const auto* const begin = static_cast<const char*>(p);
  auto it = allocations_.upper_bound(begin);
  if (it == allocations_.begin()) return nullptr;
  --it;
  const std::size_t offset = static_cast<std::size_t>(begin - it->first);
  const std::size_t size = it->second.bytes;
  return offset <= size && bytes <= size - offset ? &it->second : nullptr;
}

const Allocation* Device::find_start(const void* p) const {
  const auto it = allocations_.find(static_cast<const char*>(p));
  return it == allocations_.end() ? nullptr : &it->second;
}

void Device::move_elsewhere(const void* p) { const_cast<Allocation*>(find(p, 1))->elsewhere = true; }

bool Device::is_device_memory(const void* p, std::size_t bytes) const {
  const Allocation* const allocation = find(p, bytes);
  return allocation && allocation->on_device;
}

}  // namespace standin

// The host's memory counts where kernels reach it.
bool simt::is_device_memory(const void* p, std::size_t bytes) {
  const standin::Device& device = standin::Device::instance();
  return device.pageable_access || device.is_device_memory(p, bytes);
}

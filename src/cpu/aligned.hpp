// Memory for SIMD: aligned to a page, or to a cache line where it is less than a page, so that vectors never straddle
// cache lines by accident.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace gpuconv::detail {

inline constexpr std::align_val_t kPage{4096};
inline constexpr std::size_t kCacheLine = 64;

/// `bytes`, rounded up to whole pages.
constexpr std::size_t whole_pages(std::size_t bytes) {
  constexpr auto page = static_cast<std::size_t>(kPage);
  return (bytes + page - 1) / page * page;
}

/// Uninitialised, move-only storage of trivial `T`. Throws std::bad_alloc.
template <class T>
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::int64_t size) : size_(size) {
    const auto count = static_cast<std::size_t>(size);
    if (count > static_cast<std::size_t>(PTRDIFF_MAX) / sizeof(T)) throw std::bad_alloc();
    data_ = allocate(count * sizeof(T));
  }

  T* data() const noexcept { return data_.get(); }
  std::int64_t size() const noexcept { return size_; }
  std::size_t bytes() const noexcept { return static_cast<std::size_t>(size_) * sizeof(T); }
  T& operator[](std::int64_t i) const noexcept { return data_[static_cast<std::size_t>(i)]; }

 private:
  // Of less than a page the memory begins before the buffer: aligned allocation costs as much as a small convolution.
  struct Free {
    void operator()(T* p) const noexcept { small ? ::operator delete(small) : ::operator delete(p, kPage); }
    void* small = nullptr;
  };
  static std::unique_ptr<T[], Free> allocate(std::size_t bytes) {
    if (bytes >= static_cast<std::size_t>(kPage))
      return std::unique_ptr<T[], Free>(static_cast<T*>(::operator new(bytes, kPage)));
    std::size_t space = bytes + kCacheLine - __STDCPP_DEFAULT_NEW_ALIGNMENT__;
    void *const memory = ::operator new(space), *data = memory;
    return {static_cast<T*>(std::align(kCacheLine, bytes, data, space)), Free{memory}};
  }

  std::unique_ptr<T[], Free> data_;
  std::int64_t size_ = 0;
};

}  // namespace gpuconv::detail

// Memory for SIMD: aligned to a page, so that vectors never straddle cache lines by accident.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace gpuconv::detail {

inline constexpr std::align_val_t kPage{4096};

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
    data_.reset(static_cast<T*>(::operator new(count * sizeof(T), kPage)));
  }

  T* data() const noexcept { return data_.get(); }
  std::int64_t size() const noexcept { return size_; }
  std::size_t bytes() const noexcept { return static_cast<std::size_t>(size_) * sizeof(T); }
  T& operator[](std::int64_t i) const noexcept { return data_[static_cast<std::size_t>(i)]; }

 private:
  struct Free {
    void operator()(T* p) const noexcept { ::operator delete(p, kPage); }
  };
  std::unique_ptr<T[], Free> data_;
  std::int64_t size_ = 0;
};

}  // namespace gpuconv::detail

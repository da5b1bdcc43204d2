// The machine's streaming copy, on as many threads as the convolution it is compared with: the speed limit of
// anything that reads every sample once and writes every output once.
#pragma once

#include <cstdint>
#include <memory>

namespace gpuconv::bench {

class Copy {
 public:
  /// Rotates through `sets` pairs of buffers of `bytes` (rounded up to whole pieces). Throws std::bad_alloc.
  Copy(std::int64_t bytes, std::int64_t sets);

  /// Copies the bytes of the next set on `threads` threads of the library's own pool, with stores around the cache
  /// where the machine has them.
  void run(int threads);
  /// Of one set.
  std::int64_t bytes() const { return bytes_; }

 private:
  struct Free {
    void operator()(char* p) const;
  };
  std::int64_t bytes_, sets_, set_ = 0;
  std::unique_ptr<char, Free> from_, to_;
};

}  // namespace gpuconv::bench

// The machine's streaming copy, on as many threads as the convolution it is compared with: the speed limit of
// anything that reads every sample once and writes every output once.
#pragma once

#include <cstdint>
#include <memory>

namespace gpuconv::bench {

class Copy {
 public:
  /// Throws std::bad_alloc.
  explicit Copy(std::int64_t bytes);

  /// Copies all bytes on `threads` threads of the library's own pool, with stores around the cache where the machine
  /// has them.
  void run(int threads);
  std::int64_t bytes() const { return bytes_; }

 private:
  struct Free {
    void operator()(char* p) const;
  };
  std::int64_t bytes_;
  std::unique_ptr<char, Free> from_, to_;
};

}  // namespace gpuconv::bench

// The machine's streaming copy, on as many threads as the convolution it is compared with: the speed limit of
// anything that reads every sample once and writes every output once.
#pragma once

#include "core/thread_pool.hpp"

#include <cstdint>
#include <cstring>
#include <vector>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace gpuconv::bench {

class Copy {
 public:
  /// Rotates through `sets` pairs of buffers of `bytes` (rounded up to whole pieces). Throws std::bad_alloc.
  Copy(std::int64_t bytes, std::int64_t sets)
      : pieces_((bytes + kPiece - 1) / kPiece), from_(static_cast<std::size_t>(pieces_ * sets)), to_(from_.size()) {}

  /// Copies the bytes of the next set on `threads` threads of the library's own pool, with stores around the cache
  /// where the machine has them.
  void run(int threads) {
    Piece const* const from = from_.data() + first_;
    Piece* const to = to_.data() + first_;
    detail::parallel_for(pieces_, threads, [&](std::int64_t i, int) { copy(from[i], to[i]); });
    first_ = (first_ + pieces_) % std::ssize(from_);
  }
  /// The bytes of one set.
  std::int64_t bytes() const { return pieces_ * kPiece; }

 private:
  static constexpr std::int64_t kPiece = std::int64_t{1} << 18;
  struct alignas(4096) Piece {
    char bytes[kPiece];
  };
  static void copy(Piece const& from, Piece& to) {
#ifdef __SSE2__
    for (std::int64_t i = 0; i < kPiece; i += 64)  // a cache line
      for (std::int64_t j = i; j < i + 64; j += 16)
        _mm_stream_si128(reinterpret_cast<__m128i*>(to.bytes + j),
                         _mm_load_si128(reinterpret_cast<const __m128i*>(from.bytes + j)));
    _mm_sfence();
#else
    std::memcpy(to.bytes, from.bytes, sizeof to.bytes);
#endif
  }

  std::int64_t pieces_, first_ = 0;
  std::vector<Piece> from_, to_;
};

}  // namespace gpuconv::bench

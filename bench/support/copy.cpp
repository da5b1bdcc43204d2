#include "copy.hpp"

#include "core/thread_pool.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace gpuconv::bench {
namespace {

constexpr std::align_val_t kAlignment{4096};
constexpr std::int64_t kPiece = std::int64_t{1} << 18;

char* allocate(std::int64_t bytes) {
  return static_cast<char*>(::operator new(static_cast<std::size_t>(bytes), kAlignment));
}

#ifdef __SSE2__
void copy_piece(const char* from, char* to, std::int64_t bytes) {
  for (std::int64_t i = 0; i < bytes; i += 64)  // a cache line
    for (std::int64_t j = i; j < i + 64; j += 16)
      _mm_stream_si128(reinterpret_cast<__m128i*>(to + j), _mm_load_si128(reinterpret_cast<const __m128i*>(from + j)));
  _mm_sfence();
}
#else
void copy_piece(const char* from, char* to, std::int64_t bytes) {
  std::memcpy(to, from, static_cast<std::size_t>(bytes));
}
#endif

}  // namespace

Copy::Copy(std::int64_t bytes, std::int64_t sets)
    : bytes_((bytes + kPiece - 1) / kPiece * kPiece),
      sets_(sets),
      from_(allocate(bytes_ * sets)),
      to_(allocate(bytes_ * sets)) {
  std::memset(from_.get(), 1, static_cast<std::size_t>(bytes_ * sets));
  std::memset(to_.get(), 2, static_cast<std::size_t>(bytes_ * sets));
}

void Copy::run(int threads) {
  const char* const from = from_.get() + set_ * bytes_;
  char* const to = to_.get() + set_ * bytes_;
  const auto task = [&](std::int64_t i, int) { copy_piece(from + i * kPiece, to + i * kPiece, kPiece); };
  detail::parallel_for(bytes_ / kPiece, threads, task);
  set_ = (set_ + 1) % sets_;
}

void Copy::Free::operator()(char* p) const { ::operator delete(p, kAlignment); }

}  // namespace gpuconv::bench

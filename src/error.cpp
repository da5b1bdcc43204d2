#include "text.hpp"

#include <gpuconv/error.hpp>

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace gpuconv {

Error::Error(std::string_view text) noexcept {
  const std::size_t length = std::min(text.size(), sizeof text_ - 1);
  std::memcpy(text_, text.data(), length);
  text_[length] = '\0';
}

// Built without allocating: memory may just have run out.
void detail::throw_out_of_memory(std::int64_t bytes) {
  char text[96];
  if (bytes > 0)
    std::snprintf(text, sizeof text, "out of memory: %lld bytes are needed", static_cast<long long>(bytes));
  else std::snprintf(text, sizeof text, "out of memory");
  throw OutOfMemory(text, bytes);
}

}  // namespace gpuconv

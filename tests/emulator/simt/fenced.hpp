// Memory whose ends are watched: by AddressSanitizer where it is linked, else by fences that are looked at when the
// memory is given back. Its bits are all set at first, so that floating-point values are NaN until they are written.
#pragma once

#include <cstddef>

namespace simt {

/// Null if there is no memory. The alignment is a power of two.
void* fenced_allocate(std::size_t bytes, std::size_t alignment);
void fenced_free(void* p, std::size_t bytes, std::size_t alignment);
/// Whether nothing was written just before or after it.
bool fences_are_intact(const void* p, std::size_t bytes, std::size_t alignment);

}  // namespace simt

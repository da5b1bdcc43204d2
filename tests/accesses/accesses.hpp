// What kernels do to memory: bank conflicts in shared memory, 32-byte sectors of global memory. A kernel that is
// compiled with -fsanitize=thread calls __tsan_read4 and the like for every access; here those calls count
// (callbacks.cpp) and no sanitizer is linked. Widths are those of the source: what a struct of 16 bytes is read by is
// one access.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace accesses {

struct Kind {
  bool shared, write, async;  ///< an asynchronous copy reads global memory and writes shared memory
  std::size_t bytes;          ///< of one lane's access
  auto operator<=>(const Kind&) const = default;
};

/// A request is a warp's access: what its lanes do at one place of the kernel at the same visit.
struct Counts {
  std::uint64_t lanes = 0, requests = 0;
  // Shared memory: cycles that the requests take, and would take if the lanes of each met in no bank.
  std::uint64_t wavefronts = 0, ideal_wavefronts = 0;
  // Global memory: sectors that the requests touch.
  std::uint64_t sectors = 0;
};

struct Kernel {
  unsigned launches = 0, threads = 0;  ///< threads: of a block
  std::size_t shared_bytes = 0;        ///< dynamic, of a block
  std::map<Kind, Counts> counts;
  /// Different sectors of global memory in each launch, added up: what has to come from memory and go there, were the
  /// caches large enough.
  std::uint64_t sectors_read = 0, sectors_written = 0;
  /// Sectors that more than half of the blocks read, in the launch that had most; and how many sectors
  /// of requests were such ones. A cache that blocks share may keep them.
  std::uint64_t sectors_common = 0, common_requests = 0;
};

/// Counts from here on.
void start();
/// What the kernels have done since, by mangled name ("?" where the program does not export it). All work must be done.
std::map<std::string, Kernel> stop();

/// One lane's access, from `place` in a kernel; not counted are variables of a thread's own, which live in registers.
void seen(const void* place, const void* p, std::size_t bytes, bool write, bool async = false);

}  // namespace accesses

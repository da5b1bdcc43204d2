// What running CUDA threads ask of the scheduler. Kernels do not call these: they call CUDA's names, in the headers
// beside this one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace simt {

/// A place in a kernel, for messages.
struct Site {
  const char* file;
  int line;
};

constexpr unsigned warp_size = 32;
constexpr unsigned full_mask = 0xffffffffu;

/// Prints what a kernel did wrong, where, and which thread it was; then aborts.
[[noreturn]] void fail(Site site, const char* what);

/// How many threads of the block met, and how many of them with a true predicate.
struct Votes {
  unsigned threads;
  unsigned yes;
};
Votes sync_block(Site site, bool predicate);

void sync_warp(Site site, unsigned mask);
/// The value that lane `source` passed to the same call.
std::uint64_t exchange(Site site, unsigned mask, std::uint64_t value, unsigned source);
/// The lanes that passed true; lanes that have returned count as false.
unsigned ballot(Site site, unsigned mask, bool predicate);
unsigned active_mask();
unsigned lane();

void* dynamic_shared();
/// The running block's array for a declaration in a kernel: the same for all its threads, all bits set at first.
void* static_shared(const void* declaration, std::size_t bytes, std::size_t alignment);

/// Asynchronous copies take place as late as they may: at the wait that covers them, or when their thread returns.
void copy_async(Site site, void* to, const void* from, std::size_t bytes, std::size_t zero_fill);
void copy_commit();
void copy_wait(std::size_t groups_left);

}  // namespace simt

/// The caller's place, as trailing default arguments of what kernels call.
#define SIMT_SITE const char *simt_file = __builtin_FILE(), int simt_line = __builtin_LINE()
#define SIMT_HERE \
  simt::Site { simt_file, simt_line }

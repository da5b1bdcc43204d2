// What control groups, and so containers, leave of the machine to this process.
#pragma once

#include <cstdint>

namespace gpuconv::detail {

/// Bytes of memory that the process may use: the least limit of its control groups and the groups around them, of
/// version 2 (memory.max) and version 1 (memory.limit_in_bytes); INT64_MAX where there is none. `root`: the folder
/// below which proc/self/cgroup and sys/fs/cgroup are; empty for the machine's own. What is missing or makes no sense
/// limits nothing. Takes no lock and allocates nothing.
std::int64_t memory_limit(const char* root = "") noexcept;

/// The same for CPUs that may run at once: the least quota (cpu.max; cpu.cfs_quota_us), divided by its period and
/// rounded up; INT_MAX where there is none.
int cpu_limit(const char* root = "") noexcept;

}  // namespace gpuconv::detail

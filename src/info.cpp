#include "cgroup.hpp"
#include "core/published.hpp"
#include "cpu/simd_target.hpp"
#include "solver.hpp"
#include "text.hpp"

#include <gpuconv/info.hpp>
#include <gpuconv/version.hpp>

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iomanip>
#include <span>

namespace gpuconv {
namespace {

int usable_cpus() noexcept {
  cpu_set_t set;  // respects taskset and cpusets
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? static_cast<int>(online) : 1;
}

}  // namespace

std::string_view version() noexcept { return GPUCONV_VERSION; }

std::int64_t machine_memory() noexcept {
  static constinit detail::FoundOnce<std::int64_t> bytes;
  return bytes.get([] {
    const std::int64_t pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return std::min(pages > 0 && page > 0 ? pages * page : INT64_MAX, detail::memory_limit());
  });
}

int hardware_threads() noexcept {
  static constinit detail::FoundOnce<int> count;
  return count.get([] { return std::min(usable_cpus(), detail::cpu_limit()); });
}

std::string_view simd_target() noexcept { return detail::simd_target().name; }
int simd_bits() noexcept { return detail::simd_target().bits; }

std::vector<DeviceInfo> devices() {
  return detail::guarded([] {
    const std::string cpu =
        detail::text(hardware_threads(), " threads, ", simd_target(), " (", simd_bits(), "-bit vectors), ",
                     detail::bytes_text(static_cast<double>(machine_memory())), " of memory");
    return std::vector<DeviceInfo>{{Device::cpu, true, cpu}, detail::cuda_device_info()};
  });
}

namespace detail {
namespace {

std::string scaled(double value, double step, std::span<const char* const> units) {
  std::size_t unit = 0;
  while (std::abs(value) >= step && unit + 1 < units.size()) value /= step, ++unit;
  return text(std::setprecision(value < 10 ? 2 : 3), value, ' ', units[unit]);
}

}  // namespace

std::string bytes_text(double bytes) {
  static constexpr std::array units{"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  return scaled(bytes, 1024, units);
}
std::string seconds_text(double seconds) {
  static constexpr std::array units{"ns", "us", "ms", "s"};
  return scaled(seconds * 1e9, 1000, units);
}

}  // namespace detail
}  // namespace gpuconv

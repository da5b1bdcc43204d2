#include "cgroup.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace gpuconv::detail {
namespace {

// A path in memory of its own: nothing here may throw.
class Path {
 public:
  explicit Path(std::initializer_list<std::string_view> parts) noexcept {
    for (const std::string_view part : parts) {
      if (part.size() >= characters_.size() - length_) {
        length_ = 0;  // too long for the system: a path that does not exist
        break;
      }
      std::copy(part.begin(), part.end(), characters_.data() + length_);
      length_ += part.size();
    }
    characters_[length_] = 0;
  }
  const char* c_str() const noexcept { return characters_.data(); }

 private:
  std::array<char, PATH_MAX> characters_;
  std::size_t length_ = 0;
};

template <std::size_t size>
class File {
 public:
  explicit File(Path const& path) noexcept {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    while (length_ < size) {
      const ssize_t count = read(file, characters_.data() + length_, size - length_);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) break;
      length_ += static_cast<std::size_t>(count);
    }
    close(file);
  }
  /// Empty for a file that is not there.
  std::string_view text() const noexcept { return {characters_.data(), length_}; }

 private:
  std::array<char, size> characters_;
  std::size_t length_ = 0;
};

using ShortFile = File<128>;
using LongFile = File<16 << 10>;

// Cuts off what is before the first `end`, and the `end`.
std::string_view next(std::string_view& text, char end) noexcept {
  const std::size_t length = std::min(text.find(end), text.size());
  const std::string_view part = text.substr(0, length);
  text.remove_prefix(std::min(length + 1, text.size()));
  return part;
}

// "max", what is no number and what is not above zero are no limit.
std::optional<std::int64_t> limit(std::string_view text) noexcept {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value <= 0) return {};
  return value;
}

bool holds(std::string_view list, std::string_view name) noexcept {
  while (!list.empty())
    if (next(list, ',') == name) return true;
  return false;
}

// Calls `visit(hierarchy, group)` for the process's group and all around it, the hierarchy's own last; for the
// hierarchies that may hold `controller`. A container may see its group as the hierarchy's own, and yet be told the
// path that the group has outside: folders that are not there are nothing unusual.
template <class Visit>
void for_each_group(const char* root, std::string_view controller, Visit visit) noexcept {
  const LongFile groups(Path({root, "/proc/self/cgroup"}));
  std::string_view lines = groups.text();
  while (!lines.empty()) {
    std::string_view line = next(lines, '\n');
    next(line, ':');  // the hierarchy's number
    const std::string_view controllers = next(line, ':');
    const bool version_2 = controllers.empty();
    if (!version_2 && !holds(controllers, controller)) continue;
    std::string_view group = line.starts_with('/') && line.find("/..") == line.npos ? line : std::string_view();
    while (group.ends_with('/')) group.remove_suffix(1);
    for (;;) {
      if (version_2) {
        visit(true, Path({root, "/sys/fs/cgroup", group, "/"}));
        visit(true, Path({root, "/sys/fs/cgroup/unified", group, "/"}));
      } else {
        visit(false, Path({root, "/sys/fs/cgroup/", controller, group, "/"}));
        if (controllers != controller) visit(false, Path({root, "/sys/fs/cgroup/", controllers, group, "/"}));
      }
      if (group.empty()) break;
      group = group.substr(0, group.rfind('/'));
    }
  }
}

std::string_view first_line(ShortFile const& file) noexcept {
  std::string_view text = file.text();
  return next(text, '\n');
}

}  // namespace

std::int64_t memory_limit(const char* root) noexcept {
  std::int64_t least = INT64_MAX;
  for_each_group(root, "memory", [&](bool version_2, Path const& group) {
    const ShortFile file(Path({group.c_str(), version_2 ? "memory.max" : "memory.limit_in_bytes"}));
    least = std::min(least, limit(first_line(file)).value_or(INT64_MAX));
  });
  return least;
}

int cpu_limit(const char* root) noexcept {
  std::int64_t least = INT_MAX;
  for_each_group(root, "cpu", [&](bool version_2, Path const& group) {
    std::optional<std::int64_t> quota, period;
    if (version_2) {
      const ShortFile file(Path({group.c_str(), "cpu.max"}));
      std::string_view line = first_line(file);
      quota = limit(next(line, ' '));
      period = limit(line);
    } else {
      quota = limit(first_line(ShortFile(Path({group.c_str(), "cpu.cfs_quota_us"}))));
      period = limit(first_line(ShortFile(Path({group.c_str(), "cpu.cfs_period_us"}))));
    }
    if (quota && period) least = std::min(least, (*quota - 1) / *period + 1);
  });
  return static_cast<int>(least);
}

}  // namespace gpuconv::detail

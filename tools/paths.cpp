#include "paths.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <system_error>

namespace npy {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;  // of one path, as in the kernel

// The names that the standard streams have even where /proc is not mounted.
std::optional<int> standard_stream(fs::path const& path) {
  if (path == "/dev/stdin") return STDIN_FILENO;
  if (path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  return {};
}

// The number N of a path .../N.
std::optional<int> last_number(fs::path const& path) {
  const std::string name = path.filename().string();
  int number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size() || std::to_string(number) != name) return {};
  return number;
}

fs::path folder_of(fs::path const& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

bool is_own_descriptors(fs::path const& folder) {
  std::error_code error;
  const fs::path real = fs::canonical(folder, error);
  if (error) return false;
  for (const char* own : {"/proc/self/fd", "/proc/thread-self/fd"})
    if (real == fs::canonical(own, error) && !error) return true;
  return false;
}

bool lies_in_proc(fs::path const& folder) {
  struct statfs system {};
  return statfs(folder.c_str(), &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
}

bool is_mount_point(fs::path const& file) {
#ifdef STATX_ATTR_MOUNT_ROOT
  struct statx status {};
  if (statx(AT_FDCWD, file.c_str(), 0, STATX_TYPE, &status) == 0)
    return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
#endif
  return false;
}

}  // namespace

Destination resolve(std::string const& path) {
  Destination end;
  end.file = path;
  std::error_code error;
  for (int i = 0; i < kMostLinks; ++i) {
    end.descriptor = standard_stream(end.file);
    if (end.descriptor) return end;
    const fs::path folder = folder_of(end.file);
    const std::optional<int> number = last_number(end.file);
    if (number && is_own_descriptors(folder)) {
      end.descriptor = number;
      return end;
    }
    if (!fs::is_symlink(fs::symlink_status(end.file, error))) return end;
    if (number && lies_in_proc(folder)) end.another_process = true;
    end.file = end.file.parent_path() / fs::read_symlink(end.file, error);
  }
  return end;
}

int duplicate_inherited(int descriptor) noexcept {
  const int flags = fcntl(descriptor, F_GETFD);
  if (flags >= 0 && (flags & FD_CLOEXEC) == 0) return fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  errno = EBADF;
  return -1;
}

bool can_be_replaced(fs::path const& file, struct stat const& status) {
  struct stat folder {};
  if (is_mount_point(file) || stat(folder_of(file).c_str(), &folder) != 0) return false;
  const uid_t user = geteuid();
  return (folder.st_mode & S_ISVTX) == 0 || user == 0 || user == folder.st_uid || user == status.st_uid;
}

void wait_until(int descriptor, short ready) noexcept {
  pollfd wanted{.fd = descriptor, .events = ready, .revents = 0};
  while (poll(&wanted, 1, -1) < 0 && errno == EINTR) {
  }
}

}  // namespace npy

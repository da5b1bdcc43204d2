// Which file a path leads to, where more than its name counts: descriptors that were handed down, links, mount points.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string>

namespace npy {

/// Where a path ends once its symbolic links are followed; nothing need exist there.
struct Destination {
  std::optional<int> descriptor;  ///< of this process, for /dev/stdout, /dev/fd/N, /proc/self/fd/N and links to them
  bool another_process = false;   ///< the path names a descriptor of another process
  std::filesystem::path file;     ///< the path behind all links, where it names no descriptor
};
Destination resolve(std::string const& path);

/// A duplicate, closed on exec, of a descriptor that this process was started with. -1 with errno EBADF where there is
/// no such descriptor: those that the program opened itself do not count.
int duplicate_inherited(int descriptor) noexcept;

/// Whether another file may be given the name of `file`. A mount point keeps its name, and so does a file of somebody
/// else's in a sticky folder.
bool can_be_replaced(std::filesystem::path const& file, struct stat const& status);

/// Returns once a descriptor that does not block has data to read (POLLIN) or room to write (POLLOUT).
void wait_until(int descriptor, short ready) noexcept;

}  // namespace npy

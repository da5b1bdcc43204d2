#include "files.hpp"

#include "paths.hpp"

#include <gpuconv/error.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

namespace npy {
namespace {

[[noreturn]] void fail(std::string const& file, int error) {
  throw FileError(file, std::generic_category().message(error));
}

class FileSource final : public Source {
 public:
  // Whoever hands a descriptor down may go on reading where this program has stopped: then bytes are read, not mapped.
  FileSource(std::string name, int fd, bool inherited) : name_(std::move(name)), file_(fd), inherited_(inherited) {
    if (fd < 0) fail(name_, errno);
    struct stat status {};
    if (fstat(fd, &status) != 0) fail(name_, errno);
    if (S_ISDIR(status.st_mode)) fail(name_, EISDIR);
    id_ = {.device = status.st_dev, .inode = status.st_ino};
    const off_t here = S_ISREG(status.st_mode) ? lseek(fd, 0, SEEK_CUR) : -1;
    if (here >= 0) remaining_ = std::max<std::int64_t>(0, status.st_size - here);
  }

  std::size_t read(void* to, std::size_t size) override {
    std::size_t have = 0;
    while (have < size) {
      const ssize_t got = ::read(file_.get(), static_cast<char*>(to) + have, size - have);
      if (got < 0 && errno == EAGAIN) wait_until(file_.get(), POLLIN);
      if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (got < 0) fail(name_, errno);
      if (got == 0) break;
      have += static_cast<std::size_t>(got);
    }
    if (remaining_) *remaining_ -= static_cast<std::int64_t>(have);
    return have;
  }

  Mapping map(std::int64_t offset, std::size_t size) const override {
    if (!remaining_ || inherited_) return {};
    const off_t here = lseek(file_.get(), 0, SEEK_CUR);
    return here < 0 ? Mapping() : Mapping(file_.get(), here + offset, size);
  }

  std::optional<std::int64_t> remaining() const override { return remaining_; }
  std::optional<FileId> id() const override { return id_; }
  std::string const& name() const override { return name_; }

 private:
  std::string name_;
  Descriptor file_;
  bool inherited_;
  std::optional<std::int64_t> remaining_;
  FileId id_;
};

}  // namespace

std::unique_ptr<Source> open_source(std::string const& path) {
  if (path == "-") return std::make_unique<FileSource>("standard input", duplicate_inherited(STDIN_FILENO), true);
  if (const auto descriptor = resolve(path).descriptor)
    return std::make_unique<FileSource>(path, duplicate_inherited(*descriptor), true);
  return std::make_unique<FileSource>(path, open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY), false);
}

Mapping::Mapping(int descriptor, std::int64_t offset, std::size_t size) noexcept {
  const std::int64_t within = offset % sysconf(_SC_PAGESIZE);
  const std::size_t pages_size = size + static_cast<std::size_t>(within);
  void* const start = mmap(nullptr, pages_size, PROT_READ, MAP_PRIVATE, descriptor, offset - within);
  if (start == MAP_FAILED) return;
  start_ = start, pages_size_ = pages_size;
  data_ = static_cast<std::byte const*>(start) + within;
}

Mapping::~Mapping() {
  if (start_) munmap(start_, pages_size_);
}

void Mapping::swap(Mapping& other) noexcept {
  std::swap(start_, other.start_), std::swap(pages_size_, other.pages_size_), std::swap(data_, other.data_);
}

Descriptor::~Descriptor() { reset(-1); }

void Descriptor::reset(int fd) noexcept {
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
}

int Descriptor::release() noexcept { return std::exchange(fd_, -1); }

void Buffer::resize(std::size_t size) {
  if (size > capacity_) {
    void* grown = std::realloc(data_.get(), size);
    if (!grown)
      throw gpuconv::OutOfMemory("out of memory: " + std::to_string(size) + " bytes are needed",
                                 static_cast<std::int64_t>(size));
    static_cast<void>(data_.release());
    data_.reset(static_cast<std::byte*>(grown));
    capacity_ = size;
  }
  size_ = size;
}

}  // namespace npy

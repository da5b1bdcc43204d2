// Outputs that appear only when they are complete, whatever ends the program before that.
#include "files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace npy {
namespace {

namespace fs = std::filesystem;

// The unfinished output that signals remove: the first of those open at a time.
class SignalSlot {
 public:
  void claim(std::string const& path) noexcept {
    if (claimed_ || path.size() >= sizeof path_) return;
    std::memcpy(path_, path.c_str(), path.size() + 1);
    claimed_ = true;
  }
  void release(std::string const& path) noexcept {
    if (claimed_ && path == path_) claimed_ = false;
  }
  void remove() noexcept {
    if (claimed_) unlink(path_);
  }

 private:
  static_assert(std::atomic<bool>::is_always_lock_free);
  std::atomic<bool> claimed_ = false;
  char path_[PATH_MAX] = {};
};

SignalSlot unfinished;

void remove_and_end(int signal) {
  unfinished.remove();
  raise(signal);  // its default action is back (SA_RESETHAND) and comes when this returns
}

// The file that symbolic links lead to; it need not exist.
fs::path follow_links(fs::path path) {
  constexpr int kMostLinks = 40;
  std::error_code error;
  for (int i = 0; i < kMostLinks && fs::is_symlink(fs::symlink_status(path, error)); ++i)
    path = path.parent_path() / fs::read_symlink(path, error);
  return path;
}

// Gives a new file those of the older one that it replaces. Root alone can keep the owner.
void take_permissions(int file, struct stat const& older) noexcept {
  if (fchown(file, older.st_uid, older.st_gid) == 0) fchmod(file, older.st_mode & 07777);
  else fchmod(file, older.st_mode & 0777);
}

}  // namespace

OutputFile::OutputFile(std::string const& path) : name_(path == "-" ? "standard output" : path) {
  if (path == "-" || path == "/dev/stdout") {
    file_.reset(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
    if (file_.get() < 0) fail(errno);
    return;
  }
  struct stat status {};
  const bool exists = stat(path.c_str(), &status) == 0;
  if (!exists && errno != ENOENT) fail(errno);
  if (exists && S_ISDIR(status.st_mode)) fail(EISDIR);
  if (exists && !S_ISREG(status.st_mode)) {
    open_in_place(path);
    return;
  }
  if (exists && faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0) fail(errno);
  open_beside(follow_links(path).string());
  if (exists) take_permissions(file_.get(), status);
}

void OutputFile::open_in_place(std::string const& path) {
  file_.reset(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
  if (file_.get() < 0) fail(errno);
}

void OutputFile::open_beside(std::string const& target) {
  const fs::path folder = fs::path(target).parent_path();
  target_ = target;
  int error = EEXIST;
  for (int attempt = 0; attempt < 100; ++attempt) {
    temporary_ = (folder / (".gpuconv-" + std::to_string(getpid()) + '-' + std::to_string(attempt) + ".tmp")).string();
    unfinished.claim(temporary_);  // before it exists: no signal comes between
    file_.reset(open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (file_.get() >= 0) return;
    error = errno;
    unfinished.release(temporary_);
    if (error != EEXIST) break;
  }
  temporary_.clear();
  fail(error);
}

OutputFile::~OutputFile() {
  if (temporary_.empty()) return;
  unlink(temporary_.c_str());
  unfinished.release(temporary_);
}

void OutputFile::write(void const* from, std::size_t size) {
  const auto* bytes = static_cast<const char*>(from);
  while (size > 0) {
    const ssize_t written = ::write(file_.get(), bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(errno);
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
}

void OutputFile::commit() {
  if (close(file_.release()) != 0) fail(errno);
  if (temporary_.empty()) return;
  if (std::rename(temporary_.c_str(), target_.c_str()) != 0) fail(errno);
  unfinished.release(temporary_);
  temporary_.clear();
}

void OutputFile::fail(int error) const { throw FileError(name_, std::generic_category().message(error)); }

void remove_unfinished_output_on_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    if (sigaction(signal, nullptr, &action) != 0 || action.sa_handler == SIG_IGN) continue;
    action.sa_handler = remove_and_end;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(signal, &action, nullptr);
  }
}

}  // namespace npy

// Outputs that appear only when they are complete, whatever ends the program before that; where a folder rules that
// out, outputs that are written in place.
#include "files.hpp"
#include "paths.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace npy {
namespace {

// In a sticky folder a file that was given its predecessor's owner has to be taken back first. Safe in signal handlers.
void remove_unfinished(const char* path) noexcept {
  if (unlink(path) != 0 && lchown(path, geteuid(), getegid()) == 0) unlink(path);
}

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
    if (claimed_) remove_unfinished(path_);
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

// Several threads may meet it at once: the first one ends the process, the others wait for that.
void report_a_file_cut_short(int) {
  static std::atomic<bool> reported = false;
  while (reported.exchange(true)) pause();
  constexpr char kText[] = "gpuconv: a file has become shorter while it was being read\n";
  unfinished.remove();
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kText, sizeof kText - 1);
  _exit(EXIT_FAILURE);
}

// Gives a new file those of the older one that it replaces. Root alone can keep the owner.
void take_permissions(int file, struct stat const& older) noexcept {
  if (fchown(file, older.st_uid, older.st_gid) == 0) fchmod(file, older.st_mode & 07777);
  else fchmod(file, older.st_mode & 0777);
}

// The folder lets no temporary file be created beside the one wanted, which may be writable all the same.
bool rules_out_a_temporary(int error) {
  return error == EACCES || error == EPERM || error == EROFS || error == ENAMETOOLONG || error == EINVAL;
}

// The older file's name cannot be given to another file.
bool rules_out_a_rename(int error) {
  return error == EACCES || error == EPERM || error == EROFS || error == EBUSY || error == EXDEV;
}

}  // namespace

OutputFile::OutputFile(std::string const& path, std::vector<FileId> inputs)
    : name_(path == "-" ? "standard output" : path), inputs_(std::move(inputs)) {
  open_output(path);
}

void OutputFile::open_output(std::string const& path) {
  if (path == "-") return take_descriptor(STDOUT_FILENO);
  const Destination destination = resolve(path);
  if (destination.descriptor) return take_descriptor(*destination.descriptor);
  if (path.empty()) fail(ENOENT);
  struct stat status {};
  const bool exists = stat(path.c_str(), &status) == 0;
  if (!exists && errno != ENOENT) fail(errno);
  if (exists && S_ISDIR(status.st_mode)) fail(EISDIR);
  if (exists && !S_ISREG(status.st_mode)) return open_in_place(path);
  if (destination.another_process)
    throw FileError(name_, "a file that another process has open is known by its descriptor; its name is expected");
  if (exists && faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0) fail(errno);
  if (exists && !can_be_replaced(destination.file, status)) return open_in_place(destination.file.string());
  open_replacement(destination.file.string(), exists);
  if (exists && !overwriting_) take_permissions(file_.get(), status);
}

void OutputFile::take_descriptor(int descriptor) {
  file_.reset(duplicate_inherited(descriptor));
  struct stat status {};
  if (file_.get() < 0 || fstat(file_.get(), &status) != 0) fail(errno);
  if ((fcntl(file_.get(), F_GETFL) & O_ACCMODE) == O_RDONLY)
    throw FileError(name_, "the descriptor is open for reading, one open for writing is expected");
  refuse_inputs(status);
}

void OutputFile::open_in_place(std::string const& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) == 0) refuse_inputs(status);  // an overlay's file may change its number when opened
  file_.reset(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
  if (file_.get() < 0 || fstat(file_.get(), &status) != 0) fail(errno);
  refuse_inputs(status);
  if (!S_ISREG(status.st_mode)) return;
  if (ftruncate(file_.get(), 0) != 0) fail(errno);
  overwriting_ = true;
}

void OutputFile::open_replacement(std::string const& target, bool exists) {
  const int error = open_beside(target);
  if (error == 0) return;
  if (!rules_out_a_temporary(error)) fail(error);
  if (exists) open_in_place(target);
  else if (!create(target)) fail(errno);
}

// Returns the error that prevents it, or 0.
int OutputFile::open_beside(std::string const& target) {
  const std::filesystem::path folder = std::filesystem::path(target).parent_path();
  for (int attempt = 0; attempt < 100; ++attempt) {
    const std::string name = ".gpuconv-" + std::to_string(getpid()) + '-' + std::to_string(attempt) + ".tmp";
    if (create((folder / name).string())) return target_ = target, 0;
    if (errno != EEXIST) return errno;
  }
  return EEXIST;
}

// Creates a file that goes away again unless it is finished; with errno where that fails.
bool OutputFile::create(std::string const& path) {
  unfinished.claim(path);  // before it exists: no signal comes between
  file_.reset(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (file_.get() >= 0) return unfinished_ = path, true;
  const int error = errno;
  unfinished.release(path);
  errno = error;
  return false;
}

OutputFile::~OutputFile() {
  if (unfinished_.empty()) return;
  remove_unfinished(unfinished_.c_str());
  unfinished.release(unfinished_);
}

void OutputFile::write(void const* from, std::size_t size) {
  const auto* bytes = static_cast<const char*>(from);
  while (size > 0) {
    const ssize_t written = ::write(file_.get(), bytes, size);
    if (written < 0 && errno == EAGAIN) wait_until(file_.get(), POLLOUT);
    if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (written < 0) fail(errno);
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
}

void OutputFile::commit() {
  if (close(file_.release()) != 0) fail(errno);
  if (unfinished_.empty()) return;
  if (!target_.empty() && std::rename(unfinished_.c_str(), target_.c_str()) != 0) {
    if (!rules_out_a_rename(errno)) fail(errno);
    copy_into_place();
    remove_unfinished(unfinished_.c_str());
  }
  unfinished.release(unfinished_);
  unfinished_.clear();
}

// A rename may fail where nobody could foresee it: the complete file cannot have its name, its bytes can have their
// place.
void OutputFile::copy_into_place() {
  const std::unique_ptr<Source> complete = open_source(unfinished_);
  open_in_place(target_);
  constexpr std::size_t kStep = std::size_t{1} << 20;
  Buffer bytes;
  bytes.resize(kStep);
  while (const std::size_t got = complete->read(bytes.data(), kStep)) write(bytes.data(), got);
  if (close(file_.release()) != 0) fail(errno);
}

// A terminal or a socket is read and written at once, a file that is being read must not be.
void OutputFile::refuse_inputs(struct stat const& status) const {
  if (S_ISCHR(status.st_mode) || S_ISSOCK(status.st_mode)) return;
  const FileId id{.device = status.st_dev, .inode = status.st_ino};
  if (std::find(inputs_.begin(), inputs_.end(), id) != inputs_.end())
    throw FileError(name_, "it is an input as well and can only be written in place; an output of its own is expected");
}

void OutputFile::fail(int error) const {
  throw FileError(name_, std::generic_category().message(error) +
                             (overwriting_ ? "; the file was being written in place and is incomplete" : ""));
}

void remove_unfinished_output_on_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    if (sigaction(signal, nullptr, &action) != 0 || action.sa_handler == SIG_IGN) continue;
    action.sa_handler = remove_and_end;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(signal, &action, nullptr);
  }
}

void explain_files_cut_short() {
  struct sigaction action {};
  action.sa_handler = report_a_file_cut_short;
  sigaction(SIGBUS, &action, nullptr);
}

}  // namespace npy

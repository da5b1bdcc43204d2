// Streams of bytes under the .npy reader and writer: files, pipes, and outputs that appear only when they are complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

struct stat;

namespace npy {

/// Everything that is wrong with a file; the text starts with the file's name.
class Error : public std::runtime_error {
 public:
  Error(std::string const& file, std::string const& cause) : std::runtime_error(file + ": " + cause) {}
};

/// The operating system refused to open, read or write.
class FileError : public Error {
 public:
  using Error::Error;
};

/// Which file it is, whatever it is called: all links to one file, hard or symbolic, have the same.
struct FileId {
  std::uint64_t device = 0, inode = 0;
  bool operator==(FileId const&) const = default;
};

/// A part of a file in memory, which only can be read. A file that becomes shorter meanwhile ends the process with
/// SIGBUS; see `explain_files_cut_short`.
class Mapping {
 public:
  Mapping() = default;
  /// `size` bytes from `offset` on. Empty where the file or the system does not allow it.
  Mapping(int descriptor, std::int64_t offset, std::size_t size) noexcept;
  Mapping(Mapping&& other) noexcept { swap(other); }
  Mapping& operator=(Mapping&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Mapping();
  std::byte const* data() const noexcept { return data_; }  ///< null where it is empty

 private:
  void swap(Mapping& other) noexcept;

  void* start_ = nullptr;  // of the first page
  std::size_t pages_size_ = 0;
  std::byte const* data_ = nullptr;
};

/// Where bytes come from.
class Source {
 public:
  virtual ~Source() = default;
  /// Reads `size` bytes, fewer only where the source ends; returns how many. Throws FileError.
  virtual std::size_t read(void* to, std::size_t size) = 0;
  /// Bytes left, where that is known before they are read (a regular file).
  virtual std::optional<std::int64_t> remaining() const = 0;
  /// `size` bytes of a file, `offset` behind the next one to read, all of which must be there. Empty where the source
  /// has to be read: it has no name, or no bytes to map.
  virtual Mapping map(std::int64_t /*offset*/, std::size_t /*size*/) const { return {}; }
  /// The file that is read, where the bytes come from one.
  virtual std::optional<FileId> id() const { return {}; }
  /// The name that errors give it.
  virtual std::string const& name() const = 0;
};

/// Where bytes go.
class Sink {
 public:
  virtual ~Sink() = default;
  /// Writes all of `size` bytes. Throws FileError.
  virtual void write(void const* from, std::size_t size) = 0;
  virtual std::string const& name() const = 0;
};

/// Opens a file, pipe or device; "-" is standard input. A descriptor of this process (/dev/stdin, /dev/fd/N) is read
/// from where it stands. Throws FileError.
std::unique_ptr<Source> open_source(std::string const& path);

/// An open file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) noexcept : fd_(fd) {}
  Descriptor(Descriptor const&) = delete;
  Descriptor& operator=(Descriptor const&) = delete;
  ~Descriptor();
  int get() const noexcept { return fd_; }
  void reset(int fd) noexcept;
  int release() noexcept;

 private:
  int fd_;
};

/// A file being written. A regular file, or one that does not exist yet, is written beside its place and takes its name
/// in `commit`; destroyed before that, it leaves nothing behind and an older file untouched. Where the folder does not
/// allow that (no permission to write there, a mount point, somebody else's file in a sticky folder), the older file is
/// written in place, unless it is an input as well. Anything else (a pipe, a device) is written directly. "-" is
/// standard output; it and other descriptors of this process (/dev/stdout, /dev/fd/N) are written from where they
/// stand.
class OutputFile final : public Sink {
 public:
  /// `inputs` are the files that are still being read. Throws FileError.
  explicit OutputFile(std::string const& path, std::vector<FileId> inputs = {});
  ~OutputFile() override;
  void write(void const* from, std::size_t size) override;
  std::string const& name() const override { return name_; }
  /// Closes the file and gives it its name. Throws FileError.
  void commit();

 private:
  void open_output(std::string const& path);
  void take_descriptor(int descriptor);
  void open_in_place(std::string const& path);
  void open_replacement(std::string const& target, bool exists);
  int open_beside(std::string const& target);
  bool create(std::string const& path);
  void copy_into_place();
  void refuse_inputs(struct stat const& status) const;
  [[noreturn]] void fail(int error) const;

  std::string name_;
  std::vector<FileId> inputs_;
  std::string target_;      // what the temporary file is to be called; empty where there is none
  std::string unfinished_;  // the file that must not be left behind
  bool overwriting_ = false;
  Descriptor file_;
};

/// From now on SIGINT, SIGTERM and SIGHUP remove the unfinished output, if there is one, before they end the process.
void remove_unfinished_output_on_signals();

/// From now on SIGBUS, which comes where a mapped file has become shorter, says so before it ends the process.
void explain_files_cut_short();

/// Bytes in memory that can grow without being initialised or copied (large blocks are remapped).
class Buffer {
 public:
  std::byte* data() noexcept { return data_.get(); }
  std::byte const* data() const noexcept { return data_.get(); }
  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return capacity_; }
  /// Keeps what is there; new bytes are not initialised. Throws gpuconv::OutOfMemory.
  void resize(std::size_t size);

 private:
  struct Free {
    void operator()(std::byte* p) const noexcept { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> data_;
  std::size_t size_ = 0, capacity_ = 0;
};

}  // namespace npy

#include "npy_fuzzer.hpp"

#include "npy.hpp"

#include <gpuconv/error.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace {

using Bytes = std::span<std::uint8_t const>;

std::uint64_t read_so_far = 0;

void require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", property);
  std::abort();
}

class MemorySource final : public npy::Source {
 public:
  MemorySource(Bytes bytes, bool sized) : bytes_(bytes), sized_(sized) {}
  std::size_t read(void* to, std::size_t size) override {
    const std::size_t count = std::min(size, bytes_.size());
    if (count > 0) std::memcpy(to, bytes_.data(), count);
    bytes_ = bytes_.subspan(count);
    return count;
  }
  std::optional<std::int64_t> remaining() const override {
    if (!sized_) return {};
    return static_cast<std::int64_t>(bytes_.size());
  }
  std::string const& name() const override { return name_; }

 private:
  Bytes bytes_;
  bool sized_;
  std::string name_ = "fuzz";
};

class MemorySink final : public npy::Sink {
 public:
  void write(void const* from, std::size_t size) override {
    const auto* bytes = static_cast<std::uint8_t const*>(from);
    written.insert(written.end(), bytes, bytes + size);
  }
  std::string const& name() const override { return name_; }

  std::vector<std::uint8_t> written;

 private:
  std::string name_ = "fuzz";
};

struct Result {
  gpuconv::Type type{};
  npy::Shape shape;
  std::int64_t rows = 0, columns = 0;
  std::vector<std::byte> data;
  bool operator==(Result const&) const = default;
};

// `rows_at_once`: 0 reads all rows in one call.
std::optional<Result> read(Bytes bytes, bool sized, std::int64_t rows_at_once) {
  try {
    npy::Reader reader(std::make_unique<MemorySource>(bytes, sized));
    Result result{reader.type(), reader.shape(), reader.rows(), reader.columns(), {}};
    npy::Buffer buffer;
    const bool whole = rows_at_once == 0 || reader.columns() == 0;
    for (std::int64_t done = 0; done < reader.rows();) {
      const std::int64_t count = whole ? reader.rows() : std::min(rows_at_once, reader.rows() - done);
      reader.read_rows(count, buffer);
      result.data.insert(result.data.end(), buffer.data(), buffer.data() + buffer.size());
      done += count;
    }
    return result;
  } catch (npy::Error const&) {
    return {};
  }
}

std::vector<std::uint8_t> written(Result const& array) {
  MemorySink sink;
  npy::Writer writer(sink, npy::descr_of(array.type), array.shape);
  writer.write({array.data.data(), array.type, {.rows = array.rows, .columns = array.columns}});
  return std::move(sink.written);
}

}  // namespace

std::uint64_t arrays_read() { return read_so_far; }

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  const Bytes bytes(data, size);
  const std::optional<Result> file = read(bytes, true, 0);
  require(read(bytes, false, 0) == file, "a pipe gives what a file gives");
  require(read(bytes, true, 2) == file, "rows read two at a time are those read at once");
  if (!file) return 0;
  ++read_so_far;
  const auto bytes_expected = static_cast<std::size_t>(file->rows * file->columns) * size_of(file->type);
  require(file->data.size() == bytes_expected, "the data are as many as the shape says");
  require(read(written(*file), true, 0) == file, "what was read survives being written");
  return 0;
}

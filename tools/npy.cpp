#include "npy.hpp"

#include <gpuconv/error.hpp>
#include <gpuconv/info.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace npy {

using gpuconv::HostInput;
using gpuconv::Type;

namespace {

constexpr std::size_t kLongestHeader = 10'000;  // what numpy.load takes of a file that it is not told to trust

void read_exactly(Source& source, void* to, std::size_t size) {
  if (source.read(to, size) != size) throw Malformed(source.name(), "it ends within the header");
}

struct Preamble {
  int version = 0;
  std::size_t header_size = 0;
};

Preamble read_preamble(Source& source) {
  std::array<unsigned char, 8> start{};
  const std::size_t got = source.read(start.data(), start.size());
  if (got == 0) throw Malformed(source.name(), "the file is empty");
  if (std::memcmp(start.data(), "\x93NUMPY", std::min<std::size_t>(got, 6)) != 0)
    throw Malformed(source.name(), "not a .npy file");
  if (got < start.size()) throw Malformed(source.name(), "it ends within the header");
  const int version = start[6];
  if (version < 1 || version > 3 || start[7] != 0)
    throw Malformed(source.name(), "format version " + std::to_string(version) + '.' + std::to_string(start[7]) +
                                       ", 1.0, 2.0 or 3.0 is expected");
  std::array<unsigned char, 4> bytes{};
  read_exactly(source, bytes.data(), version == 1 ? 2 : 4);
  return {version, bytes[0] | std::size_t{bytes[1]} << 8 | std::size_t{bytes[2]} << 16 | std::size_t{bytes[3]} << 24};
}

Header read_header(Source& source) {
  const auto [version, size] = read_preamble(source);
  if (size > kLongestHeader)
    throw Malformed(source.name(), "a header of " + std::to_string(size) + " bytes, at most " +
                                       std::to_string(kLongestHeader) + " are expected");
  std::string dictionary(size, '\0');
  read_exactly(source, dictionary.data(), size);
  return parse_header(dictionary, version, source.name());
}

template <class Word>
void reverse_bytes(std::byte* data, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    Word word;
    std::memcpy(&word, data + i * sizeof word, sizeof word);
    if constexpr (sizeof word == 2) word = __builtin_bswap16(word);
    else if constexpr (sizeof word == 4) word = __builtin_bswap32(word);
    else word = __builtin_bswap64(word);
    std::memcpy(data + i * sizeof word, &word, sizeof word);
  }
}

void reverse_bytes(std::byte* data, std::size_t bytes, std::size_t element) {
  if (element == 2) reverse_bytes<std::uint16_t>(data, bytes / 2);
  else if (element == 4) reverse_bytes<std::uint32_t>(data, bytes / 4);
  else reverse_bytes<std::uint64_t>(data, bytes / 8);
}

}  // namespace

Reader::Reader(std::unique_ptr<Source> source) : source_(std::move(source)), header_(read_header(*source_)) {
  check_shape();
  rows_ = shape().size() == 2 ? shape()[0] : 1;
  columns_ = shape().empty() ? 1 : shape().back();
  const std::int64_t promised = rows_ * row_bytes();
  const auto held = source_->remaining();
  if (held && *held < promised)
    throw Malformed(name(), "the shape " + to_string(shape()) + " takes " + std::to_string(promised) +
                                " bytes, the file holds " + std::to_string(*held));
}

void Reader::check_shape() const {
  if (shape().size() > 2)
    throw Unsupported(name(), std::to_string(shape().size()) + " dimensions, shape " + to_string(shape()) +
                                  "; two at most are expected");
}

void Reader::read_rows(std::int64_t count, Buffer& to) {
  if (count < 0 || count > rows_ - next_row_) throw gpuconv::InvalidArgument("more rows are asked for than are left");
  const bool by_columns = header_.fortran_order && rows_ > 1 && columns_ > 1;
  if (!by_columns) {
    read_bytes(count * row_bytes(), to);
  } else {
    if (next_row_ == 0) read_bytes(rows_ * row_bytes(), column_major_);
    to.resize(static_cast<std::size_t>(count * row_bytes()));
    gather_rows(count, to.data());
  }
  if (header_.swapped) reverse_bytes(to.data(), to.size(), gpuconv::size_of(type()));
  next_row_ += count;
}

void Reader::read_bytes(std::int64_t size, Buffer& to) {
  if (size > gpuconv::machine_memory())
    throw TooLarge(name(), std::to_string(size) + " bytes are needed at once, this process may use " +
                               std::to_string(gpuconv::machine_memory()));
  constexpr std::size_t kFirstStep = std::size_t{64} << 10;  // of what is not known to come
  const auto wanted = static_cast<std::size_t>(size);
  std::size_t have = 0;
  to.resize(0);
  while (have < wanted) {
    const bool believed = source_->remaining().has_value();
    const std::size_t step = believed ? wanted : std::min(wanted, std::max({kFirstStep, 2 * have, to.capacity()}));
    to.resize(step);
    have += source_->read(to.data() + have, step - have);
    if (have < step)
      throw Malformed(name(), "truncated: it ends after " +
                                  std::to_string(bytes_read_ + static_cast<std::int64_t>(have)) + " of " +
                                  std::to_string(rows_ * row_bytes()) + " bytes of data");
  }
  bytes_read_ += size;
}

void Reader::gather_rows(std::int64_t count, std::byte* to) {
  constexpr std::int64_t kTile = 64;  // rows written at a time, so that their lines stay in the cache
  gpuconv::visit_type(type(), [&]<class T>(std::type_identity<T>) {
    auto* rows = reinterpret_cast<T*>(to);
    for (std::int64_t tile = 0; tile < count; tile += kTile)
      for (std::int64_t c = 0; c < columns_; ++c) {
        const T* column = reinterpret_cast<const T*>(column_major_.data()) + c * rows_ + next_row_;
        for (std::int64_t r = tile; r < std::min(count, tile + kTile); ++r) rows[r * columns_ + c] = column[r];
      }
  });
}

void Array::check_type(Type wanted) const {
  if (wanted == type_) return;
  throw gpuconv::InvalidArgument("the array holds " + std::string(name(type_)) + ", " + std::string(name(wanted)) +
                                 " is asked for");
}

Array read(std::string const& path) {
  Reader reader(path);
  Buffer data;
  reader.read_rows(reader.rows(), data);
  return Array(reader.type(), reader.shape(), reader.rows(), reader.columns(), std::move(data));
}

Writer::Writer(Sink& sink, Type type, Shape const& shape) : sink_(sink) {
  const std::string header = format_header(type, shape);
  sink_.write(header.data(), header.size());
}

void Writer::write(HostInput rows) {
  const auto* data = static_cast<const std::byte*>(rows.data());
  const std::size_t row_bytes = static_cast<std::size_t>(rows.columns()) * gpuconv::size_of(rows.type());
  if (rows.stride() == rows.columns()) return sink_.write(data, row_bytes * static_cast<std::size_t>(rows.rows()));
  const std::size_t stride = static_cast<std::size_t>(rows.stride()) * gpuconv::size_of(rows.type());
  for (std::size_t r = 0; r < static_cast<std::size_t>(rows.rows()); ++r) sink_.write(data + r * stride, row_bytes);
}

void write(std::string const& path, HostInput array) {
  OutputFile file(path);
  Writer writer(file, array.type(), array.rows() == 1 ? Shape{array.columns()} : Shape{array.rows(), array.columns()});
  writer.write(array);
  file.commit();
}

}  // namespace npy

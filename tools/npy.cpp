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
  for (std::size_t d = 0; d + 1 < shape().size(); ++d) rows_ *= shape()[d];
  if (!shape().empty()) columns_ = shape().back();
  const std::int64_t promised = rows_ * row_bytes();
  const auto held = source_->remaining();
  if (held && *held < promised)
    throw Malformed(name(), "the shape " + to_string(shape()) + " takes " + std::to_string(promised) +
                                " bytes, the file holds " + std::to_string(*held));
}

void Reader::check_shape() const {
  constexpr std::size_t kMostDimensions = 64;  // as in NumPy 2
  if (shape().size() > kMostDimensions)
    throw Unsupported(name(), std::to_string(shape().size()) + " dimensions, shape " + to_string(shape()) + "; " +
                                  std::to_string(kMostDimensions) + " at most are expected");
}

Shape Reader::strides() const {
  Shape strides(shape().size());
  std::int64_t next = 1;
  for (std::size_t i = 0; i < strides.size(); ++i) {
    const std::size_t d = header_.fortran_order ? i : strides.size() - 1 - i;
    strides[d] = next;
    next *= shape()[d];
  }
  return strides;
}

// Where the first element of a row lies in Fortran order.
std::int64_t Reader::place_of_row(std::int64_t row) const {
  std::int64_t place = 0, stride = rows_;
  for (std::size_t d = shape().size() - 1; d-- > 0;) {
    stride /= shape()[d];
    place += row % shape()[d] * stride;
    row /= shape()[d];
  }
  return place;
}

void Reader::read_rows(std::int64_t count, Buffer& to) {
  if (count < 0 || count > rows_ - next_row_) throw gpuconv::InvalidArgument("more rows are asked for than are left");
  to.resize(0);
  if (!header_.fortran_order || rows_ <= 1 || columns_ <= 1) {
    append_elements(count * columns_, to);
  } else {
    if (next_row_ == 0) append_elements(rows_ * columns_, fortran_);
    to.resize(static_cast<std::size_t>(count * row_bytes()));
    gather_rows(count, to.data());
  }
  next_row_ += count;
}

void Reader::append_elements(std::int64_t count, Buffer& to) {
  const std::size_t before = to.size();
  append_bytes(count * static_cast<std::int64_t>(gpuconv::size_of(type())), to);
  if (header_.swapped)
    reverse_bytes(to.data() + before, to.size() - before, gpuconv::size_of(gpuconv::part_type(type())));
}

Mapping Reader::map_elements(std::int64_t first, std::int64_t count) const {
  const auto size = static_cast<std::int64_t>(gpuconv::size_of(type()));
  if (header_.swapped || count == 0) return {};
  Mapping mapping = source_->map(first * size, static_cast<std::size_t>(count * size));
  const bool aligned = reinterpret_cast<std::uintptr_t>(mapping.data()) % static_cast<std::uintptr_t>(size) == 0;
  return aligned ? std::move(mapping) : Mapping();  // headers that nobody has padded
}

void Reader::append_bytes(std::int64_t size, Buffer& to) {
  if (size > gpuconv::machine_memory())
    throw TooLarge(name(), std::to_string(size) + " bytes are needed at once, this process may use " +
                               std::to_string(gpuconv::machine_memory()));
  constexpr std::size_t kFirstStep = std::size_t{64} << 10;  // of what is not known to come
  const auto wanted = static_cast<std::size_t>(size);
  const std::size_t before = to.size();
  std::size_t have = 0;
  while (have < wanted) {
    const bool believed = source_->remaining().has_value();
    const std::size_t step =
        believed ? wanted : std::min(wanted, std::max({kFirstStep, 2 * have, to.capacity() - before}));
    to.resize(before + step);
    have += source_->read(to.data() + before + have, step - have);
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
    auto* const rows = reinterpret_cast<T*>(to);
    auto const* const elements = reinterpret_cast<T const*>(fortran_.data());
    std::array<std::int64_t, kTile> places{};
    for (std::int64_t tile = 0; tile < count; tile += kTile) {
      const std::int64_t height = std::min(kTile, count - tile);
      for (std::int64_t r = 0; r < height; ++r)
        places[static_cast<std::size_t>(r)] = place_of_row(next_row_ + tile + r);
      for (std::int64_t c = 0; c < columns_; ++c)
        for (std::int64_t r = 0; r < height; ++r)
          rows[(tile + r) * columns_ + c] = elements[c * rows_ + places[static_cast<std::size_t>(r)]];
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

Writer::Writer(Sink& sink, std::string_view descr, Shape const& shape) : sink_(sink) {
  const std::string header = format_header(descr, shape);
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
  Writer writer(file, descr_of(array.type()),
                array.rows() == 1 ? Shape{array.columns()} : Shape{array.rows(), array.columns()});
  writer.write(array);
  file.commit();
}

}  // namespace npy

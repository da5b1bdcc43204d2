// Reads and writes NumPy's .npy files: arrays of gpuconv's element types, whole or a few rows at a time.
// The format: numpy.lib.format, versions 1.0, 2.0 and 3.0.
#pragma once

#include "files.hpp"
#include "npy_types.hpp"

#include <gpuconv/view.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace npy {

/// Not a .npy file, damaged, or promising more than it holds.
class Malformed : public Error {
 public:
  using Error::Error;
};

/// A sound .npy file of something that gpuconv does not convolve: strings, dates, structures.
class Unsupported : public Error {
 public:
  using Error::Error;
};

/// More data than this process may have memory for.
class TooLarge : public Error {
 public:
  using Error::Error;
};

using Shape = std::vector<std::int64_t>;

/// The description of an array in a .npy file.
struct Header {
  gpuconv::Type type = gpuconv::Type::float64;
  bool swapped = false;  ///< in the other byte order than this machine's
  bool logical = false;  ///< NumPy's bool: bytes that are 0 or 1, as which uint8 serves
  bool fortran_order = false;
  Shape shape;
};

/// Parses the dictionary of a header, a Python literal, as numpy.load does for this version of the format (1 to 3). The
/// shape is checked to fit 64-bit sizes. `file` is for errors. Throws Malformed, Unsupported.
Header parse_header(std::string_view dictionary, int version, std::string const& file);

/// Everything of a file that comes before its data. `descr`: descr_of a type, or kBoolDescr.
std::string format_header(std::string_view descr, Shape const& shape);

/// "(3, 4)", cut where it is long.
std::string to_string(Shape const& shape);

/// Reads an array of any number of dimensions, either as rows along the last one, some at a time, or its elements as
/// they lie in the file. Memory grows with the data that really come, whatever the header promises.
class Reader {
 public:
  /// Reads the header. Throws FileError, Malformed (also where a regular file is shorter than its header promises),
  /// Unsupported.
  explicit Reader(std::unique_ptr<Source> source);
  /// `path` may be a pipe, or "-" for standard input.
  explicit Reader(std::string const& path) : Reader(open_source(path)) {}

  std::string const& name() const noexcept { return source_->name(); }
  std::optional<FileId> id() const { return source_->id(); }
  gpuconv::Type type() const noexcept { return header_.type; }
  bool logical() const noexcept { return header_.logical; }  ///< NumPy's bool, as uint8
  Shape const& shape() const noexcept { return header_.shape; }
  /// Elements from one to the next along each dimension, in the order of the file.
  Shape strides() const;
  std::int64_t rows() const noexcept { return rows_; }  ///< 1 for an array of one dimension or none
  std::int64_t columns() const noexcept { return columns_; }
  std::int64_t row_bytes() const noexcept { return columns_ * static_cast<std::int64_t>(gpuconv::size_of(type())); }

  /// Reads the next `count` rows into `to`, resized, one after the other in this machine's byte order. What lies in
  /// Fortran order is held in memory whole from the first call on.
  /// Throws FileError, Malformed (it ends early), TooLarge, gpuconv::OutOfMemory.
  void read_rows(std::int64_t count, Buffer& to);

  /// Reads the next `count` elements in the order of the file, in place of rows, and puts them behind what `to` holds,
  /// in this machine's byte order. Throws as `read_rows`.
  void append_elements(std::int64_t count, Buffer& to);
  /// Elements that have not been read, in the order of the file, the first of them `first` behind the next one to read.
  /// Empty where they have to be read: from a pipe, or in the other byte order.
  Mapping map_elements(std::int64_t first, std::int64_t count) const;

 private:
  void check_shape() const;
  std::int64_t place_of_row(std::int64_t row) const;
  void append_bytes(std::int64_t size, Buffer& to);
  void gather_rows(std::int64_t count, std::byte* to);

  std::unique_ptr<Source> source_;
  Header header_;
  std::int64_t rows_ = 1, columns_ = 1;
  std::int64_t next_row_ = 0, bytes_read_ = 0;
  Buffer fortran_;
};

/// An array in memory, in C order and this machine's byte order.
class Array {
 public:
  Array(gpuconv::Type type, Shape shape, std::int64_t rows, std::int64_t columns, Buffer data)
      : type_(type), shape_(std::move(shape)), rows_(rows), columns_(columns), data_(std::move(data)) {}

  gpuconv::Type type() const noexcept { return type_; }
  Shape const& shape() const noexcept { return shape_; }
  std::int64_t rows() const noexcept { return rows_; }  ///< 1 for a 1-D or 0-D array
  std::int64_t columns() const noexcept { return columns_; }
  std::byte const* data() const noexcept { return data_.data(); }
  std::size_t bytes() const noexcept { return data_.size(); }

  /// All elements, row after row. Throws gpuconv::InvalidArgument where the array holds another type than `T`.
  template <gpuconv::Element T>
  std::span<T const> values() const {
    check_type(gpuconv::type_of<T>);
    return {reinterpret_cast<T const*>(data()), bytes() / sizeof(T)};
  }

  gpuconv::HostInput view() const noexcept { return {data(), type_, {.rows = rows_, .columns = columns_}}; }

 private:
  void check_type(gpuconv::Type wanted) const;

  gpuconv::Type type_;
  Shape shape_;
  std::int64_t rows_, columns_;
  Buffer data_;
};

/// Reads a whole file. Throws as `Reader`.
Array read(std::string const& path);

/// Writes a header, then rows in order, always in C order and this machine's byte order.
class Writer {
 public:
  /// Writes the header, whose `descr` is descr_of a type or kBoolDescr. `sink` must outlive the writer. Throws
  /// FileError.
  Writer(Sink& sink, std::string_view descr, Shape const& shape);
  /// Writes the next rows. The caller keeps to the promised type and shape. Throws FileError.
  void write(gpuconv::HostInput rows);

 private:
  Sink& sink_;
};

/// Writes `array` to a file, 1-D where it is a single row. The file appears only when it is complete. Throws FileError.
void write(std::string const& path, gpuconv::HostInput array);

}  // namespace npy

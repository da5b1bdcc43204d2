// Image files: PNG, through libpng where the tool is built with it, and binary PGM and PPM (netpbm's P5 and P6).
// Pixels are the numbers that the file stores, 8 or 16 bits each: nothing is scaled and no gamma is applied.
#pragma once

#include "files.hpp"

#include <gpuconv/types.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace picture {

/// pgm holds one channel, ppm three, pnm either; png one to four.
enum class Format : std::uint8_t { png, pgm, ppm, pnm };

/// The format that a path ends in, such as ".png", in capitals or not; none: no picture.
std::optional<Format> format_of(std::string_view path);

/// Whether pictures can hold elements of this type: uint8 and uint16.
constexpr bool can_hold(gpuconv::Type type) noexcept {
  return type == gpuconv::Type::uint8 || type == gpuconv::Type::uint16;
}

/// A picture in memory, [lines][columns][channels] in this machine's byte order. Channels are grey, or red, green and
/// blue; a PNG may have one more, which says how opaque each pixel is.
struct Picture {
  gpuconv::Type type = gpuconv::Type::uint8;
  std::int64_t lines = 0, columns = 0, channels = 1;
  npy::Buffer data;
};

/// Reads a whole picture. Throws npy::FileError, npy::Malformed (another format, or damaged), npy::Unsupported (what
/// the formats have but this reader has not), npy::TooLarge, gpuconv::OutOfMemory.
Picture read(npy::Source& source, Format format);

/// The same with data that the caller holds.
struct View {
  gpuconv::Type type;
  std::int64_t lines, columns, channels;
  std::byte const* data;
};

/// Throws npy::Unsupported where the format holds no such picture. `file` is for errors.
void check_format(View const& picture, Format format, std::string const& file);

/// Writes a picture that has passed `check_format`. Throws npy::FileError, npy::Unsupported.
void write(npy::Sink& sink, View const& picture, Format format);

// PNG, for the two above; a build without libpng throws npy::Unsupported.
Picture read_png(std::span<std::byte const> file, std::string const& name);
npy::Buffer png_of(View const& picture, std::string const& name);

/// Gives `picture`, whose shape and type are known, its memory, after the shape was checked against 64-bit sizes and
/// this process's memory. Throws npy::TooLarge, gpuconv::OutOfMemory.
void allocate(Picture& picture, std::string const& file);

}  // namespace picture

#include "pictures.hpp"

#include "npy.hpp"

#include <gpuconv/info.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

namespace picture {

using gpuconv::Type;

namespace {

constexpr std::int64_t kLargest8 = 0xff, kLargest16 = 0xffff;

npy::Buffer read_all(npy::Source& source) {
  constexpr std::size_t kFirstStep = std::size_t{64} << 10;
  npy::Buffer bytes;
  std::size_t have = 0;
  for (std::size_t got = 1; got > 0; have += got) {
    const auto left = source.remaining();
    bytes.resize(have + std::max(kFirstStep, left ? static_cast<std::size_t>(*left) : have));
    got = source.read(bytes.data() + have, bytes.size() - have);
  }
  bytes.resize(have);
  return bytes;
}

// Pictures store 16 bits with the high byte first.
void swap_bytes(std::byte* pixels, std::size_t size) {
  if (std::endian::native == std::endian::big) return;
  for (std::size_t i = 0; i + 1 < size; i += 2) std::swap(pixels[i], pixels[i + 1]);
}

// The header of a PGM or PPM: "P5", width, height and largest value, each behind white space, which may hold comments.
class PnmHeader {
 public:
  PnmHeader(std::span<std::byte const> file, std::string const& name)
      : text_(reinterpret_cast<const char*>(file.data()), file.size()), name_(name) {}

  std::int64_t channels() {
    const std::string_view magic = text_.substr(0, 2);
    if (magic.size() == 2 && magic[0] == 'P' && magic[1] >= '1' && magic[1] <= '7' && magic != "P5" && magic != "P6")
      throw npy::Unsupported(
          name_, "a netpbm file of kind " + std::string(magic) + "; a binary PGM (P5) or PPM (P6) is expected");
    if (magic != "P5" && magic != "P6") throw npy::Malformed(name_, "neither a binary PGM (P5) nor a PPM (P6) file");
    at_ = 2;
    return magic == "P5" ? 1 : 3;
  }

  std::int64_t number(std::string const& what, std::int64_t most) {
    const std::size_t before = at_;
    skip_space();
    std::int64_t value = 0;
    const std::size_t begin = at_;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_)
      value = std::min(10 * value + (text_[at_] - '0'), std::numeric_limits<std::int32_t>::max() + std::int64_t{1});
    if (at_ == text_.size()) throw npy::Malformed(name_, "it ends within the header");
    if (begin == before || begin == at_)
      throw npy::Malformed(name_, "the header has no " + what + " where one is expected");
    if (value < 1 || value > most)
      throw npy::Malformed(name_, "the " + what + " is " +
                                      std::string(text_.substr(begin, std::min(at_ - begin, kShown))) + "; 1 to " +
                                      std::to_string(most) + " is expected");
    return value;
  }

  // One character of white space ends the header.
  std::size_t end() {
    if (!is_space(text_[at_])) throw npy::Malformed(name_, "the header does not end in white space");
    return at_ + 1;
  }

 private:
  static constexpr std::size_t kShown = 20;  // digits in an error
  static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
  void skip_space() {
    for (bool comment = false; at_ < text_.size() && (comment || is_space(text_[at_]) || text_[at_] == '#'); ++at_)
      comment = text_[at_] == '#' || (comment && text_[at_] != '\n' && text_[at_] != '\r');
  }

  std::string_view text_;
  std::string const& name_;
  std::size_t at_ = 0;
};

template <class T>
void check_largest(Picture const& picture, std::int64_t largest, std::string const& name) {
  auto const* const pixels = reinterpret_cast<T const*>(picture.data.data());
  for (std::size_t i = 0; i < picture.data.size() / sizeof(T); ++i)
    if (pixels[i] > largest)
      throw npy::Malformed(name, "a pixel is " + std::to_string(pixels[i]) + ", the header says that " +
                                     std::to_string(largest) + " is the largest");
}

Picture read_pnm(std::span<std::byte const> file, std::string const& name) {
  if (file.empty()) throw npy::Malformed(name, "the file is empty");
  PnmHeader header(file, name);
  Picture picture;
  picture.channels = header.channels();
  picture.columns = header.number("width", std::numeric_limits<std::int32_t>::max());
  picture.lines = header.number("height", std::numeric_limits<std::int32_t>::max());
  const std::int64_t largest = header.number("largest value", kLargest16);
  picture.type = largest > kLargest8 ? Type::uint16 : Type::uint8;
  const auto pixels = file.subspan(header.end());
  allocate(picture, name);
  if (pixels.size() < picture.data.size())
    throw npy::Malformed(name, "truncated: it ends after " + std::to_string(pixels.size()) + " of " +
                                   std::to_string(picture.data.size()) + " bytes of pixels");
  std::memcpy(picture.data.data(), pixels.data(), picture.data.size());
  if (picture.type == Type::uint16) swap_bytes(picture.data.data(), picture.data.size());
  if (picture.type == Type::uint8) check_largest<std::uint8_t>(picture, largest, name);
  else check_largest<std::uint16_t>(picture, largest, name);
  return picture;
}

void write_pnm(npy::Sink& sink, View const& picture) {
  const std::string header = (picture.channels == 1 ? "P5\n" : "P6\n") + std::to_string(picture.columns) + ' ' +
                             std::to_string(picture.lines) + '\n' +
                             std::to_string(picture.type == Type::uint8 ? kLargest8 : kLargest16) + '\n';
  sink.write(header.data(), header.size());
  const std::size_t size =
      static_cast<std::size_t>(picture.lines * picture.columns * picture.channels) * size_of(picture.type);
  if (picture.type == Type::uint8) return sink.write(picture.data, size);
  npy::Buffer swapped;
  swapped.resize(size);
  std::memcpy(swapped.data(), picture.data, size);
  swap_bytes(swapped.data(), size);
  sink.write(swapped.data(), size);
}

}  // namespace

std::optional<Format> format_of(std::string_view path) {
  struct Ending {
    std::string_view text;
    Format format;
  };
  constexpr std::array kEndings{Ending{".png", Format::png}, Ending{".pgm", Format::pgm}, Ending{".ppm", Format::ppm},
                                Ending{".pnm", Format::pnm}};
  std::string ending(path.substr(path.size() - std::min<std::size_t>(path.size(), 4)));
  for (char& c : ending)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  for (Ending const& known : kEndings)
    if (ending == known.text) return known.format;
  return {};
}

void allocate(Picture& picture, std::string const& file) {
  auto bytes = static_cast<std::int64_t>(size_of(picture.type));
  bool overflows = false;
  for (const std::int64_t factor : {picture.lines, picture.columns, picture.channels})
    overflows = overflows || __builtin_mul_overflow(bytes, factor, &bytes);
  if (overflows || bytes > gpuconv::machine_memory())
    throw npy::TooLarge(file, "its " + std::to_string(picture.lines) + " x " + std::to_string(picture.columns) +
                                  " pixels are more than the " + std::to_string(gpuconv::machine_memory()) +
                                  " bytes that this process may use");
  picture.data.resize(static_cast<std::size_t>(bytes));
}

Picture read(npy::Source& source, Format format) {
  const npy::Buffer file = read_all(source);
  const std::span<std::byte const> bytes(file.data(), file.size());
  return format == Format::png ? read_png(bytes, source.name()) : read_pnm(bytes, source.name());
}

void check_format(View const& picture, Format format, std::string const& file) {
  const bool fits = format == Format::png   ? picture.channels <= 4
                    : format == Format::pgm ? picture.channels == 1
                    : format == Format::ppm ? picture.channels == 3
                                            : picture.channels == 1 || picture.channels == 3;
  constexpr const char* kExpected[] = {"a PNG has 1 to 4 channels", "a PGM has 1 channel", "a PPM has 3 channels",
                                       "a PNM has 1 or 3 channels"};
  if (!fits)
    throw npy::Unsupported(file, std::string(kExpected[static_cast<int>(format)]) + ", the result has " +
                                     std::to_string(picture.channels));
  if (!can_hold(picture.type))
    throw npy::Unsupported(file, "a picture holds uint8 or uint16, the result is " + std::string(name(picture.type)));
  if (std::max(picture.lines, picture.columns) > std::numeric_limits<std::int32_t>::max())
    throw npy::Unsupported(file, "a picture has at most 2147483647 lines and columns, the result has " +
                                     std::to_string(picture.lines) + " x " + std::to_string(picture.columns));
}

void write(npy::Sink& sink, View const& picture, Format format) {
  if (format != Format::png) return write_pnm(sink, picture);
  const npy::Buffer file = png_of(picture, sink.name());
  sink.write(file.data(), file.size());
}

}  // namespace picture

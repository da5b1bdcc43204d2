// PNG by libpng, which jumps out of its functions where something is wrong: it is called within `guarded` alone, from
// functions that own nothing there.
#include "pictures.hpp"

#include "npy.hpp"

#include <gpuconv/error.hpp>

#include <png.h>

#include <algorithm>
#include <array>
#include <bit>
#include <csetjmp>
#include <cstring>
#include <new>
#include <utility>

namespace picture {

using gpuconv::Type;

namespace {

// What libpng said before it jumped.
using Complaint = std::array<char, 128>;

void keep_complaint(png_structp png, png_const_charp text) {
  auto& kept = *static_cast<Complaint*>(png_get_error_ptr(png));
  std::strncpy(kept.data(), text, kept.size() - 1);
  png_longjmp(png, 1);
}
void ignore_warning(png_structp, png_const_charp) {}

// Returns whether `calls` came to their end. They own nothing that would have to be destroyed.
template <class F>
bool guarded(png_structp png, F const& calls) {
  if (setjmp(png_jmpbuf(png))) return false;  // NOLINT(modernize-avoid-setjmp-longjmp)
  calls();
  return true;
}

// A reader of libpng's and the bytes that it has not read yet.
class Decoder {
 public:
  Decoder(std::span<std::byte const> file, std::string const& name) : file_(file), name_(name) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &complaint_, keep_complaint, ignore_warning);
    info_ = png_ ? png_create_info_struct(png_) : nullptr;
    if (!info_) throw std::bad_alloc();
  }
  Decoder(Decoder const&) = delete;
  Decoder& operator=(Decoder const&) = delete;
  ~Decoder() { png_destroy_read_struct(&png_, &info_, nullptr); }

  Picture decode() {
    Picture picture;
    const auto take_shape = [&] {
      picture.type = png_get_bit_depth(png_, info_) == 16 ? Type::uint16 : Type::uint8;
      picture.lines = png_get_image_height(png_, info_);
      picture.columns = png_get_image_width(png_, info_);
      picture.channels = png_get_channels(png_, info_);
    };
    call([&] {
      png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
      png_set_read_fn(png_, this, next_bytes);
      png_read_info(png_, info_);
      take_shape();
    });
    allocate(picture, name_);  // before libpng has memory for lines that may be no lines at all
    call([&] {
      png_set_expand(png_);  // palettes to colours, fewer than 8 bits to 8, a transparent colour to a channel
      if (picture.type == Type::uint16 && std::endian::native == std::endian::little) png_set_swap(png_);
      passes_ = png_set_interlace_handling(png_);
      png_read_update_info(png_, info_);
      take_shape();
    });
    allocate(picture, name_);
    const std::size_t line = picture.data.size() / static_cast<std::size_t>(picture.lines);
    call([&] {
      for (int pass = 0; pass < passes_; ++pass)
        for (std::int64_t l = 0; l < picture.lines; ++l)
          png_read_row(png_, reinterpret_cast<png_bytep>(picture.data.data()) + static_cast<std::size_t>(l) * line,
                       nullptr);
      png_read_end(png_, nullptr);
    });
    return picture;
  }

 private:
  template <class F>
  void call(F const& calls) {
    if (!guarded(png_, calls)) throw npy::Malformed(name_, std::string("not a sound PNG file: ") + complaint_.data());
  }

  static void next_bytes(png_structp png, png_bytep to, std::size_t size) {
    auto& left = static_cast<Decoder*>(png_get_io_ptr(png))->file_;
    if (size > left.size()) png_error(png, "truncated");
    std::memcpy(to, left.data(), size);
    left = left.subspan(size);
  }

  std::span<std::byte const> file_;
  std::string const& name_;
  Complaint complaint_{};
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  int passes_ = 1;
};

// A writer of libpng's and the bytes that it has written.
class Encoder {
 public:
  explicit Encoder(std::string const& name) : name_(name) {
    png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, &complaint_, keep_complaint, ignore_warning);
    info_ = png_ ? png_create_info_struct(png_) : nullptr;
    if (!info_) throw std::bad_alloc();
  }
  Encoder(Encoder const&) = delete;
  Encoder& operator=(Encoder const&) = delete;
  ~Encoder() { png_destroy_write_struct(&png_, &info_); }

  npy::Buffer encode(View const& picture) {
    constexpr std::array kColours{PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                                  PNG_COLOR_TYPE_RGB_ALPHA};
    const int colour = kColours[static_cast<std::size_t>(picture.channels - 1)];
    const int depth = picture.type == Type::uint16 ? 16 : 8;
    const std::int64_t line = picture.columns * picture.channels * static_cast<std::int64_t>(size_of(picture.type));
    const bool done = guarded(png_, [&] {
      png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
      png_set_write_fn(png_, this, keep_bytes, nullptr);
      png_set_IHDR(png_, info_, static_cast<png_uint_32>(picture.columns), static_cast<png_uint_32>(picture.lines),
                   depth, colour, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
      png_write_info(png_, info_);
      if (depth == 16 && std::endian::native == std::endian::little) png_set_swap(png_);
      for (std::int64_t l = 0; l < picture.lines; ++l)
        png_write_row(png_, reinterpret_cast<png_const_bytep>(picture.data + l * line));
      png_write_end(png_, nullptr);
    });
    if (!done) throw npy::Unsupported(name_, std::string("no PNG can be written: ") + complaint_.data());
    written_.resize(size_);
    return std::move(written_);
  }

 private:
  static void keep_bytes(png_structp png, png_bytep from, std::size_t size) {
    if (!static_cast<Encoder*>(png_get_io_ptr(png))->keep(from, size)) png_error(png, "out of memory");
  }
  // Returns whether there was memory. No exception may pass through libpng.
  bool keep(png_const_bytep from, std::size_t size) noexcept {
    try {
      if (size_ + size > written_.size()) written_.resize(std::max(size_ + size, 2 * written_.size()));
    } catch (gpuconv::OutOfMemory const&) {
      return false;
    }
    std::memcpy(written_.data() + size_, from, size);
    size_ += size;
    return true;
  }

  std::string const& name_;
  npy::Buffer written_;
  std::size_t size_ = 0;  // of what is in it
  Complaint complaint_{};
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

}  // namespace

Picture read_png(std::span<std::byte const> file, std::string const& name) {
  if (file.empty()) throw npy::Malformed(name, "the file is empty");
  constexpr std::size_t kSignature = 8;
  if (png_sig_cmp(reinterpret_cast<png_const_bytep>(file.data()), 0, std::min(file.size(), kSignature)) != 0)
    throw npy::Malformed(name, "not a PNG file");
  return Decoder(file, name).decode();
}

npy::Buffer png_of(View const& picture, std::string const& name) { return Encoder(name).encode(picture); }

}  // namespace picture

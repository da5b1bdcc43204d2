// Filters of images: small ones of two dimensions, and those that are one line times one column.
#include "../text.hpp"
#include "../view_checks.hpp"
#include "checks.hpp"

#include <gpuconv/error.hpp>

#include <cmath>

namespace gpuconv::recipes {

using namespace gpuconv::detail;

namespace {

// Convolves with taps of `lines` lines, whose middle one is at each output's pixel.
void convolve_image(HostInput const& images, std::vector<double> const& taps, std::int64_t lines, HostOutput const& out,
                    Beyond const& beyond, Options const& options) {
  convolve_centred(images, taps, out, beyond, options, {.signal = images.lines(), .filter = lines});
}

// Memory of the output's shape.
template <class R>
class Scratch {
 public:
  explicit Scratch(HostOutput const& like)
      : numbers_(zeros<R>(saturating_multiply(saturating_multiply(like.rows(), like.lines()), like.columns()))),
        shape_{.images = like.rows(), .lines = like.lines(), .columns = like.columns()} {}

  HostView<R> view() { return {numbers_.data(), shape_}; }

 private:
  std::vector<R> numbers_;
  Images shape_;
};

template <class R>
void blur(HostInput const& images, HostOutput const& out, GaussianBlur const& how) {
  const std::vector<double> taps = gaussian_taps(how.sigma, 0, how.truncate);
  const Beyond beyond{how.boundary, how.constant};
  check_view(images, "image", images.rows(), images.lines(), images.columns(), images.type());
  check_view(out, "output", images.rows(), images.lines(), images.columns(), out.type());
  check_apart(images, out);
  Scratch<R> between(out);
  convolve_image(images, taps, std::ssize(taps), between.view(), beyond, how.options);
  convolve_image(between.view(), taps, 1, out, beyond, how.options);
}

// f(a line of `images` as numbers of R, the same line of `out`).
template <class R, class F>
void for_each_line(HostInput const& images, HostOutput const& out, F const& f) {
  std::vector<R> numbers = zeros<R>(images.columns());
  for (std::int64_t image = 0; image < images.rows(); ++image)
    for (std::int64_t line = 0; line < images.lines(); ++line) {
      read(line_of(images, image, line), 0, 0, images.columns(), numbers.data());
      f(numbers, line_of(out, image, line));
    }
}

void refuse_complex(HostInput const& images, HostOutput const& out) {
  if (is_complex(images.type()) || is_complex(out.type()))
    throw InvalidArgument("this recipe is of real numbers: take the parts of complex ones by themselves");
}

}  // namespace

void sobel(HostInput images, HostOutput out, Sobel const& how) {
  guarded([&] {
    const std::vector<double> down{1, 2, 1, 0, 0, 0, -1, -2, -1}, across{1, 0, -1, 2, 0, -2, 1, 0, -1};
    const Beyond beyond{how.boundary, how.constant};
    if (how.axis && *how.axis != 0 && *how.axis != 1)
      throw InvalidArgument(text("the axis is ", *how.axis, ", 0 or 1 is expected"));
    if (how.axis) return convolve_image(images, *how.axis == 0 ? down : across, 3, out, beyond, how.options);
    refuse_complex(images, out);
    convolve_image(images, across, 3, out, beyond, how.options);
    visit_result(out.type(), [&]<class R>(std::type_identity<R>) {
      if constexpr (!is_complex(type_of<R>)) {
        Scratch<R> slopes(out);
        convolve_image(images, down, 3, slopes.view(), beyond, how.options);
        for_each_line<R>(slopes.view(), out, [](std::vector<R> const& slope, HostOutput const& line) {
          for (std::int64_t k = 0; k < line.columns(); ++k)
            element<R>(line, 0, k) = std::hypot(element<R>(line, 0, k), slope[static_cast<std::size_t>(k)]);
        });
      }
    });
  });
}

void laplacian(HostInput images, HostOutput out, Laplacian const& how) {
  guarded([&] {
    convolve_image(images, {0, 1, 0, 1, -4, 1, 0, 1, 0}, 3, out, {how.boundary, how.constant}, how.options);
  });
}

void gaussian_blur(HostInput images, HostOutput out, GaussianBlur const& how) {
  guarded([&] { visit_result(out.type(), [&]<class R>(std::type_identity<R>) { blur<R>(images, out, how); }); });
}

void unsharp_mask(HostInput images, HostOutput out, UnsharpMask const& how) {
  guarded([&] {
    refuse_complex(images, out);
    if (!std::isfinite(how.amount)) throw InvalidArgument(text("the amount is ", how.amount));
    const GaussianBlur blurred{how.sigma, how.truncate, how.boundary, how.constant, how.options};
    visit_result(out.type(), [&]<class R>(std::type_identity<R>) {
      if constexpr (!is_complex(type_of<R>)) {
        blur<R>(images, out, blurred);
        const R amount = static_cast<R>(how.amount);
        for_each_line<R>(images, out, [&](std::vector<R> const& pixels, HostOutput const& line) {
          for (std::int64_t k = 0; k < line.columns(); ++k) {
            const R pixel = pixels[static_cast<std::size_t>(k)];
            element<R>(line, 0, k) = pixel + amount * (pixel - element<R>(line, 0, k));
          }
        });
      }
    });
  });
}

}  // namespace gpuconv::recipes

// Recipes: what people convolve for, each a few lines over the calls and plans of this library.
//
// A recipe takes a signal, its own options as one aggregate, and gives as many outputs as the signal has samples unless
// it says otherwise: `recipes::gaussian(x, {.sigma = 2})`. Ranges give a vector; views of rows are written into an
// output of the same shape, every row by itself. Results are float32 where that holds what is given (float32, 16-bit
// floats, integers of 8 and 16 bits), else float64, or complex of either; the type of an output that is passed may be
// wider. Filters are computed in float64 and rounded once to the type of the result; those that a Plan can use are
// functions of their own.
//
// All throw InvalidArgument for windows, numbers and shapes that make no sense, and else as `Plan` does.
#pragma once

#include <gpuconv/convolve.hpp>

#include <cstdint>
#include <optional>
#include <ranges>
#include <vector>

namespace gpuconv {
/// Recipes: what people convolve for.
namespace recipes {

namespace detail {

using gpuconv::detail::ElementRange;

// The result type of a recipe.
template <class S>
using Smooth = result_t<std::ranges::range_value_t<S>, float>;

GPUCONV_API HostOutput allocated(gpuconv::detail::Allocate allocate, void* result, std::int64_t length, Type type);

// A vector of `length` elements that `write` fills.
template <class R, class F>
std::vector<R> made(std::int64_t length, F const& write) {
  std::vector<R> out;
  write(allocated(gpuconv::detail::resized<R>, &out, length, type_of<R>));
  return out;
}
template <class S, class F>
auto as_long_as(S const& signal, F const& write) {
  return made<Smooth<S>>(static_cast<std::int64_t>(std::ranges::size(signal)), write);
}

}  // namespace detail

// Taps. Filters to convolve with; their middle is the tap at (size - 1) / 2, where Same::scipy has its outputs.

/// `window` taps of 1 / `window`. Throws InvalidArgument for a window that is not positive and odd.
GPUCONV_API std::vector<double> box_taps(std::int64_t window);

/// A Gaussian of standard deviation `sigma`, in samples, or its derivative of order `order` (at most 30), to
/// int(truncate sigma + 1/2) samples on either side. The taps of order 0 add up to 1; derivatives are the polynomial of
/// that order times these taps. Source: scipy.ndimage.gaussian_filter1d. Throws InvalidArgument for a sigma that is not
/// positive and finite, a truncate that is not positive and finite or makes more than 2^31 samples, and for another
/// order.
GPUCONV_API std::vector<double> gaussian_taps(double sigma, int order = 0, double truncate = 4);

/// The filter whose outputs are the `derivative`th derivative, at sample `position` (the middle one if none is given),
/// of the polynomial of degree `degree` that fits `window` samples, `spacing` apart, with the least squares. Source:
/// Savitzky and Golay (1964), as scipy.signal.savgol_coeffs (use "conv"); by polynomials that are orthogonal on the
/// samples (Forsythe, 1957), so that no system of equations is solved. Throws InvalidArgument for a window that is not
/// positive and odd, a degree that is negative or not below the window, a negative derivative, a spacing that is not
/// finite or 0, and a position out of the window.
GPUCONV_API std::vector<double> savgol_taps(std::int64_t window, int degree, int derivative = 0, double spacing = 1,
                                            std::optional<std::int64_t> position = {});

/// {1, 0, -1} / (2 spacing): by convolution, which reverses the filter, the slope at the middle one of three samples.
/// Throws InvalidArgument for a spacing that is not finite or 0.
GPUCONV_API std::vector<double> central_difference_taps(double spacing = 1);

// Smoothing and slopes.

struct MovingAverage {
  std::int64_t window = 0;  ///< samples, odd
  /// None: windows end where the signal does, and those samples are averaged that are there; the window may then not
  /// be longer than the signal. One: what is there, as scipy.ndimage.uniform_filter1d.
  std::optional<Boundary> boundary = {};
  double constant = 0;   ///< the value there, where the boundary is `constant`
  Options options = {};  ///< of the plan
};
/// The mean of the samples of a window about each sample.
GPUCONV_API void moving_average(HostInput signal, HostOutput out, MovingAverage const& how);
template <detail::ElementRange S>
auto moving_average(S const& signal, MovingAverage const& how) {
  return detail::as_long_as(signal, [&](HostOutput out) { moving_average(HostInput(signal), out, how); });
}

struct Gradient {
  double spacing = 1;  ///< from one sample to the next; may be negative
  /// The slope at the ends: 1, of the first and the last two samples; 2, of the parabola through the last three.
  int edge_order = 1;
  Options options = {};
};
/// numpy.gradient(signal, spacing, edge_order): central differences, divided last, so that samples with a large offset
/// lose nothing. Throws InvalidArgument for fewer than edge_order + 1 samples.
GPUCONV_API void gradient(HostInput signal, HostOutput out, Gradient const& how = {});
template <detail::ElementRange S>
auto gradient(S const& signal, Gradient const& how = {}) {
  return detail::as_long_as(signal, [&](HostOutput out) { gradient(HostInput(signal), out, how); });
}

struct Gaussian {
  double sigma = 0;  ///< standard deviation, in samples
  int order = 0;     ///< of the derivative
  double truncate = 4;
  Boundary boundary = Boundary::reflect;
  double constant = 0;
  Options options = {};
};
/// scipy.ndimage.gaussian_filter1d: convolved with `gaussian_taps`.
GPUCONV_API void gaussian(HostInput signal, HostOutput out, Gaussian const& how);
template <detail::ElementRange S>
auto gaussian(S const& signal, Gaussian const& how) {
  return detail::as_long_as(signal, [&](HostOutput out) { gaussian(HostInput(signal), out, how); });
}

struct SavitzkyGolay {
  std::int64_t window = 0;  ///< samples, odd
  int degree = 0;           ///< of the polynomial, below the window
  int derivative = 0;
  double spacing = 1;
  /// None: outputs near the ends are of the polynomial that fits the first or the last whole window (SciPy's mode
  /// "interp"); the window may then not be longer than the signal. One: SciPy's mode of that name.
  std::optional<Boundary> boundary = {};
  double constant = 0;
  Options options = {};
};
/// scipy.signal.savgol_filter: convolved with `savgol_taps`.
GPUCONV_API void savitzky_golay(HostInput signal, HostOutput out, SavitzkyGolay const& how);
template <detail::ElementRange S>
auto savitzky_golay(S const& signal, SavitzkyGolay const& how) {
  return detail::as_long_as(signal, [&](HostOutput out) { savitzky_golay(HostInput(signal), out, how); });
}

struct Fir {
  /// Samples by which the filter delays what it passes, which are taken off: output i is the full convolution's number
  /// i + delay. None: (taps - 1) / 2, the group delay of a linear-phase filter: an odd number of taps that are the same
  /// backwards, up to their sign or conjugated. 0: outputs as they come from a filter in a device
  /// (scipy.signal.lfilter).
  std::optional<std::int64_t> delay = {};
  std::int64_t step = 1;  ///< every so many outputs are kept: decimation, without computing the others in direct sums
  Boundary boundary = Boundary::zero;
  double constant = 0;
  Options options = {};
};
/// Filters every row with `taps`, one row, which may be complex; out has (columns + step - 1) / step outputs a row. The
/// result type is that of convolve(). Throws InvalidArgument, besides, for taps whose delay is not given and which have
/// no whole one.
GPUCONV_API void fir(HostInput signal, HostInput taps, HostOutput out, Fir const& how = {});
/// Outputs of `fir` for so many samples. Throws InvalidArgument for a step below 1.
GPUCONV_API std::int64_t fir_length(std::int64_t samples, Fir const& how);
template <detail::ElementRange S, detail::ElementRange T>
auto fir(S const& signal, T const& taps, Fir const& how = {}) {
  using Result = result_t<std::ranges::range_value_t<S>, std::ranges::range_value_t<T>>;
  return detail::made<Result>(fir_length(static_cast<std::int64_t>(std::ranges::size(signal)), how),
                              [&](HostOutput out) { fir(HostInput(signal), HostInput(taps), out, how); });
}

// Patterns: where a signal is like a pattern of m samples. Output k is of the window of m samples that starts at sample
// k, so there are as many as places where the pattern fits.

/// Places where a pattern fits: samples - pattern + 1. Throws InvalidArgument for a pattern that is longer than the
/// signal, or none.
GPUCONV_API std::int64_t match_length(std::int64_t samples, std::int64_t pattern);

/// The matched filter of `pattern`: the sum of its conjugate's products with each window, divided by the root of the
/// pattern's energy. White noise keeps its standard deviation, and a times the pattern gives a times that root, the
/// largest output that any filter makes of it beside such noise. out has `match_length` outputs a row. Throws
/// InvalidArgument, besides, for a pattern of zeros or with what is not finite.
GPUCONV_API void matched_filter(HostInput signal, HostInput pattern, HostOutput out, Options const& options = {});
template <detail::ElementRange S, detail::ElementRange P>
auto matched_filter(S const& signal, P const& pattern, Options const& options = {}) {
  using Result = result_t<result_t<std::ranges::range_value_t<S>, std::ranges::range_value_t<P>>, float>;
  return detail::made<Result>(match_length(std::ssize(signal), std::ssize(pattern)), [&](HostOutput out) {
    matched_filter(HostInput(signal), HostInput(pattern), out, options);
  });
}

/// The correlation coefficient of `pattern` with each window of real samples, whatever their means and scales are: 1
/// where they are the same up to an offset and a positive factor, -1 for a negative one, never beyond; 0 where the
/// window is flat (all its samples equal), NaN where it holds what is not finite. numpy.corrcoef of every window, and
/// in one dimension what OpenCV calls TM_CCOEFF_NORMED and scikit-image match_template. Computed in double precision;
/// means and variances of windows are merged from parts, and never a difference of large sums. out has
/// `match_length` outputs a row. Throws InvalidArgument, besides, for a pattern that is flat (of one sample, for one)
/// or has what is not finite, and for complex numbers.
GPUCONV_API void match(HostInput signal, HostInput pattern, HostOutput out, Options const& options = {});
template <detail::ElementRange S, detail::ElementRange P>
auto match(S const& signal, P const& pattern, Options const& options = {}) {
  return detail::made<detail::Smooth<S>>(match_length(std::ssize(signal), std::ssize(pattern)), [&](HostOutput out) {
    match(HostInput(signal), HostInput(pattern), out, options);
  });
}

/// A place where a signal is like a pattern.
struct Found {
  std::int64_t index;  ///< the window's first sample
  double score;        ///< as `match` has it

  bool operator==(Found const&) const = default;
};
struct Find {
  double threshold = 0.8;  ///< the least score that is a match
  /// Samples from a match to the next one at least: of matches that are closer to each other the better one counts.
  /// None: as many as the pattern has, so that matches do not overlap.
  std::optional<std::int64_t> apart = {};
  Options options = {};
};
/// The places in one row where `match` is `how.threshold` or more, in their order. Throws as `match`, and
/// InvalidArgument for a threshold that is NaN, an `apart` below 1 and more than one row.
GPUCONV_API std::vector<Found> find(HostInput signal, HostInput pattern, Find const& how = {});

// Gaps: samples that are missing, because they are NaN or a mask says so.

/// What becomes of missing samples: they are left out of the sums, whose weights are divided by what is left of them,
/// or a value takes their place.
enum class Missing : std::uint8_t { interpolate, fill };

struct Gaps {
  Missing missing = Missing::interpolate;
  double fill = 0;        ///< the value, where missing is `fill`
  bool normalise = true;  ///< divides the filter by the sum of its taps
  bool keep = false;      ///< outputs in the places of missing samples are NaN
  /// uint8 numbers, a row for all rows of the signal or one for each: samples where it is not 0 are missing, too.
  std::optional<HostInput> mask = {};
  /// Zero: there is nothing beyond the ends, which is like missing samples where those are interpolated. astropy's
  /// "fill" is `constant`, its "extend" `nearest`.
  Boundary boundary = Boundary::zero;
  double constant = 0;
  Options options = {};
};
/// Convolves every row of real numbers with `filter`, an odd number of real taps in one row whose middle one is at each
/// output's sample, around what is missing. With p = 1 where a sample is there, else 0, interpolating gives (filter *
/// signal p) / (filter * p), times the sum of the taps unless they are normalised, and NaN where a window holds no
/// sample. Source: astropy.convolution.convolve. Samples that are infinite are there. Throws InvalidArgument, besides,
/// for taps that are not finite, and for those that add up to 1e-8 or less of their magnitudes unless nothing is
/// divided by their sum.
GPUCONV_API void convolve_gaps(HostInput signal, HostInput filter, HostOutput out, Gaps const& how = {});
template <detail::ElementRange S, detail::ElementRange F>
auto convolve_gaps(S const& signal, F const& filter, Gaps const& how = {}) {
  return detail::as_long_as(signal,
                            [&](HostOutput out) { convolve_gaps(HostInput(signal), HostInput(filter), out, how); });
}

// Images: views of `Images` in, a view of the same shape out; every image by itself. Boundaries are as in one
// dimension, along both axes; the default is scipy.ndimage's.

struct Sobel {
  /// The axis along which the slope is taken: 0, from line to line; 1, from column to column. None: the root of the sum
  /// of the squares of both.
  std::optional<int> axis = {};
  Boundary boundary = Boundary::reflect;
  double constant = 0;
  Options options = {};
};
/// scipy.ndimage.sobel: differences {-1, 0, 1} along an axis, weighted {1, 2, 1} along the other: eight times the
/// slope. Of real numbers where no axis is named.
GPUCONV_API void sobel(HostInput images, HostOutput out, Sobel const& how = {});

struct Laplacian {
  Boundary boundary = Boundary::reflect;
  double constant = 0;
  Options options = {};
};
/// scipy.ndimage.laplace: the four neighbours less four times the pixel.
GPUCONV_API void laplacian(HostInput images, HostOutput out, Laplacian const& how = {});

struct GaussianBlur {
  double sigma = 0;  ///< standard deviation, in pixels
  double truncate = 4;
  Boundary boundary = Boundary::reflect;
  double constant = 0;
  Options options = {};
};
/// scipy.ndimage.gaussian_filter: `gaussian_taps` along the columns, then along the lines.
GPUCONV_API void gaussian_blur(HostInput images, HostOutput out, GaussianBlur const& how);

struct UnsharpMask {
  double sigma = 1;   ///< of the blur, in pixels
  double amount = 1;  ///< how much of what the blur takes away is added
  double truncate = 4;
  Boundary boundary = Boundary::reflect;
  double constant = 0;
  Options options = {};
};
/// image + amount (image - blurred image), as skimage.filters.unsharp_mask without its clipping: of real numbers, at
/// their own scale. Throws InvalidArgument, besides, for an amount that is not finite.
GPUCONV_API void unsharp_mask(HostInput images, HostOutput out, UnsharpMask const& how = {});

/// `match` in two dimensions: the correlation coefficient of the template, one image, with each window of its shape.
/// out is `[images][lines - template lines + 1][columns - template columns + 1]`. OpenCV's TM_CCOEFF_NORMED and
/// skimage.feature.match_template (without padding); here flat windows score 0, in double precision as `match`.
GPUCONV_API void match_template(HostInput images, HostInput pattern, HostOutput out, Options const& options = {});

}  // namespace recipes
}  // namespace gpuconv

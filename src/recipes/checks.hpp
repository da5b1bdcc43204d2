// What recipes refuse, and what they have in common: rows that are read as numbers of the result, taps about a middle.
#pragma once

#include "../problem.hpp"

#include <gpuconv/recipes.hpp>

#include <algorithm>
#include <complex>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace gpuconv::recipes {

// Each throws InvalidArgument.
void check_window(std::int64_t window);                                ///< positive and odd
void check_window_fits(std::int64_t window, HostInput const& signal);  ///< not longer than a row
void check_positive(double value, const char* what);                   ///< and finite
void check_spacing(double spacing);                                    ///< finite, not 0
/// A type that recipes write: float32, float64, complex64 or complex128.
void check_result_type(Type type);

/// So many zeros. Throws OutOfMemory.
template <class T>
std::vector<T> zeros(std::int64_t count) {
  gpuconv::detail::check_fits(static_cast<double>(count) * sizeof(T));
  return std::vector<T>(static_cast<std::size_t>(count));
}

/// What lies beyond the ends of rows.
struct Beyond {
  Boundary boundary = Boundary::zero;
  double constant = 0;
};

/// Convolves every row, or image, with `taps`, rounded to the type of the output, whose middle one is at each output's
/// sample. `lines`: of an image and of the taps, which lie line by line. Checks all that a plan does: views, types,
/// what overlaps.
void convolve_centred(HostInput const& signal, std::vector<double> const& taps, HostOutput const& out,
                      Beyond const& beyond, Options const& options, Lines const& lines = {});

/// Where a stretch of a row's outputs is, which are computed together.
struct RowStretch {
  std::int64_t row, first, outputs;
};

/// Rows of outputs in stretches so long that the overlap of their samples, which a filter of `taps` makes, costs
/// little. The last one of a row may be shorter.
class RowStretches {
 public:
  RowStretches(HostOutput const& out, std::int64_t taps);

  std::int64_t outputs() const { return outputs_; }
  std::int64_t count() const { return count_; }
  RowStretch operator[](std::int64_t number) const {
    const std::int64_t first = number % per_row_ * outputs_;
    return {number / per_row_, first, std::min(outputs_, columns_ - first)};
  }

 private:
  std::int64_t columns_, outputs_, per_row_, count_;
};

/// Calls `f` with the C++ type of what a recipe writes.
template <class F>
decltype(auto) visit_result(Type type, F&& f) {
  check_result_type(type);
  switch (type) {
    case Type::float32:
      return f(std::type_identity<float>{});
    case Type::float64:
      return f(std::type_identity<double>{});
    case Type::complex64:
      return f(std::type_identity<std::complex<float>>{});
    default:
      return f(std::type_identity<std::complex<double>>{});
  }
}

/// Element `column` of a row.
template <class T>
T& element(HostOutput const& view, std::int64_t row, std::int64_t column) {
  return static_cast<T*>(view.data())[row * view.stride() + column * view.element_stride()];
}

/// One line of an image, as a row.
template <class Void>
gpuconv::AnyHostView<Void> line_of(gpuconv::AnyHostView<Void> const& images, std::int64_t image, std::int64_t line) {
  using Bytes = std::conditional_t<std::is_const_v<Void>, char const, char>;
  const std::int64_t first = image * images.stride() + line * images.line_stride();
  return {static_cast<Bytes*>(images.data()) + first * static_cast<std::int64_t>(size_of(images.type())), images.type(),
          Rows{.columns = images.columns(), .element_stride = images.element_stride()}};
}

/// Converts `count` samples of a row, from `first` on, to numbers of type R. Complex samples need a complex R.
template <class R>
void read(HostInput const& signal, std::int64_t row, std::int64_t first, std::int64_t count, R* to);

}  // namespace gpuconv::recipes

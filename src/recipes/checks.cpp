#include "checks.hpp"

#include "../problem.hpp"
#include "../text.hpp"

#include <gpuconv/error.hpp>

#include <algorithm>
#include <cmath>

namespace gpuconv::recipes {

using namespace gpuconv::detail;

void check_window(std::int64_t window) {
  if (window < 1 || window % 2 == 0)
    throw InvalidArgument(text("a window of ", window, " samples has no middle: a positive odd number is expected"));
}

void check_window_fits(std::int64_t window, HostInput const& signal) {
  if (window > signal.columns())
    throw InvalidArgument(text("the window of ", window, " samples is longer than the signal, which has ",
                               signal.columns(), ": with a boundary it may be"));
}

void check_positive(double value, const char* what) {
  if (!(value > 0) || !std::isfinite(value))
    throw InvalidArgument(text(what, " is ", value, ", a positive finite number is expected"));
}

void check_spacing(double spacing) {
  if (!std::isfinite(spacing) || spacing == 0)
    throw InvalidArgument(text("the spacing is ", spacing, ", a finite number other than 0 is expected"));
}

void check_result_type(Type type) {
  if (type != Type::float32 && type != Type::float64 && type != Type::complex64 && type != Type::complex128)
    throw InvalidArgument(
        text("the output is ", name(type), "; recipes write float32, float64, complex64 or complex128"));
}

void convolve_centred(HostInput const& signal, std::vector<double> const& taps, HostOutput const& out,
                      Beyond const& beyond, Options const& options, Lines const& lines) {
  check_result_type(out.type());
  const Type tap = part_type(out.type());
  const Images shape{.lines = lines.filter, .columns = std::ssize(taps) / lines.filter};
  Plan plan({.signal = signal.columns(),
             .filter = shape.columns,
             .batch = signal.rows(),
             .mode = Mode::same,
             .same = Same::scipy,
             .type = signal.type(),
             .filter_type = tap,
             .result_type = out.type(),
             .boundary = beyond.boundary,
             .constant = beyond.constant,
             .lines = lines},
            options);
  const std::vector<float> narrow(taps.begin(), taps.end());
  if (tap == Type::float32) plan.set_filter(HostView(narrow.data(), shape));
  else plan.set_filter(HostView(taps.data(), shape));
  plan.execute(signal, out);
}

namespace {
constexpr std::int64_t kLeastOutputs = 8192, kFiltersInAStretch = 8;
}  // namespace

RowStretches::RowStretches(HostOutput const& out, std::int64_t taps)
    : columns_(out.columns()),
      outputs_(std::min(columns_, std::max(kLeastOutputs, saturating_multiply(kFiltersInAStretch, taps)))),
      per_row_((columns_ + outputs_ - 1) / outputs_),
      count_(saturating_multiply(per_row_, out.rows())) {}

template <class R>
void read(HostInput const& signal, std::int64_t row, std::int64_t first, std::int64_t count, R* to) {
  visit_type(signal.type(), [&]<class T>(std::type_identity<T>) {
    const std::int64_t stride = signal.element_stride();
    const T* from = static_cast<const T*>(signal.data()) + row * signal.stride() + first * stride;
    if constexpr (is_complex(type_of<T>) && !is_complex(type_of<R>)) {
      throw InvalidArgument(text("the signal is ", name(signal.type()), ", the output ", name(type_of<R>)));
    } else if constexpr (is_complex(type_of<R>)) {
      using Part = typename R::value_type;
      for (std::int64_t i = 0; i < count; ++i)
        if constexpr (is_complex(type_of<T>))
          to[i] = R(static_cast<Part>(from[i * stride].real()), static_cast<Part>(from[i * stride].imag()));
        else to[i] = R(static_cast<Part>(from[i * stride]));
    } else {
      if (stride == 1) std::transform(from, from + count, to, [](T v) { return static_cast<R>(v); });
      else
        for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<R>(from[i * stride]);
    }
  });
}
template void read(HostInput const&, std::int64_t, std::int64_t, std::int64_t, float*);
template void read(HostInput const&, std::int64_t, std::int64_t, std::int64_t, double*);
template void read(HostInput const&, std::int64_t, std::int64_t, std::int64_t, std::complex<float>*);
template void read(HostInput const&, std::int64_t, std::int64_t, std::int64_t, std::complex<double>*);

HostOutput detail::allocated(gpuconv::detail::Allocate allocate, void* result, std::int64_t length, Type type) {
  return guarded([&] {
    check_fits(static_cast<double>(length) * static_cast<double>(size_of(type)));
    return allocate(result, length);
  });
}

}  // namespace gpuconv::recipes

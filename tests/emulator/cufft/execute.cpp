#include "execute.hpp"

#include <limits>
#include <vector>

#include "transform.hpp"

namespace standin {
namespace {

/// How many elements a row has on one side.
std::int64_t row_length(const Shape& shape, bool real, bool other_is_real) {
  return !real && other_is_real ? shape.size / 2 + 1 : shape.size;
}
std::int64_t in_length(const Shape& shape) {
  return row_length(shape, reads_real(shape.type), writes_real(shape.type));
}
std::int64_t out_length(const Shape& shape) {
  return row_length(shape, writes_real(shape.type), reads_real(shape.type));
}

std::size_t span(const Shape& shape, const Layout& layout, std::int64_t length, bool real) {
  const std::int64_t elements = (shape.batch - 1) * layout.distance + (length - 1) * layout.stride + 1;
  return static_cast<std::size_t>(elements) * (is_double(shape.type) ? sizeof(double) : sizeof(float)) * (real ? 1 : 2);
}

/// A row's elements in device memory.
template <class T>
struct Row {
  T* data;  ///< of the first real number
  std::int64_t stride;
  bool real;

  T* element(std::int64_t k) const { return data + k * stride * (real ? 1 : 2); }
};

template <class T>
Row<T> row(void* data, const Layout& layout, bool real, std::int64_t index) {
  const Row<T> first{static_cast<T*>(data), 1, real};
  return {first.element(index * layout.distance), layout.stride, real};
}

template <class T, class Wide>
void load(const Shape& shape, const Row<T>& from, std::vector<Complex<Wide>>& values) {
  const std::int64_t length = in_length(shape);
  for (std::int64_t k = 0; k < length; ++k) {
    const T* const element = from.element(k);
    values[static_cast<std::size_t>(k)] = {static_cast<Wide>(element[0]),
                                           from.real ? Wide{0} : static_cast<Wide>(element[1])};
  }
  for (std::int64_t k = length; k < shape.size; ++k) {  // the other half of a spectrum of real numbers
    const Complex<Wide> mirrored = values[static_cast<std::size_t>(shape.size - k)];
    values[static_cast<std::size_t>(k)] = {mirrored.re, -mirrored.im};
  }
}

template <class T, class Wide>
void store(const Shape& shape, const std::vector<Complex<Wide>>& values, const Row<T>& to) {
  for (std::int64_t k = 0; k < out_length(shape); ++k) {
    T* const element = to.element(k);
    element[0] = static_cast<T>(values[static_cast<std::size_t>(k)].re);
    if (!to.real) element[1] = static_cast<T>(values[static_cast<std::size_t>(k)].im);
  }
}

template <class T>
void ruin(const Shape& shape, const Row<T>& in) {
  for (std::int64_t k = 0; k < in_length(shape); ++k)
    in.element(k)[0] = in.element(k)[1] = std::numeric_limits<T>::quiet_NaN();
}

template <class T, class Wide>
void execute_as(const Shape& shape, void* in, void* out, int sign) {
  const auto size = static_cast<std::size_t>(shape.size);
  Transform<Wide> transform(size);
  std::vector<Complex<Wide>> values(size), transformed(size);
  for (std::int64_t index = 0; index < shape.batch; ++index) {
    const Row<T> from = row<T>(in, shape.in, reads_real(shape.type), index);
    load(shape, from, values);
    transform(values.data(), transformed.data(), sign);
    if (writes_real(shape.type) && in != out) ruin(shape, from);
    store(shape, transformed, row<T>(out, shape.out, writes_real(shape.type), index));
  }
}

}  // namespace

bool reads_real(cufftType type) { return type == CUFFT_R2C || type == CUFFT_D2Z; }
bool writes_real(cufftType type) { return type == CUFFT_C2R || type == CUFFT_Z2D; }
bool is_double(cufftType type) { return type == CUFFT_D2Z || type == CUFFT_Z2D || type == CUFFT_Z2Z; }

std::size_t span_in(const Shape& shape) { return span(shape, shape.in, in_length(shape), reads_real(shape.type)); }
std::size_t span_out(const Shape& shape) { return span(shape, shape.out, out_length(shape), writes_real(shape.type)); }

void execute(const Shape& shape, void* in, void* out, int sign) {
  if (is_double(shape.type)) execute_as<double, long double>(shape, in, out, sign);
  else execute_as<float, double>(shape, in, out, sign);
}

}  // namespace standin

// One-shot convolution: ranges in, a vector out, with the results of numpy.convolve.
#include <gpuconv/gpuconv.hpp>

#include <cstdint>
#include <iostream>
#include <string_view>
#include <vector>

template <class T>
void print(std::string_view name, std::vector<T> const& values) {
  std::cout << name;
  for (const T value : values) std::cout << ' ' << +value;
  std::cout << '\n';
}

int main() {
  using gpuconv::Mode;

  const std::vector<float> signal{1, 2, 3, 4, 5}, filter{0.5, 1, 0.5};
  print("full ", gpuconv::convolve(signal, filter));
  print("same ", gpuconv::convolve(signal, filter, Mode::same));
  print("valid", gpuconv::convolve(signal, filter, Mode::valid));

  // Integers cannot overflow silently: results have 64 bits unless a narrower type is named, which wraps as NumPy's
  // does.
  const std::vector<std::int8_t> pixels{100, 100, 100}, box{1, 1};
  print("int64", gpuconv::convolve(pixels, box, Mode::valid));
  print("int8 ", gpuconv::convolve<std::int8_t>(pixels, box, Mode::valid));
}

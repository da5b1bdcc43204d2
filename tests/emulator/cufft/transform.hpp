// Discrete Fourier transforms of any size, for the stand-in cuFFT: one precision above the data's, and short.
#pragma once

#include <cstddef>
#include <vector>

namespace standin {

/// Not std::complex, whose product looks for NaNs.
template <class Real>
struct Complex {
  Real re, im;
};

template <class Real>
class Transform {
 public:
  explicit Transform(std::size_t size);
  /// out[k] = sum over j of in[j] exp(sign 2 pi i j k / size). The arrays do not overlap.
  void operator()(const Complex<Real>* in, Complex<Real>* out, int sign);

 private:
  /// The transform of every stride-th value, `size` of them.
  void recurse(const Complex<Real>* in, std::size_t stride, Complex<Real>* out, std::size_t size);
  void combine(Complex<Real>* out, std::size_t parts, std::size_t part_size);
  Complex<Real> root(std::size_t k) const;  ///< exp(sign 2 pi i k / size), for k < size
  void combine_two(Complex<Real>* out, std::size_t part_size);
  void combine_four(Complex<Real>* out, std::size_t part_size);

  std::size_t size_;
  std::vector<Complex<Real>> own_;        ///< roots of a transform too long to keep them
  const Complex<Real>* roots_ = nullptr;  ///< exp(2 pi i k / size)
  std::vector<Complex<Real>> parts_, turned_;
  int sign_ = 1;
};

extern template class Transform<double>;
extern template class Transform<long double>;

}  // namespace standin

// Mixed radix, decimation in time. Never instrumented: its arrays are its own, and tests wait for it.
#include "transform.hpp"

#include <cmath>
#include <numbers>

namespace standin {
namespace {

/// 4 where it divides, else the smallest prime.
std::size_t radix(std::size_t size) {
  if (size % 4 == 0) return 4;
  for (std::size_t p = 2; p * p <= size; ++p)
    if (size % p == 0) return p;
  return size;
}

template <class Real>
Complex<Real> operator*(Complex<Real> a, Complex<Real> b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

/// exp(2 pi i k / size), exact at quarter turns.
template <class Real>
Complex<Real> root_of_unity(std::size_t k, std::size_t size) {
  constexpr Complex<Real> quarters[] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}};
  if (4 * k % size == 0) return quarters[4 * k / size];
  const long double turns = static_cast<long double>(k) / static_cast<long double>(size);
  const long double angle = 2 * std::numbers::pi_v<long double> * turns;
  return {static_cast<Real>(std::cos(angle)), static_cast<Real>(std::sin(angle))};
}

}  // namespace

template <class Real>
Transform<Real>::Transform(std::size_t size) : size_(size), roots_(size) {
  for (std::size_t k = 0; k < size; ++k) roots_[k] = root_of_unity<Real>(k, size);
}

template <class Real>
void Transform<Real>::operator()(const Complex<Real>* in, Complex<Real>* out, int sign) {
  sign_ = sign;
  recurse(in, 1, out, size_);
}

template <class Real>
void Transform<Real>::recurse(const Complex<Real>* in, std::size_t stride, Complex<Real>* out, std::size_t size) {
  if (size == 1) {
    *out = *in;
    return;
  }
  const std::size_t parts = radix(size), part_size = size / parts;
  for (std::size_t part = 0; part < parts; ++part)
    recurse(in + part * stride, stride * parts, out + part * part_size, part_size);
  combine(out, parts, part_size);
}

/// Turns the transforms of the parts, one after another, into the transform of all.
template <class Real>
void Transform<Real>::combine(Complex<Real>* out, std::size_t parts, std::size_t part_size) {
  const std::size_t step = size_ / (parts * part_size);
  const auto root = [this](std::size_t k) {
    const Complex<Real> w = roots_[k % size_];
    return Complex<Real>{w.re, static_cast<Real>(sign_) * w.im};
  };
  turned_.resize(parts);
  parts_.resize(parts);
  for (std::size_t r = 0; r < parts; ++r) parts_[r] = root(r * part_size * step);
  for (std::size_t k = 0; k < part_size; ++k) {
    for (std::size_t r = 0; r < parts; ++r) turned_[r] = out[r * part_size + k] * root(r * k * step);
    for (std::size_t q = 0; q < parts; ++q) {
      Complex<Real> sum = turned_[0];
      for (std::size_t r = 1, turn = q; r < parts; ++r) {
        const Complex<Real> term = turned_[r] * parts_[turn];
        sum = {sum.re + term.re, sum.im + term.im};
        turn += q;
        if (turn >= parts) turn -= parts;
      }
      out[q * part_size + k] = sum;
    }
  }
}

template class Transform<double>;
template class Transform<long double>;

}  // namespace standin

// Mixed radix, decimation in time. Never instrumented: its arrays are its own, and tests wait for it.
#include "transform.hpp"

#include <cmath>
#include <map>
#include <mutex>
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

template <class Real>
Complex<Real> operator+(Complex<Real> a, Complex<Real> b) {
  return {a.re + b.re, a.im + b.im};
}
template <class Real>
Complex<Real> operator-(Complex<Real> a, Complex<Real> b) {
  return {a.re - b.re, a.im - b.im};
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

/// All of them; those beyond an eighth of a turn are others with their parts exchanged, where the size is whole
/// quarters.
template <class Real>
std::vector<Complex<Real>> roots_of_unity(std::size_t size) {
  std::vector<Complex<Real>> roots(size);
  const std::size_t quarter = size / 4;
  for (std::size_t k = 0; k < size; ++k) {
    if (size % 4 != 0 || k <= quarter / 2) roots[k] = root_of_unity<Real>(k, size);
    else if (k <= quarter) roots[k] = {roots[quarter - k].im, roots[quarter - k].re};
    else roots[k] = {-roots[k - quarter].im, roots[k - quarter].re};
  }
  return roots;
}

constexpr std::size_t kKept = std::size_t{1} << 16;  // points of the largest transforms whose roots are kept

/// The same, kept for good, for streams may run until the process ends. All of it under the lock, the allocations too:
/// no sanitizer sees what this file does between them.
template <class Real>
const Complex<Real>* kept_roots(std::size_t size) {
  static std::mutex mutex;
  static auto& kept = *new std::map<std::size_t, std::vector<Complex<Real>>>;
  const std::lock_guard lock(mutex);
  const auto [place, is_new] = kept.try_emplace(size);
  if (is_new) place->second = roots_of_unity<Real>(size);
  return place->second.data();
}

}  // namespace

template <class Real>
Transform<Real>::Transform(std::size_t size) : size_(size) {
  if (size > kKept) own_ = roots_of_unity<Real>(size);
  roots_ = size > kKept ? own_.data() : kept_roots<Real>(size);
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
  if (parts == 4) return combine_four(out, part_size);
  if (parts == 2) return combine_two(out, part_size);
  const std::size_t step = size_ / (parts * part_size);
  turned_.resize(parts);
  parts_.resize(parts);
  for (std::size_t r = 0; r < parts; ++r) parts_[r] = root(r * part_size * step);
  for (std::size_t k = 0; k < part_size; ++k) {
    for (std::size_t r = 0; r < parts; ++r) turned_[r] = out[r * part_size + k] * root(r * k * step);
    for (std::size_t q = 0; q < parts; ++q) {
      Complex<Real> sum = turned_[0];
      for (std::size_t r = 1, turn = q; r < parts; ++r) {
        sum = sum + turned_[r] * parts_[turn];
        turn += q;
        if (turn >= parts) turn -= parts;
      }
      out[q * part_size + k] = sum;
    }
  }
}

template <class Real>
Complex<Real> Transform<Real>::root(std::size_t k) const {
  return {roots_[k].re, static_cast<Real>(sign_) * roots_[k].im};
}

template <class Real>
void Transform<Real>::combine_two(Complex<Real>* out, std::size_t part_size) {
  const std::size_t step = size_ / (2 * part_size);
  for (std::size_t k = 0; k < part_size; ++k) {
    const Complex<Real> a = out[k], b = out[part_size + k] * root(k * step);
    out[k] = a + b;
    out[part_size + k] = a - b;
  }
}

template <class Real>
void Transform<Real>::combine_four(Complex<Real>* out, std::size_t part_size) {
  const std::size_t step = size_ / (4 * part_size);
  const auto sign = static_cast<Real>(sign_);
  const auto turned = [&](std::size_t r, std::size_t k) { return out[r * part_size + k] * root(r * k * step); };
  for (std::size_t k = 0; k < part_size; ++k) {
    const Complex<Real> a = out[k], b = turned(1, k), c = turned(2, k), d = turned(3, k);
    const Complex<Real> even = a + c, odd = b + d, rest = a - c, difference = b - d;
    const Complex<Real> quarter{-sign * difference.im, sign * difference.re};
    out[k] = even + odd;
    out[part_size + k] = rest + quarter;
    out[2 * part_size + k] = even - odd;
    out[3 * part_size + k] = rest - quarter;
  }
}

template class Transform<double>;
template class Transform<long double>;

}  // namespace standin

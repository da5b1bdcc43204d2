// Polynomials that fit the samples of a window with the least squares.
#pragma once

#include <cstdint>
#include <vector>

namespace gpuconv::recipes {

/// The polynomials of degree 0, 1 and so on that are orthogonal on the samples of a window, by their recurrence
/// (Forsythe, 1957), in long double; and their derivatives of one order at each of these samples. A fit is a sum of
/// products with them: no system of equations is solved.
class Polynomials {
 public:
  /// Throws InvalidArgument for a window that is not positive and odd, a degree that is not below it, a negative
  /// derivative, and a spacing of the samples that is 0 or not finite.
  Polynomials(std::int64_t window, int degree, int derivative, double spacing);

  /// The weights of the samples in the derivative of the fit at sample `position`.
  std::vector<double> weights(std::int64_t position) const;

  /// The derivative of the fit of `samples` (complex ones too) at sample `position`, from the fit's coefficients.
  template <class R>
  std::vector<R> coefficients(R const* samples) const {
    std::vector<R> out(degrees_.size());
    for (std::size_t k = 0; k < degrees_.size(); ++k)
      for (std::size_t i = 0; i < degrees_[k].values.size(); ++i)
        out[k] += samples[i] * static_cast<double>(degrees_[k].values[i]);
    return out;
  }
  template <class R>
  R derivative(std::vector<R> const& coefficients, std::int64_t position) const {
    R sum{};
    for (std::size_t k = 0; k < degrees_.size(); ++k)
      sum += coefficients[k] * static_cast<double>(degrees_[k].derivatives[static_cast<std::size_t>(position)]);
    return sum;
  }

 private:
  // Of one degree, at each sample: the value, divided by the sum of the squares of them, and the derivative.
  struct Degree {
    std::vector<long double> values, derivatives;
  };
  std::int64_t samples_;
  std::vector<Degree> degrees_;  // empty where the derivative is 0 everywhere
};

}  // namespace gpuconv::recipes

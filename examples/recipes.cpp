// Recipes: a drifting recording with a gap is mended, a pulse found in it and its steepest place measured.
#include <gpuconv/gpuconv.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iostream>
#include <limits>
#include <random>
#include <vector>

int main() {
  using namespace gpuconv;

  // A pulse of 81 samples, three times in noise on a baseline that drifts by hundreds of its heights.
  std::vector<float> pulse;
  for (int i = -40; i <= 40; ++i) pulse.push_back(std::exp(-0.01f * static_cast<float>(i * i)));
  std::mt19937 random(1);
  std::normal_distribution<float> noise(0, 0.05f);
  std::vector<float> x;
  for (int i = 0; i < 5000; ++i) x.push_back(noise(random) + 0.1f * static_cast<float>(i));
  for (const std::size_t at : {700u, 2100u, 4321u})
    for (std::size_t j = 0; j < pulse.size(); ++j) x[at + j] += 4 * pulse[j];
  std::fill_n(x.begin() + 3000, 25, std::numeric_limits<float>::quiet_NaN());  // the recorder missed these

  // Missing samples from their neighbours, the others as they were; then the baseline, a mean of 401 samples, taken
  // off.
  const std::vector<float> near = recipes::convolve_gaps(x, recipes::gaussian_taps(10));
  for (std::size_t i = 0; i < x.size(); ++i)
    if (std::isnan(x[i])) x[i] = near[i];
  const std::vector<float> baseline = recipes::moving_average(x, {.window = 401});
  for (std::size_t i = 0; i < x.size(); ++i) x[i] -= baseline[i];

  const std::vector<float> slope = recipes::savitzky_golay(x, {.window = 15, .degree = 3, .derivative = 1});
  for (const auto& [index, score] : recipes::find(x, pulse, {.threshold = 0.9})) {
    const auto first = slope.begin() + index, last = first + std::ssize(pulse);
    std::cout << "a pulse at " << index << ", steepest at " << std::max_element(first, last) - slope.begin() << '\n';
  }
}

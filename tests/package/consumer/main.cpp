// What a program that links gpuconv does: a batch through a plan, a one-shot call, and an error caught by its type.
#include <gpuconv/gpuconv.hpp>
#include <gpuconv/version.hpp>

#include <cstdint>
#include <iostream>
#include <vector>

namespace {

// Differences of neighbours of a thousand ramps, row r rising by r a sample.
bool batch_of_ramps() {
  constexpr std::int64_t rows = 1000, samples = 64;
  std::vector<float> ramps;
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t i = 0; i < samples; ++i) ramps.push_back(static_cast<float>(r * i));

  gpuconv::Plan plan({.signal = samples, .filter = 2, .batch = rows, .mode = gpuconv::Mode::valid});
  plan.set_filter(std::vector{1.0f, -1.0f});
  const std::int64_t length = plan.output_length();
  std::vector<float> slopes(static_cast<std::size_t>(rows * length));
  plan.execute(gpuconv::HostView<const float>(ramps.data(), {.rows = rows, .columns = samples}),
               gpuconv::HostView<float>(slopes.data(), {.rows = rows, .columns = length}));

  for (std::int64_t i = 0; i < rows * length; ++i)
    if (slopes[static_cast<std::size_t>(i)] != static_cast<float>(i / length)) return false;
  return length == samples - 1;
}

bool one_shot() {
  const std::vector<int> signal{1, 2, 3, 4, 5}, filter{1, 1, 1};
  return gpuconv::convolve(signal, filter) == std::vector<std::int64_t>{1, 3, 6, 9, 12, 9, 5};
}

bool typed_error() {
  try {
    gpuconv::convolve(std::vector<double>{}, std::vector<double>{1});
  } catch (gpuconv::InvalidArgument const& error) {
    std::cout << "as expected: " << error.what() << '\n';
    return true;
  }
  return false;
}

}  // namespace

int main() {
  const bool batch = batch_of_ramps(), single = one_shot(), error = typed_error();
  std::cout << "gpuconv " << gpuconv::version() << ": batch " << batch << ", one-shot " << single << ", error " << error
            << '\n';
  return batch && single && error && gpuconv::version() == GPUCONV_VERSION ? 0 : 1;
}

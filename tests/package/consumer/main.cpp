// What a program that links gpuconv does: a batch through a plan, a one-shot call, an error caught by its type, and
// device memory, which needs no CUDA header and says why where there is no GPU.
#include <gpuconv/gpuconv.hpp>
#include <gpuconv/version.hpp>

#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>
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

// Numbers of 16 bits need no CUDA header either.
template <class H>
bool halves() {
  const std::vector<H> signal{H(1), H(2), H(3), H(4), H(5)}, filter(3, H(1));
  const std::vector<H> sums = gpuconv::convolve(signal, filter, gpuconv::Mode::valid);
  return std::vector<float>(sums.begin(), sums.end()) == std::vector<float>{6, 9, 12};
}

bool one_shot() {
  const std::vector<int> signal{1, 2, 3, 4, 5}, filter{1, 1, 1};
  return gpuconv::convolve(signal, filter) == std::vector<std::int64_t>{1, 3, 6, 9, 12, 9, 5} &&
         halves<gpuconv::float16>() && halves<gpuconv::bfloat16>();
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

// On the GPU where there is one; else all that needs it says the same as devices().
bool device_memory() {
  const gpuconv::DeviceInfo gpu = gpuconv::devices().back();
  const auto convolve = [] {
    gpuconv::DeviceBuffer<float> signal(5), filter(3), out(3);
    gpuconv::copy(std::vector<float>{1, 2, 3, 4, 5}, signal);
    gpuconv::copy(std::vector<float>{1, 1, 1}, filter);
    gpuconv::convolve(signal, filter, out, gpuconv::Mode::valid);
    std::vector<float> result(3);
    gpuconv::copy(out, result);
    return result;
  };
  if (gpu.available) return convolve() == std::vector<float>{6, 9, 12};

  const auto refused = [&](auto&& call) {
    try {
      call();
    } catch (gpuconv::Unsupported const& error) {
      return std::string_view(error.what()).find(gpu.detail) != std::string_view::npos;
    }
    return false;
  };
  float host[5]{};
  const gpuconv::DeviceView<float> nowhere(host, 5);
  std::cout << "without a GPU: " << gpu.detail << '\n';
  return refused(convolve) && refused([] { gpuconv::synchronize({}); }) && refused([&] { copy(host, nowhere); }) &&
         refused([&] { copy(nowhere, host); }) &&
         refused([] { gpuconv::Plan({.signal = 5, .filter = 3}, {.memory = gpuconv::Memory::device}); }) &&
         refused([] { gpuconv::Plan({.signal = 5, .filter = 3}, {.device = gpuconv::Device::cuda}); });
}

// The version is text and numbers, in one header.
std::string numbered_version() {
  return std::to_string(GPUCONV_VERSION_MAJOR) + '.' + std::to_string(GPUCONV_VERSION_MINOR) + '.' +
         std::to_string(GPUCONV_VERSION_PATCH);
}
}  // namespace

int main() {
  const bool batch = batch_of_ramps(), single = one_shot(), error = typed_error(), device = device_memory();
  std::cout << "gpuconv " << gpuconv::version() << ": batch " << batch << ", one-shot " << single << ", error " << error
            << ", device memory " << device << '\n';
  const bool version = gpuconv::version() == GPUCONV_VERSION && numbered_version() == GPUCONV_VERSION;
  return batch && single && error && device && version ? 0 : 1;
}

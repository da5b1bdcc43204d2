// A plan on arrays in the memory of a GPU, in plain C++: no CUDA header, no nvcc. The program also runs where there is
// no GPU, and says so.
#include <gpuconv/gpuconv.hpp>

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <vector>

namespace {

void run() {
  using namespace gpuconv;

  constexpr std::int64_t rows = 8, samples = 1 << 14, taps = 129;
  Plan plan({.signal = samples, .filter = taps, .batch = rows, .mode = Mode::same}, {.memory = Memory::device});
  std::cout << "chosen: " << plan.describe() << '\n';

  const Stream stream;                                      // the default one; the caller's own: Stream(cudaStream_t)
  plan.set_filter(std::vector(taps, 1.0F / taps), stream);  // or from device memory

  const std::vector<float> ones(rows * samples, 1.0F);
  DeviceBuffer<float> signal(rows * samples, stream), out(rows * plan.output_length(), stream);
  copy(ones, signal, stream);

  // A buffer passes for one row; a view says how many there are.
  plan.execute(DeviceView(signal.data(), {.rows = rows, .columns = samples}),
               DeviceView(out.data(), {.rows = rows, .columns = plan.output_length()}), stream);  // returns at once

  std::vector<float> result(static_cast<std::size_t>(out.size()));
  copy(out, result, stream);  // returns when the result is here, so after everything before it on the stream

  const auto inside = std::count_if(result.begin(), result.end(), [](float y) { return y > 0.9999F && y < 1.0001F; });
  std::cout << inside << " of " << result.size() << " outputs are 1, the others lie within " << taps / 2
            << " samples of an end\n";
}

}  // namespace

int main() {
  try {
    run();
  } catch (gpuconv::Unsupported const& error) {  // no GPU, no driver, or a build without CUDA
    std::cout << "not here: " << error.what() << '\n';
  } catch (gpuconv::Error const& error) {  // OutOfMemory, CudaError, CufftError, InvalidArgument
    std::cerr << error.what() << '\n';
    return 1;
  }
}

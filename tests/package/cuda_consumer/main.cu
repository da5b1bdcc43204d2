// A CUDA program with a kernel of its own that hands its memory to gpuconv, where there is a GPU; otherwise it
// convolves on the CPU.
#include <gpuconv/gpuconv.hpp>

#include <cuda_runtime.h>

#include <cstdint>
#include <iostream>
#include <vector>

namespace {

__global__ void count(float* samples, int length) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < length) samples[i] = static_cast<float>(i + 1);
}

const std::vector<float> expected{6, 9, 12};

bool on_the_gpu() {
  gpuconv::DeviceBuffer<float> signal(5), filter(3), out(3);
  count<<<1, 32>>>(signal.data(), 5);
  gpuconv::copy(std::vector<float>{1, 1, 1}, filter);
  gpuconv::convolve(signal, filter, out, gpuconv::Mode::valid);
  std::vector<float> result(3);
  gpuconv::copy(out, result);
  return result == expected;
}

bool on_the_cpu() {
  const std::vector<float> signal{1, 2, 3, 4, 5}, filter{1, 1, 1};
  return gpuconv::convolve(signal, filter, gpuconv::Mode::valid) == expected;
}

}  // namespace

int main() {
  const bool gpu = gpuconv::devices().back().available;
  const bool right = on_the_cpu() && (!gpu || on_the_gpu());
  std::cout << (gpu ? "CPU and GPU: " : "CPU, no GPU: ") << (right ? "right" : "wrong") << '\n';
  return right ? 0 : 1;
}

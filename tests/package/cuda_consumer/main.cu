// A CUDA program with a kernel of its own that hands its memory to gpuconv, where there is a GPU; otherwise it
// convolves on the CPU.
// One of CUDA's headers of 16-bit types comes before the library's, one after.
#include <cuda_fp16.h>
#include <gpuconv/gpuconv.hpp>

#include <cuda_bf16.h>
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

// H: __half or __nv_bfloat16, through views of memory that holds them.
template <class H>
bool halves_on_the_gpu() {
  gpuconv::DeviceBuffer<H> signal(5), filter(3), out(3);
  const std::vector<H> samples{H(1.0f), H(2.0f), H(3.0f), H(4.0f), H(5.0f)}, taps(3, H(1.0f));
  gpuconv::copy(samples, signal);
  gpuconv::copy(taps, filter);
  gpuconv::convolve(gpuconv::DeviceView<H const>(signal.data(), 5), filter, gpuconv::DeviceView<H>(out.data(), 3),
                    gpuconv::Mode::valid);
  std::vector<H> result(3);
  gpuconv::copy(out, result);
  return std::vector<float>(result.begin(), result.end()) == expected;
}

template <class H>
bool halves_on_the_cpu() {
  const std::vector<H> signal{H(1.0f), H(2.0f), H(3.0f), H(4.0f), H(5.0f)}, filter(3, H(1.0f));
  std::vector<H> out(3);
  gpuconv::convolve(signal, filter, out, gpuconv::Mode::valid);
  const auto result = gpuconv::convolve(signal, filter, gpuconv::Mode::valid);  // of the library's own type
  return std::vector<float>(out.begin(), out.end()) == expected &&
         std::vector<float>(result.begin(), result.end()) == expected;
}

bool on_the_gpu() {
  gpuconv::DeviceBuffer<float> signal(5), filter(3), out(3);
  count<<<1, 32>>>(signal.data(), 5);
  gpuconv::copy(std::vector<float>{1, 1, 1}, filter);
  gpuconv::convolve(signal, filter, out, gpuconv::Mode::valid);
  std::vector<float> result(3);
  gpuconv::copy(out, result);
  return result == expected && halves_on_the_gpu<__half>() && halves_on_the_gpu<__nv_bfloat16>();
}

bool on_the_cpu() {
  const std::vector<float> signal{1, 2, 3, 4, 5}, filter{1, 1, 1};
  return gpuconv::convolve(signal, filter, gpuconv::Mode::valid) == expected && halves_on_the_cpu<__half>() &&
         halves_on_the_cpu<__nv_bfloat16>();
}

}  // namespace

int main() {
  const bool gpu = gpuconv::devices().back().available;
  const bool right = on_the_cpu() && (!gpu || on_the_gpu());
  std::cout << (gpu ? "CPU and GPU: " : "CPU, no GPU: ") << (right ? "right" : "wrong") << '\n';
  return right ? 0 : 1;
}

// A CUDA graph: two convolutions are captured once and replayed with one launch for every new signal.
#include <gpuconv/gpuconv.hpp>

#include <cuda_runtime_api.h>

#include <cstdint>
#include <iostream>
#include <stdexcept>
#include <vector>

namespace {

void check(cudaError_t error) {
  if (error != cudaSuccess) throw std::runtime_error(cudaGetErrorString(error));
}

void run() {
  using namespace gpuconv;

  constexpr std::int64_t samples = 1 << 16;
  cudaStream_t stream;  // the default stream cannot be captured
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  {
    // Smoothing, then the difference of neighbours. What allocates comes before the capture: plans, filters, buffers.
    const Options on_device{.memory = Memory::device};
    Plan smooth({.signal = samples, .filter = 4, .mode = Mode::valid}, on_device);
    Plan difference({.signal = smooth.output_length(), .filter = 2, .mode = Mode::valid}, on_device);
    smooth.set_filter(std::vector(4, 0.25F), stream);
    difference.set_filter(std::vector{1.0F, -1.0F}, stream);
    DeviceBuffer<float> signal(samples, stream), smoothed(smooth.output_length(), stream);
    DeviceBuffer<float> slope(difference.output_length(), stream);

    cudaGraph_t graph;
    cudaGraphExec_t replay;
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    smooth.execute(signal, smoothed, stream);
    difference.execute(smoothed, slope, stream);
    check(cudaStreamEndCapture(stream, &graph));
    check(cudaGraphInstantiate(&replay, graph, 0));

    std::vector<float> ramp(samples), result(static_cast<std::size_t>(slope.size()));
    for (int rise = 1; rise <= 3; ++rise) {
      for (std::size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<float>(rise) * static_cast<float>(i);
      copy(ramp, signal, stream);
      check(cudaGraphLaunch(replay, stream));
      copy(slope, result, stream);
      std::cout << "slope " << result.front() << " to " << result.back() << '\n';
    }
    check(cudaGraphExecDestroy(replay));
    check(cudaGraphDestroy(graph));
  }
  check(cudaStreamDestroy(stream));
}

}  // namespace

int main() {
  try {
    if (const gpuconv::DeviceInfo gpu = gpuconv::devices().back(); gpu.available) run();
    else std::cout << "not here: " << gpu.detail << '\n';
  } catch (std::exception const& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}

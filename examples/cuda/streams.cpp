// Two filters over one signal, side by side in two CUDA streams of the caller's, with scratch memory of the caller's.
// Needs the headers of the CUDA runtime, but no nvcc.
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

// A stream that does not wait for the default stream; it converts to gpuconv::Stream.
class OwnStream {
 public:
  OwnStream() { check(cudaStreamCreateWithFlags(&handle_, cudaStreamNonBlocking)); }
  OwnStream(OwnStream const&) = delete;
  OwnStream& operator=(OwnStream const&) = delete;
  ~OwnStream() { cudaStreamDestroy(handle_); }
  operator cudaStream_t() const { return handle_; }
  operator gpuconv::Stream() const { return handle_; }

 private:
  cudaStream_t handle_ = nullptr;
};

// A moving average of `taps` samples in a stream. What is enqueued there must be done when this goes.
class Average {
 public:
  Average(std::int64_t samples, std::int64_t taps)
      : plan_({.signal = samples, .filter = taps, .mode = gpuconv::Mode::valid},
              {.memory = gpuconv::Memory::device, .caller_scratch = true}),
        scratch_(static_cast<std::int64_t>(plan_.scratch_bytes()), stream_),
        out_(plan_.output_length(), stream_) {
    const std::vector<float> filter(static_cast<std::size_t>(taps), 1.0F / static_cast<float>(taps));
    plan_.set_filter(filter, stream_, scratch_.bytes());
  }

  cudaStream_t stream() const { return stream_; }
  // Returns at once. Plans whose calls follow each other in one stream could share the scratch memory.
  void run(gpuconv::DeviceInput signal) { plan_.execute(signal, out_, stream_, scratch_.bytes()); }
  std::vector<float> result() const {
    std::vector<float> host(static_cast<std::size_t>(out_.size()));
    gpuconv::copy(out_, host, stream_);
    return host;
  }

 private:
  OwnStream stream_;  // outlives the buffers, which are released in it
  gpuconv::Plan plan_;
  gpuconv::DeviceBuffer<std::uint8_t> scratch_;
  gpuconv::DeviceBuffer<float> out_;
};

void run() {
  constexpr std::int64_t samples = 1 << 16;
  Average narrow(samples, 5), wide(samples, 1001);

  gpuconv::DeviceBuffer<float> signal(samples, narrow.stream());
  gpuconv::copy(std::vector<float>(samples, 2.0F), signal, narrow.stream());
  cudaEvent_t uploaded;  // the other stream must not read the signal before
  check(cudaEventCreateWithFlags(&uploaded, cudaEventDisableTiming));
  check(cudaEventRecord(uploaded, narrow.stream()));
  check(cudaStreamWaitEvent(wide.stream(), uploaded, 0));

  narrow.run(signal);
  wide.run(signal);
  const std::vector<float> a = narrow.result(), b = wide.result();
  std::cout << "narrow " << a.size() << " outputs of " << a.front() << ", wide " << b.size() << " of " << b.front()
            << '\n';
  check(cudaEventDestroy(uploaded));
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

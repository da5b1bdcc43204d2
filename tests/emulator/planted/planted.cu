// Whether the tools notice mistakes: runs one of the kernels beside this file with the mistake that the command line
// names, and says whether the result is right. Built for the emulator and by nvcc.
//
//   planted BUG [REPEATS]    exit status 0: right, 1: wrong, 2: cannot run
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string_view>
#include <vector>

#include "kernels.cuh"

namespace planted {
namespace {

constexpr struct {
  Bug bug;
  std::string_view name;
} bugs[] = {
    {Bug::none, "none"},
    {Bug::no_barrier_after_load, "no_barrier_after_load"},
    {Bug::no_barrier_before_reload, "no_barrier_before_reload"},
    {Bug::tile_one_short, "tile_one_short"},
    {Bug::read_past_the_end, "read_past_the_end"},
    {Bug::no_copy_wait, "no_copy_wait"},
    {Bug::misaligned_store, "misaligned_store"},
    {Bug::no_exchange_barrier, "no_exchange_barrier"},
    {Bug::unsynchronized_update, "unsynchronized_update"},
    {Bug::divergent_barrier, "divergent_barrier"},
    {Bug::non_atomic_accumulation, "non_atomic_accumulation"},
    {Bug::uninitialized_read, "uninitialized_read"},
    {Bug::no_event_wait, "no_event_wait"},
};

void check(cudaError_t error) {
  if (error == cudaSuccess) return;
  std::printf("CUDA says: %s\n", cudaGetErrorString(error));
  std::exit(2);
}

template <class T>
class Buffer {
 public:
  explicit Buffer(std::size_t size) : size_(size) {
    check(cudaMalloc(reinterpret_cast<void**>(&data_), size * sizeof(T)));
  }
  ~Buffer() { cudaFree(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  T* data() const { return data_; }
  std::size_t bytes() const { return size_ * sizeof(T); }
  void upload(const T* from, cudaStream_t stream) {
    check(cudaMemcpyAsync(data_, from, bytes(), cudaMemcpyHostToDevice, stream));
  }
  std::vector<T> download(cudaStream_t stream) const {
    std::vector<T> host(size_);
    check(cudaMemcpyAsync(host.data(), data_, bytes(), cudaMemcpyDeviceToHost, stream));
    check(cudaStreamSynchronize(stream));
    return host;
  }

 private:
  T* data_ = nullptr;
  std::size_t size_;
};

class Stream {
 public:
  Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking)); }
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  operator cudaStream_t() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

/// The second stream goes on where the first is now.
void order(cudaStream_t first, cudaStream_t second) {
  cudaEvent_t event = nullptr;
  check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
  check(cudaEventRecord(event, first));
  check(cudaStreamWaitEvent(second, event, 0));
  check(cudaEventDestroy(event));
}

std::vector<float> random_values(std::size_t size, std::mt19937& random) {
  std::uniform_real_distribution<float> distribution(-1.0f, 1.0f);
  std::vector<float> values(size);
  for (float& value : values) value = distribution(random);
  return values;
}

/// A NaN is not close.
bool close(double is, double expected) { return std::abs(is - expected) <= 1e-4; }

bool fir_is_right(Bug bug, std::mt19937& random) {
  constexpr int length = 1500, taps = 33, blocks = 2;
  const std::vector<float> signal = random_values(length, random), filter = random_values(taps, random);
  Fir fir{.signal = nullptr, .filter = nullptr, .out = nullptr, .signal_length = length, .taps = taps};
  const Stream upload, compute;
  Buffer<float> device_signal(length), device_filter(taps);
  const Buffer<float> out(static_cast<std::size_t>(fir.tiles() * fir_tile + 1));
  check(cudaMemsetAsync(out.data(), 0, out.bytes(), compute));  // room to spare that is downloaded as well
  device_filter.upload(filter.data(), compute);
  device_signal.upload(signal.data(), upload);
  if (bug != Bug::no_event_wait) order(upload, compute);
  fir.signal = device_signal.data(), fir.filter = device_filter.data(), fir.out = out.data();
  const int floats = taps + fir.tile_length() - (bug == Bug::tile_one_short ? 1 : 0);
  check(gpuconv::device::launch(planted::fir, blocks, fir_threads, static_cast<std::size_t>(floats) * sizeof(float),
                                compute, fir, bug));
  const std::vector<float> result = out.download(compute);
  check(cudaStreamSynchronize(upload));
  for (int o = 0; o < length + taps - 1; ++o) {
    double expected = 0.0;
    for (int k = 0; k < taps; ++k)
      if (o - k >= 0 && o - k < length)
        expected += static_cast<double>(filter[static_cast<std::size_t>(k)]) *
                    static_cast<double>(signal[static_cast<std::size_t>(o - k)]);
    if (!close(static_cast<double>(result[static_cast<std::size_t>(o)]), expected)) return false;
  }
  return true;
}

bool exchange_is_right(Bug bug, std::mt19937& random) {
  constexpr int blocks = 2, rounds = 4;
  const std::vector<float> values = random_values(blocks * exchange_size, random);
  const Stream stream;
  Buffer<float> device(values.size());
  device.upload(values.data(), stream);
  check(gpuconv::device::launch(exchange, blocks, exchange_size, 0, stream, device.data(), rounds, bug));
  const std::vector<float> result = device.download(stream);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!close(static_cast<double>(result[i]), std::ldexp(static_cast<double>(values[i]), rounds))) return false;
  return true;
}

bool sum_is_right(Bug bug, std::mt19937& random) {
  constexpr int length = 3000, blocks = 4;
  const std::vector<float> values = random_values(length, random);
  const Stream stream;
  Buffer<float> device(length);
  const Buffer<float> total(1);
  device.upload(values.data(), stream);
  if (bug != Bug::uninitialized_read) check(cudaMemsetAsync(total.data(), 0, total.bytes(), stream));
  check(gpuconv::device::launch(sum, blocks, sum_threads, 0, stream, device.data(), length, total.data(), bug));
  double expected = 0.0;
  for (const float value : values) expected += static_cast<double>(value);
  return close(static_cast<double>(total.download(stream)[0]), expected);
}

int run(int argc, char** argv) {
  for (const auto& [bug, name] : bugs) {
    if (argc < 2 || name != argv[1]) continue;
    std::mt19937 random(1);  // NOLINT: the same numbers in each run
    for (int repeats = argc > 2 ? std::atoi(argv[2]) : 1; repeats > 0; --repeats) {
      if (fir_is_right(bug, random) && exchange_is_right(bug, random) && sum_is_right(bug, random)) continue;
      std::puts("wrong result");
      return 1;
    }
    std::puts("right");
    return 0;
  }
  std::puts("usage: planted BUG [REPEATS]");
  return 2;
}

}  // namespace
}  // namespace planted

int main(int argc, char** argv) { return planted::run(argc, argv); }

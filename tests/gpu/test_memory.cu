// A GPU whose memory runs out: a typed error, nothing lost, and the next call works.
#include "gpu.cuh"

namespace gpuconv::test {
namespace {

/// Takes device memory until only about `left` bytes are free.
class Hog {
 public:
  explicit Hog(std::size_t left) {
    for (std::size_t piece = std::size_t{1} << 36; piece >= (std::size_t{1} << 20); piece /= 2)
      while (free_memory() > left + piece) {
        void* memory = nullptr;
        if (cudaMalloc(&memory, piece) != cudaSuccess) {
          static_cast<void>(cudaGetLastError());
          break;
        }
        taken_.push_back(memory);
      }
  }
  ~Hog() {
    for (void* memory : taken_) cudaFree(memory);
  }
  Hog(Hog const&) = delete;
  Hog& operator=(Hog const&) = delete;

 private:
  std::vector<void*> taken_;
};

class OutOfDeviceMemory : public GpuSolverTest {
 protected:
  static constexpr std::int64_t kSignal = std::int64_t{1} << 26;  // 256 MiB of float
  // The direct method needs no memory but its taps: many of them.
  Problem large() const {
    return {.signal = kSignal, .filter = exact() ? kSignal * 2 : 1 << 22, .mode = Mode::same, .same = Same::scipy};
  }

  void expect_right() const {
    const Problem p{.signal = 100003, .filter = 129, .mode = Mode::same};
    Plan plan(p, options());
    plan.set_filter(taps<float>(p.filter), Stream{});
    const DeviceBuffer<float> signal = samples<float>(p.signal);
    DeviceBuffer<float> out(p.signal);
    plan.execute(signal, out, Stream{});
    synchronize({});
    EXPECT_LE(judge(out.data(), p).largest, exact() ? 0.0 : 1e-2);
  }
};

TEST_P(OutOfDeviceMemory, IsATypedErrorAndTheNextCallWorks) {
  expect_right();
  {
    const Hog hog(std::size_t{64} << 20);
    bool refused = false;
    try {
      Plan plan(large(), options());
      plan.set_filter(taps<float>(large().filter), Stream{});
    } catch (OutOfMemory const&) {
      refused = true;
    }
    EXPECT_TRUE(refused) << "free: " << free_memory();
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
    EXPECT_THROW(DeviceBuffer<float>{std::int64_t{1} << 30}, OutOfMemory);
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
    expect_right();  // with what is left
  }
  expect_right();
}

TEST_P(OutOfDeviceMemory, PlansGiveBackWhatTheyTook) {
  expect_right();
  synchronize({});
  const std::size_t before = free_memory();
  for (int i = 0; i < 20; ++i) {
    Plan plan({.signal = 1 << 22, .filter = 1 << 16}, options());
    plan.set_filter(taps<float>(1 << 16), Stream{});
  }
  ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  EXPECT_LE(before, free_memory() + (std::size_t{64} << 20));
}

TEST_P(OutOfDeviceMemory, ABatchInHostMemoryMayBeLargerThanTheDevices) {
  const Problem p{.signal = 1 << 20, .filter = 257, .batch = 640, .mode = Mode::same};  // 2.5 GiB each way
  const Hog hog(std::size_t{2} << 30);
  std::vector<float> signal(static_cast<std::size_t>(p.batch * p.signal)), out(signal.size(), NAN);
  for (std::size_t i = 0; i < signal.size(); ++i)
    signal[i] = static_cast<float>(sample_at(static_cast<std::int64_t>(i)));
  const Rows rows{.rows = p.batch, .columns = p.signal};
  Plan plan(p, options(Memory::host));
  plan.set_filter(taps<float>(p.filter));
  plan.execute(HostView<float const>(signal.data(), rows), HostView<float>(out.data(), rows));
  const Slice slice = output_slice(p);
  double largest = 0;
  for (std::int64_t i = 0; i < p.batch * p.signal; i += 997) {  // a prime: all places of a row
    const std::int64_t row = i / p.signal, k = slice.first + i % p.signal;
    double sum = 0;
    for (std::int64_t j = 0; j < p.filter; ++j)
      if (k - j >= 0 && k - j < p.signal) sum += tap_at(j) * sample_at(row * p.signal + k - j);
    const double d = std::abs(static_cast<double>(out[static_cast<std::size_t>(i)]) - sum);
    largest = d <= largest ? largest : d;  // also a NaN
  }
  EXPECT_LE(largest, exact() ? 0.0 : 1e-2);
}
GPUCONV_OVER_GPU_SOLVERS(OutOfDeviceMemory);

}  // namespace
}  // namespace gpuconv::test

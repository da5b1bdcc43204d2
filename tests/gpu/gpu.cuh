// What the tests on a real GPU share: data that every index can be asked for, and comparisons on the device, so that
// results larger than the host's memory, or than anyone wants to wait for, are checked in full.
#pragma once

#include "support/solvers.hpp"

#include <gpuconv/gpuconv.hpp>

#include <cuda_runtime.h>
#include <gtest/gtest.h>
#include <thrust/equal.h>
#include <thrust/execution_policy.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/tabulate.h>
#include <thrust/transform_reduce.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace gpuconv::test {

/// A sample of every signal here, in [-8, 8): small integers, so that sums of few products are exact in any type.
__host__ __device__ inline int sample_at(std::int64_t i) {
  std::uint64_t z = static_cast<std::uint64_t>(i) * 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 29)) * 0xbf58476d1ce4e5b9U;
  return static_cast<int>(z >> 60) - 8;
}
/// A tap of every filter here, in [-2, 2].
__host__ __device__ inline int tap_at(std::int64_t j) { return static_cast<int>(j * j % 7) - (j % 7 > 3 ? 3 : 2); }

/// A whole number as an element; of a complex one it is the real part.
template <class T>
__host__ __device__ T element_of(int value) {
  if constexpr (is_complex(type_of<T>)) return T(static_cast<typename T::value_type>(value));
  else return static_cast<T>(value);
}

template <class T>
struct Sample {
  __host__ __device__ T operator()(std::int64_t i) const { return element_of<T>(sample_at(i)); }
};

template <class T>
std::vector<T> taps(std::int64_t count) {
  std::vector<T> out;
  for (std::int64_t j = 0; j < count; ++j) out.push_back(element_of<T>(tap_at(j)));
  return out;
}

/// `count` samples in device memory.
template <class T>
DeviceBuffer<T> samples(std::int64_t count) {
  DeviceBuffer<T> out(count);
  thrust::tabulate(thrust::cuda::par, out.data(), out.data() + count, Sample<T>());
  return out;
}

/// How far a result is from the right one.
struct Difference {
  double largest = 0;            // NaN counts as infinite
  double squares = 0, norm = 0;  // sums of squares: of the differences, of the right values
  double relative_l2() const { return std::sqrt(squares / norm); }
};

struct Worse {
  __host__ __device__ Difference operator()(Difference const& a, Difference const& b) const {
    return {a.largest > b.largest ? a.largest : b.largest, a.squares + b.squares, a.norm + b.norm};
  }
};

/// The difference of one output of a batch of rows that lie one after the other, as the signal's do.
template <class R>
struct Judge {
  R const* out;
  std::int64_t signal, taps, first, length;

  __device__ Difference operator()(std::int64_t i) const {
    const std::int64_t row = i / length, k = first + i % length;
    const std::int64_t low = k - signal + 1 > 0 ? k - signal + 1 : 0, high = k + 1 < taps ? k + 1 : taps;
    long long sum = 0;
    for (std::int64_t j = low; j < high; ++j) sum += tap_at(j) * sample_at(row * signal + k - j);
    const double right = static_cast<double>(sum), d = fabs(static_cast<double>(out[i]) - right);
    return {d <= 1e300 ? d : 1e300, d * d, right * right};
  }
};

/// Compares all outputs with the sums of products, computed anew on the device.
template <class R>
Difference judge(R const* out, Problem const& p) {
  const Slice slice = output_slice(p);
  const thrust::counting_iterator<std::int64_t> begin(0);
  return thrust::transform_reduce(thrust::cuda::par, begin, begin + p.batch * slice.length,
                                  Judge<R>{out, p.signal, p.filter, slice.first, slice.length}, Difference{}, Worse{});
}

/// Bit for bit.
template <class R>
bool same_bits(DeviceBuffer<R> const& a, DeviceBuffer<R> const& b, cudaStream_t stream = nullptr) {
  using Word = std::conditional_t<sizeof(R) == 8, std::uint64_t, std::uint32_t>;
  static_assert(sizeof(R) == sizeof(Word));
  const auto words = [](DeviceBuffer<R> const& buffer) { return reinterpret_cast<Word const*>(buffer.data()); };
  return a.size() == b.size() && thrust::equal(thrust::cuda::par.on(stream), words(a), words(a) + a.size(), words(b));
}

/// A stream that does not wait for the default one.
class OwnStream {
 public:
  OwnStream() { EXPECT_EQ(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), cudaSuccess); }
  ~OwnStream() { cudaStreamDestroy(stream_); }
  OwnStream(OwnStream const&) = delete;
  OwnStream& operator=(OwnStream const&) = delete;
  cudaStream_t get() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

inline std::size_t free_memory() {
  std::size_t free = 0, total = 0;
  EXPECT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
  return free;
}

/// A line that the verification keeps beside the case's result.
template <class... Parts>
void note(Parts const&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  std::printf("[ NOTE     ] %s\n", text.str().c_str());
}

/// Tests that are skipped where there is no GPU.
class GpuTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const DeviceInfo cuda = detail::cuda_device_info(); !cuda.available) GTEST_SKIP() << cuda.detail;
  }
};

/// Tests over the GPU's part of the solver table.
class GpuSolverTest : public testing::TestWithParam<SolverPointer> {
 protected:
  void SetUp() override {
    if (const DeviceInfo cuda = detail::cuda_device_info(); !cuda.available) GTEST_SKIP() << cuda.detail;
  }
  Options options(Memory memory = Memory::device) const {
    return {.method = GetParam()->method, .device = Device::cuda, .memory = memory};
  }
  bool takes(Problem const& problem) const { return test::takes(GetParam(), problem); }
  bool exact() const { return GetParam()->method == Method::direct; }
};

#define GPUCONV_OVER_GPU_SOLVERS(suite)                                                           \
  INSTANTIATE_TEST_SUITE_P(Solvers, suite, testing::ValuesIn(gpuconv::test::cuda_solver_table()), \
                           gpuconv::test::solver_name)

}  // namespace gpuconv::test

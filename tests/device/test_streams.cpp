// What callers without a CUDA header do about devices, and about the order of their streams.
#include <gpuconv/device.hpp>
#include <gpuconv/error.hpp>

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <cstring>
#include <utility>
#include <vector>

namespace gpuconv::test {
namespace {

class Streams : public testing::Test {
 protected:
  void SetUp() override {
    int count = 0;
    if (cudaGetDeviceCount(&count) != cudaSuccess || count == 0) GTEST_SKIP() << "no GPU";
    for (cudaStream_t* stream : {&first, &second})
      ASSERT_EQ(cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking), cudaSuccess);
  }
  void TearDown() override {
    for (cudaStream_t stream : {first, second}) {
      if (stream) static_cast<void>(cudaStreamDestroy(stream));
    }
  }
  static void fill(DeviceBuffer<float>& buffer, unsigned char byte, Stream stream) {
    ASSERT_EQ(cudaMemsetAsync(buffer.data(), byte, buffer.bytes().size, stream.handle()), cudaSuccess);
  }

  cudaStream_t first = nullptr, second = nullptr;
};

TEST_F(Streams, WhatIsEnqueuedAfterAnEventComesAfterItsMoment) {
  DeviceBuffer<float> from(1 << 20), to(1 << 20);
  synchronize({});
  Event event;
  event.precede(second);  // nothing was recorded: waits for nothing
  fill(from, 1, first);
  event.record(first);
  Event moved(std::move(event));
  moved.precede(second);
  const std::size_t bytes = from.bytes().size;
  ASSERT_EQ(cudaMemcpyAsync(to.data(), from.data(), bytes, cudaMemcpyDeviceToDevice, second), cudaSuccess);
  std::vector<float> result(1 << 20), expected(1 << 20);
  copy(to, result, second);
  std::memset(expected.data(), 1, bytes);
  EXPECT_EQ(std::memcmp(result.data(), expected.data(), bytes), 0);
  synchronize(first);
}

TEST_F(Streams, AreCapturedBetweenTwoCallsAndNeverTheDefaultOne) {
  EXPECT_FALSE(is_captured({}));
  EXPECT_FALSE(is_captured(first));
  ASSERT_EQ(cudaStreamBeginCapture(first, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  EXPECT_TRUE(is_captured(first));
  EXPECT_FALSE(is_captured(second));
  cudaGraph_t graph = nullptr;
  ASSERT_EQ(cudaStreamEndCapture(first, &graph), cudaSuccess);
  EXPECT_FALSE(is_captured(first));
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
}

TEST_F(Streams, MemoryIsThatOfADeviceOrOfTheHost) {
  const DeviceBuffer<float> buffer(100);
  int current = -1;
  ASSERT_EQ(cudaGetDevice(&current), cudaSuccess);
  EXPECT_EQ(device_of(buffer.data()), current);
  EXPECT_EQ(device_of(buffer.data() + 99), current);
  std::vector<float> host(3);
  EXPECT_THROW(device_of(host.data()), InvalidArgument);
  void* pinned = nullptr;
  ASSERT_EQ(cudaHostAlloc(&pinned, 8, cudaHostAllocDefault), cudaSuccess);
  EXPECT_THROW(device_of(pinned), InvalidArgument);
  EXPECT_EQ(cudaFreeHost(pinned), cudaSuccess);
}

TEST_F(Streams, ADeviceIsCurrentForAWhileAndOneThatIsNotThereNever) {
  int before = -1, after = -1;
  ASSERT_EQ(cudaGetDevice(&before), cudaSuccess);
  { const OnDevice on(before); }
  EXPECT_THROW(OnDevice(1000), CudaError);
  ASSERT_EQ(cudaGetDevice(&after), cudaSuccess);
  EXPECT_EQ(after, before);
}

}  // namespace
}  // namespace gpuconv::test

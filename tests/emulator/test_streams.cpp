// Streams run as late as CUDA's contract allows, and no later.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

#include "control.hpp"
#include "device_array.hpp"

namespace {

using simt_test::DeviceArray;

// Where streams that nothing orders share memory.
#define SKIP_RACE \
  if (simt_test::with_tsan) GTEST_SKIP() << "ThreadSanitizer reports the race that this is about"

class Stream {
 public:
  explicit Stream(unsigned flags = cudaStreamNonBlocking) {
    EXPECT_EQ(cudaStreamCreateWithFlags(&handle_, flags), cudaSuccess);
  }
  ~Stream() { EXPECT_EQ(cudaStreamDestroy(handle_), cudaSuccess); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  cudaStream_t get() const { return handle_; }
  void wait() const { EXPECT_EQ(cudaStreamSynchronize(handle_), cudaSuccess); }

 private:
  cudaStream_t handle_ = nullptr;
};

class Event {
 public:
  explicit Event(unsigned flags = cudaEventDefault) {
    EXPECT_EQ(cudaEventCreateWithFlags(&handle_, flags), cudaSuccess);
  }
  ~Event() { EXPECT_EQ(cudaEventDestroy(handle_), cudaSuccess); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  cudaEvent_t get() const { return handle_; }

 private:
  cudaEvent_t handle_ = nullptr;
};

/// One int in device memory, and a pinned one that it is copied to.
class StreamTest : public testing::Test {
 protected:
  StreamTest() {
    void* p = nullptr;
    EXPECT_EQ(cudaMallocHost(&p, sizeof(int)), cudaSuccess);
    pinned_ = static_cast<int*>(p);
    *pinned_ = 0;
  }
  ~StreamTest() override { EXPECT_EQ(cudaFreeHost(pinned_), cudaSuccess); }

  void set_on(cudaStream_t stream, int value) {
    EXPECT_EQ(cudaMemsetAsync(device_.data(), value, sizeof(int), stream), cudaSuccess);
  }
  void read_on(cudaStream_t stream) {
    EXPECT_EQ(cudaMemcpyAsync(pinned_, device_.data(), sizeof(int), cudaMemcpyDeviceToHost, stream), cudaSuccess);
  }

  /// The value that is there now, whoever may be writing it.
  [[gnu::no_sanitize("thread")]] int seen() const { return *pinned_; }

  DeviceArray<int> device_{std::vector<int>{0}};
  int* pinned_ = nullptr;
  static constexpr int ones = 0x01010101;
};

TEST_F(StreamTest, WorkWaitsUntilSomebodyWaitsForIt) {
  const Stream stream;
  set_on(stream.get(), 1);
  read_on(stream.get());
  EXPECT_EQ(seen(), 0);
  EXPECT_EQ(standin::pending_operations(), 2);
  stream.wait();
  EXPECT_EQ(seen(), ones);
  EXPECT_EQ(standin::pending_operations(), 0);
}

TEST_F(StreamTest, WhatIsCapturedIsDoneWhenTheGraphIsLaunchedAndAsOften) {
  const Stream stream;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t runnable = nullptr;
  ASSERT_EQ(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal), cudaSuccess);
  set_on(stream.get(), 1);
  read_on(stream.get());
  EXPECT_EQ(cudaStreamSynchronize(stream.get()), cudaErrorStreamCaptureUnsupported);
  ASSERT_EQ(cudaStreamEndCapture(stream.get(), &graph), cudaSuccess);
  ASSERT_EQ(cudaGraphInstantiate(&runnable, graph, 0), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
  stream.wait();
  EXPECT_EQ(seen(), 0);
  for (int i = 0; i < 2; ++i) {
    *pinned_ = 0;
    EXPECT_EQ(cudaGraphLaunch(runnable, stream.get()), cudaSuccess);
    stream.wait();
    EXPECT_EQ(seen(), ones);
  }
  EXPECT_EQ(cudaGraphExecDestroy(runnable), cudaSuccess);
  EXPECT_EQ(cudaStreamBeginCapture(nullptr, cudaStreamCaptureModeGlobal), cudaErrorStreamCaptureUnsupported);
  EXPECT_EQ(cudaStreamEndCapture(stream.get(), &graph), cudaErrorIllegalState);
  cudaGetLastError();
}

TEST_F(StreamTest, QueriesMakeProgress) {
  const Stream stream;
  set_on(stream.get(), 1);
  read_on(stream.get());
  int not_ready = 0;
  while (cudaStreamQuery(stream.get()) == cudaErrorNotReady) ++not_ready;
  EXPECT_EQ(not_ready, 2);
  EXPECT_EQ(seen(), ones);
  cudaGetLastError();
}

TEST_F(StreamTest, StreamsDoNotWaitForOneAnother) {
  SKIP_RACE;
  const Stream first, second;
  set_on(first.get(), 1);
  read_on(second.get());
  second.wait();
  EXPECT_EQ(seen(), 0);
  first.wait();
}

TEST_F(StreamTest, AnEventOrdersStreams) {
  const Stream first, second;
  const Event event;
  set_on(first.get(), 1);
  ASSERT_EQ(cudaEventRecord(event.get(), first.get()), cudaSuccess);
  ASSERT_EQ(cudaStreamWaitEvent(second.get(), event.get(), 0), cudaSuccess);
  read_on(second.get());
  second.wait();
  EXPECT_EQ(seen(), ones);
}

TEST_F(StreamTest, AnEventStandsForWhatCameBeforeIt) {
  const Stream stream;
  const Event event;
  set_on(stream.get(), 1);
  read_on(stream.get());
  EXPECT_EQ(cudaEventQuery(event.get()), cudaSuccess);  // never recorded
  ASSERT_EQ(cudaEventRecord(event.get(), stream.get()), cudaSuccess);
  set_on(stream.get(), 2);
  EXPECT_EQ(cudaEventQuery(event.get()), cudaErrorNotReady);
  EXPECT_EQ(cudaEventSynchronize(event.get()), cudaSuccess);
  EXPECT_EQ(seen(), ones);
  EXPECT_EQ(cudaEventQuery(event.get()), cudaSuccess);
  EXPECT_EQ(standin::pending_operations(), 1);
  stream.wait();
  cudaGetLastError();
}

TEST_F(StreamTest, EventsMeasureTime) {
  const Stream stream;
  const Event start, end, untimed(cudaEventDisableTiming);
  float milliseconds = -1.0f;
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start.get(), end.get()), cudaErrorInvalidResourceHandle);
  for (const Event* event : {&start, &end, &untimed})
    ASSERT_EQ(cudaEventRecord(event->get(), stream.get()), cudaSuccess);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start.get(), end.get()), cudaErrorNotReady);
  stream.wait();
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start.get(), untimed.get()), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start.get(), end.get()), cudaSuccess);
  EXPECT_GE(milliseconds, 0.0f);
  cudaGetLastError();
}

TEST_F(StreamTest, TheDefaultStreamWaitsForBlockingStreams) {
  SKIP_RACE;
  const Stream blocking(cudaStreamDefault), free;
  set_on(blocking.get(), 1);
  read_on(nullptr);
  ASSERT_EQ(cudaMemsetAsync(device_.data(), 7, sizeof(int), blocking.get()), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(nullptr), cudaSuccess);
  EXPECT_EQ(seen(), ones);
  blocking.wait();
  set_on(free.get(), 3);
  read_on(nullptr);
  EXPECT_EQ(cudaStreamSynchronize(nullptr), cudaSuccess);
  EXPECT_EQ(seen(), 7 * ones);
  free.wait();
}

TEST_F(StreamTest, BlockingStreamsWaitForTheDefaultStream) {
  SKIP_RACE;
  const Stream blocking(cudaStreamDefault), free;
  set_on(nullptr, 1);
  read_on(free.get());
  free.wait();
  EXPECT_EQ(seen(), 0);
  read_on(blocking.get());
  blocking.wait();
  EXPECT_EQ(seen(), ones);
}

TEST_F(StreamTest, PageableMemoryIsReadBeforeTheCallReturns) {
  const Stream stream;
  int value = 5;
  ASSERT_EQ(cudaMemcpyAsync(device_.data(), &value, sizeof value, cudaMemcpyHostToDevice, stream.get()), cudaSuccess);
  value = 6;
  read_on(stream.get());
  EXPECT_EQ(seen(), 0);
  stream.wait();
  EXPECT_EQ(seen(), 5);
}

TEST_F(StreamTest, PinnedMemoryIsReadWhenTheStreamGetsThere) {
  const Stream stream;
  *pinned_ = 5;
  ASSERT_EQ(cudaMemcpyAsync(device_.data(), pinned_, sizeof(int), cudaMemcpyHostToDevice, stream.get()), cudaSuccess);
  EXPECT_EQ(standin::pending_operations(), 1);
  stream.wait();
  EXPECT_EQ(device_.download()[0], 5);
}

TEST_F(StreamTest, PageableMemoryIsWrittenBeforeTheCallReturns) {
  const Stream stream;
  set_on(stream.get(), 1);
  int value = 0;
  ASSERT_EQ(cudaMemcpyAsync(&value, device_.data(), sizeof value, cudaMemcpyDeviceToHost, stream.get()), cudaSuccess);
  EXPECT_EQ(value, ones);
}

TEST_F(StreamTest, MemoryComesAndGoesInTheStreamsOrder) {
  const Stream stream;
  const std::int64_t before = standin::live_allocations();
  void* p = nullptr;
  ASSERT_EQ(cudaMallocAsync(&p, sizeof(int), stream.get()), cudaSuccess);
  ASSERT_EQ(cudaMemsetAsync(p, 1, sizeof(int), stream.get()), cudaSuccess);
  ASSERT_EQ(cudaMemcpyAsync(pinned_, p, sizeof(int), cudaMemcpyDeviceToHost, stream.get()), cudaSuccess);
  ASSERT_EQ(cudaFreeAsync(p, stream.get()), cudaSuccess);
  EXPECT_EQ(standin::live_allocations(), before + 1);
  stream.wait();
  EXPECT_EQ(standin::live_allocations(), before);
  EXPECT_EQ(seen(), ones);
}

TEST_F(StreamTest, FreeingWaitsForWork) {
  const Stream stream;
  void* p = nullptr;
  ASSERT_EQ(cudaMalloc(&p, sizeof(int)), cudaSuccess);
  ASSERT_EQ(cudaMemsetAsync(p, 1, sizeof(int), stream.get()), cudaSuccess);
  ASSERT_EQ(cudaMemcpyAsync(pinned_, p, sizeof(int), cudaMemcpyDeviceToHost, stream.get()), cudaSuccess);
  ASSERT_EQ(cudaFree(p), cudaSuccess);
  EXPECT_EQ(seen(), ones);
}

TEST_F(StreamTest, WorkOfADestroyedStreamIsExecuted) {
  {
    const Stream stream;
    set_on(stream.get(), 1);
  }
  EXPECT_EQ(standin::pending_operations(), 1);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  EXPECT_EQ(device_.download()[0], ones);
}

TEST_F(StreamTest, IndependentStreamsComeInAnyOrder) {
  SKIP_RACE;
  std::set<int> values;
  const Stream first, second;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    standin::set_seed(seed);
    set_on(first.get(), 1);
    set_on(second.get(), 2);
    ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    values.insert(device_.download()[0]);
  }
  EXPECT_EQ(values, (std::set<int>{ones, 2 * ones}));
}

TEST(StreamThreads, ServeSeveralHostThreads) {
  const auto work = [](int value) {
    const Stream stream;
    const DeviceArray<int> device(std::vector<int>(1000, value));
    std::vector<int> host(1000);
    for (int round = 0; round < 20; ++round) {
      EXPECT_EQ(cudaMemsetAsync(device.data(), value, device.bytes(), stream.get()), cudaSuccess);
      EXPECT_EQ(cudaMemcpyAsync(host.data(), device.data(), device.bytes(), cudaMemcpyDeviceToHost, stream.get()),
                cudaSuccess);
      stream.wait();
      EXPECT_EQ(host[999], value * 0x01010101);
    }
    EXPECT_EQ(cudaSetDevice(value), cudaErrorInvalidDevice);
    EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidDevice);  // each thread has its own
  };
  std::thread one(work, 1), two(work, 2);
  one.join();
  two.join();
  EXPECT_EQ(cudaPeekAtLastError(), cudaSuccess);
}

}  // namespace

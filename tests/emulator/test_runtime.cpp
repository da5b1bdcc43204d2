// The stand-in for the CUDA runtime: memory, copies and errors as CUDA has them, and the controls of tests.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "control.hpp"
#include "device_array.hpp"

namespace {

using simt_test::DeviceArray;

/// Every test ends with nothing left.
class RuntimeTest : public testing::Test {
 protected:
  RuntimeTest() { standin::reset(); }
  ~RuntimeTest() override {
    standin::reset();
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    EXPECT_EQ(standin::live_allocations(), allocations_);
    EXPECT_EQ(standin::live_handles(), handles_);
    cudaGetLastError();
  }

 private:
  std::int64_t allocations_ = standin::live_allocations(), handles_ = standin::live_handles();
};

void* allocate(std::size_t bytes) {
  void* p = nullptr;
  EXPECT_EQ(cudaMalloc(&p, bytes), cudaSuccess);
  return p;
}
char* at(void* p, std::ptrdiff_t offset) { return static_cast<char*>(p) + offset; }

cudaMemoryType type_of(const void* p) {
  cudaPointerAttributes attributes;
  EXPECT_EQ(cudaPointerGetAttributes(&attributes, p), cudaSuccess);
  return attributes.type;
}

// ---- memory ------------------------------------------------------------------------------------------------------

TEST_F(RuntimeTest, KnowsWhichMemoryAPointerIsIn) {
  void* pinned = nullptr;
  ASSERT_EQ(cudaMallocHost(&pinned, 10), cudaSuccess);
  void* const device = allocate(10);
  int host = 0;
  EXPECT_EQ(type_of(&host), cudaMemoryTypeUnregistered);
  EXPECT_EQ(type_of(nullptr), cudaMemoryTypeUnregistered);
  for (const std::ptrdiff_t inside : {0, 1, 9}) {
    EXPECT_EQ(type_of(at(pinned, inside)), cudaMemoryTypeHost);
    EXPECT_EQ(type_of(at(device, inside)), cudaMemoryTypeDevice);
  }
  for (const std::ptrdiff_t outside : {-1, 10}) {
    EXPECT_EQ(type_of(at(pinned, outside)), cudaMemoryTypeUnregistered);
    EXPECT_EQ(type_of(at(device, outside)), cudaMemoryTypeUnregistered);
  }
  EXPECT_EQ(cudaFreeHost(pinned), cudaSuccess);
  EXPECT_EQ(cudaFree(device), cudaSuccess);
  EXPECT_EQ(type_of(device), cudaMemoryTypeUnregistered);
}

TEST_F(RuntimeTest, AlignsAndFillsDeviceMemory) {
  for (const std::size_t bytes : {1u, 255u, 256u, 1000u}) {
    const DeviceArray<unsigned char> array(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(array.data()) % 256, 0u);
    EXPECT_EQ(array.download(), std::vector<unsigned char>(bytes, 0xff));
  }
}

TEST_F(RuntimeTest, GivesNoMemoryForNoBytes) {
  void* p = &p;
  EXPECT_EQ(cudaMalloc(&p, 0), cudaSuccess);
  EXPECT_EQ(p, nullptr);
  EXPECT_EQ(cudaFree(nullptr), cudaSuccess);
  EXPECT_EQ(cudaFreeHost(nullptr), cudaSuccess);
  EXPECT_EQ(cudaFreeAsync(nullptr, nullptr), cudaSuccess);
}

TEST_F(RuntimeTest, FreesOnlyWhatItGave) {
  void* const device = allocate(8);
  int host = 0;
  EXPECT_EQ(cudaFree(&host), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFree(at(device, 1)), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFreeHost(device), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFreeAsync(at(device, 1), nullptr), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFreeAsync(device, nullptr), cudaSuccess);
  EXPECT_EQ(cudaFreeAsync(device, nullptr), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFree(device), cudaErrorInvalidValue);
}

TEST_F(RuntimeTest, HasAsMuchMemoryAsATestSays) {
  standin::set_device_memory(1000);
  std::size_t available = 0, total = 0;
  void* const first = allocate(600);
  ASSERT_EQ(cudaMemGetInfo(&available, &total), cudaSuccess);
  EXPECT_EQ(available, 400u);
  EXPECT_EQ(total, 1000u);
  void* p = nullptr;
  EXPECT_EQ(cudaMalloc(&p, 401), cudaErrorMemoryAllocation);
  EXPECT_EQ(p, nullptr);
  EXPECT_EQ(cudaMallocAsync(&p, SIZE_MAX, nullptr), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaFreeAsync(first, nullptr), cudaSuccess);  // has not happened yet, but makes room
  ASSERT_EQ(cudaMalloc(&p, 1000), cudaSuccess);
  EXPECT_EQ(cudaFree(p), cudaSuccess);
}

// ---- copies ------------------------------------------------------------------------------------------------------

TEST_F(RuntimeTest, CopiesEveryWay) {
  const std::vector<int> from{1, 2, 3};
  const DeviceArray<int> first(from), second(3);
  ASSERT_EQ(cudaMemcpy(second.data(), first.data(), first.bytes(), cudaMemcpyDeviceToDevice), cudaSuccess);
  EXPECT_EQ(second.download(), from);
  std::vector<int> to(3);
  ASSERT_EQ(cudaMemcpy(to.data(), from.data(), first.bytes(), cudaMemcpyHostToHost), cudaSuccess);
  EXPECT_EQ(to, from);
  ASSERT_EQ(cudaMemcpy(to.data(), second.data() + 1, sizeof(int), cudaMemcpyDefault), cudaSuccess);
  EXPECT_EQ(to, (std::vector<int>{2, 2, 3}));
}

TEST_F(RuntimeTest, RefusesCopiesThatDoNotFit) {
  const DeviceArray<char> device(10), other(10);
  std::array<char, 20> host{};
  const auto copy = [](void* to, const void* from, std::size_t bytes, cudaMemcpyKind direction) {
    return cudaMemcpyAsync(to, from, bytes, direction, nullptr);
  };
  EXPECT_EQ(copy(device.data(), host.data(), 10, cudaMemcpyHostToDevice), cudaSuccess);
  EXPECT_EQ(copy(device.data() + 1, host.data(), 9, cudaMemcpyHostToDevice), cudaSuccess);
  EXPECT_EQ(copy(device.data() + 10, host.data(), 0, cudaMemcpyHostToDevice), cudaSuccess);
  EXPECT_EQ(copy(device.data(), host.data(), 11, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(copy(device.data() + 1, host.data(), 10, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(copy(host.data(), device.data(), 11, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  EXPECT_EQ(copy(device.data(), host.data(), 1, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  EXPECT_EQ(copy(device.data(), host.data(), 1, cudaMemcpyDeviceToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(copy(device.data(), other.data(), 1, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(copy(device.data(), nullptr, 1, cudaMemcpyDefault), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemsetAsync(device.data() + 1, 0, 9, nullptr), cudaSuccess);
  EXPECT_EQ(cudaMemsetAsync(device.data() + 1, 0, 10, nullptr), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemset(host.data(), 0, 1), cudaErrorInvalidValue);
}

TEST_F(RuntimeTest, CopiesRowsWithPitches) {
  const DeviceArray<char> device(std::vector<char>(11, '.'));
  ASSERT_EQ(cudaMemcpy2D(device.data(), 4, "abcdefghi", 3, 3, 3, cudaMemcpyHostToDevice), cudaSuccess);
  const std::vector<char> rows = device.download();
  EXPECT_EQ(std::string_view(rows.data(), rows.size()), "abc.def.ghi");
  std::array<char, 7> host{};
  ASSERT_EQ(cudaMemcpy2DAsync(host.data(), 2, device.data(), 4, 2, 3, cudaMemcpyDeviceToHost, nullptr), cudaSuccess);
  EXPECT_EQ(std::string_view(host.data()), "abdegh");
  EXPECT_EQ(cudaMemcpy2D(device.data(), 4, host.data(), 2, 3, 2, cudaMemcpyHostToDevice), cudaErrorInvalidPitchValue);
  EXPECT_EQ(cudaMemcpy2D(device.data(), 4, host.data(), 4, 4, 3, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
}

// ---- errors ------------------------------------------------------------------------------------------------------

TEST_F(RuntimeTest, KeepsTheLastErrorUntilItIsRead) {
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  EXPECT_EQ(cudaSetDevice(7), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaSetDevice(0), cudaSuccess);
  EXPECT_EQ(cudaPeekAtLastError(), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  EXPECT_STREQ(cudaGetErrorName(cudaErrorInvalidDevice), "cudaErrorInvalidDevice");
  EXPECT_STREQ(cudaGetErrorString(cudaErrorInvalidDevice), "invalid device ordinal");
  EXPECT_STREQ(cudaGetErrorName(static_cast<cudaError_t>(12345)), "unrecognized error code");
}

TEST_F(RuntimeTest, RefusesUnknownHandles) {
  cudaStream_t stream = nullptr;
  cudaEvent_t event = nullptr;
  ASSERT_EQ(cudaStreamCreate(&stream), cudaSuccess);
  ASSERT_EQ(cudaEventCreate(&event), cudaSuccess);
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
  EXPECT_EQ(cudaEventDestroy(event), cudaSuccess);
  EXPECT_EQ(cudaStreamDestroy(stream), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaEventRecord(event, nullptr), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaEventDestroy(event), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaEventDestroy(nullptr), cudaErrorInvalidResourceHandle);
}

TEST_F(RuntimeTest, MayReturnFromACopyOfPageableMemoryBeforeItIsDone) {
  void* const p = allocate(1);
  ASSERT_EQ(cudaMemcpy(p, "x", 1, cudaMemcpyHostToDevice), cudaSuccess);
  EXPECT_EQ(standin::pending_operations(), 1);
  EXPECT_EQ(cudaFree(p), cudaSuccess);
}

// ---- controls ----------------------------------------------------------------------------------------------------

TEST_F(RuntimeTest, FailsTheCallThatATestNames) {
  void* p = nullptr;
  int device = 0;
  standin::fail_call(2);
  EXPECT_EQ(cudaFree(nullptr), cudaSuccess);  // does not count
  EXPECT_EQ(cudaGetDevice(&device), cudaSuccess);
  EXPECT_TRUE(standin::failure_pending());
  EXPECT_EQ(cudaMalloc(&p, 4), cudaErrorMemoryAllocation);
  EXPECT_FALSE(standin::failure_pending());
  EXPECT_EQ(cudaGetLastError(), cudaErrorMemoryAllocation);
  standin::fail_call(2, "cudaMalloc", cudaErrorIllegalAddress);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(cudaGetDevice(&device), cudaSuccess);
  void* const first = allocate(4);
  EXPECT_EQ(cudaMalloc(&p, 4), cudaErrorIllegalAddress);
  EXPECT_EQ(cudaFree(first), cudaSuccess);
}

TEST_F(RuntimeTest, CountsCalls) {
  { const DeviceArray<int> array(1); }
  EXPECT_EQ(standin::calls(), 2);
  EXPECT_EQ(standin::calls("cudaMalloc"), 1);
  EXPECT_EQ(standin::calls("cudaMemcpy"), 0);
  EXPECT_EQ(standin::allocation_calls(), 2);
  EXPECT_EQ(standin::synchronizing_calls(), 1);
}

TEST_F(RuntimeTest, AnswersAsWithoutADriver) {
  standin::set_machine(standin::Machine::no_driver);
  int value = -1;
  void* p = nullptr;
  EXPECT_EQ(cudaGetDeviceCount(&value), cudaErrorInsufficientDriver);
  EXPECT_EQ(cudaMalloc(&p, 4), cudaErrorInsufficientDriver);
  EXPECT_EQ(cudaFree(nullptr), cudaErrorInsufficientDriver);
  EXPECT_EQ(cudaDriverGetVersion(&value), cudaSuccess);
  EXPECT_EQ(value, 0);
  EXPECT_EQ(cudaRuntimeGetVersion(&value), cudaSuccess);
  EXPECT_EQ(value, CUDART_VERSION);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInsufficientDriver);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInsufficientDriver);
  standin::set_machine(standin::Machine::no_device);
  EXPECT_EQ(cudaGetDeviceCount(&value), cudaErrorNoDevice);
  EXPECT_EQ(value, 0);
}

TEST_F(RuntimeTest, DescribesTheDevice) {
  standin::set_multiprocessors(7);
  cudaDeviceProp properties;
  ASSERT_EQ(cudaGetDeviceProperties(&properties, 0), cudaSuccess);
  EXPECT_STREQ(properties.name, "emulated GPU");
  int value = 0;
  ASSERT_EQ(cudaDeviceGetAttribute(&value, cudaDevAttrMultiProcessorCount, 0), cudaSuccess);
  EXPECT_EQ(value, 7);
  EXPECT_EQ(properties.multiProcessorCount, 7);
  ASSERT_EQ(cudaDeviceGetAttribute(&value, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0), cudaSuccess);
  EXPECT_EQ(static_cast<std::size_t>(value), properties.sharedMemPerBlockOptin);
  EXPECT_EQ(cudaDeviceGetAttribute(&value, cudaDevAttrMultiProcessorCount, 1), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&value, nullptr, 256, 100 << 10), cudaSuccess);
  EXPECT_EQ(value, 2);
}

TEST_F(RuntimeTest, NoticesWritesBeyondPinnedMemory) {
  if (simt_test::with_asan) GTEST_SKIP() << "AddressSanitizer sees them first";
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        void* p = nullptr;
        cudaMallocHost(&p, 3);
        *static_cast<volatile char*>(at(p, 3)) = 1;
        cudaFreeHost(p);
      },
      "wrote beyond the ends of 3 bytes");
}

}  // namespace

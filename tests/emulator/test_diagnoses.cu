// What a GPU would leave undefined stops the program, with the place in the kernel.
#include <gtest/gtest.h>

#include <vector>

#include "control.hpp"
#include "device.cuh"
#include "device_array.hpp"

namespace {

using gpuconv::device::dynamic_shared;
using gpuconv::device::launch;
using simt_test::DeviceArray;
using simt_test::with_asan;

template <class... Parameters, class... Arguments>
void run(void (*kernel)(Parameters...), unsigned threads, Arguments... arguments) {
  EXPECT_EQ(launch(kernel, 1, threads, 16 * sizeof(float), nullptr, arguments...), cudaSuccess);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
}

class DiagnosisDeathTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

__global__ void barrier_in_a_branch() {
  if (threadIdx.x < 32) __syncthreads();
  __syncthreads();
}
TEST_F(DiagnosisDeathTest, DivergentBlockBarriers) {
  EXPECT_DEATH(run(barrier_in_a_branch, 64), "simt: .*test_diagnoses.cu:[0-9]+: divergent __syncthreads");
}

__global__ void lanes_wait_for_others() {
  if (threadIdx.x < 16) __shfl_sync(0x0001ffffu, 1, 0);
  else __syncthreads();
}
TEST_F(DiagnosisDeathTest, Deadlocks) {
  EXPECT_DEATH(run(lanes_wait_for_others, 32), "others wait here at __syncthreads.*\n.*deadlock: waits for lanes");
}

__global__ void leaves_itself_out() { __syncwarp(2u); }
TEST_F(DiagnosisDeathTest, MasksWithoutTheirCaller) {
  EXPECT_DEATH(run(leaves_itself_out, 1),
               "the mask leaves out the calling lane; block \\(0,0,0\\), thread \\(0,0,0\\)");
}

__global__ void reads_a_missing_lane() { __shfl_sync(0xffffffffu, 1, 9); }
TEST_F(DiagnosisDeathTest, ShufflesFromLanesThatAreNotThere) {
  EXPECT_DEATH(run(reads_a_missing_lane, 8), "a shuffle reads a lane that takes no part");
}

__global__ void two_shuffles() {
  if (threadIdx.x < 16) __shfl_sync(0xffffffffu, 1, 0);
  else __shfl_sync(0xffffffffu, 1, 1);
}
TEST_F(DiagnosisDeathTest, LanesThatMeetAtDifferentPlaces) { EXPECT_DEATH(run(two_shuffles, 32), "divergent warp"); }

__global__ void odd_width() { __shfl_sync(0xffffffffu, 1, 0, 12); }
TEST_F(DiagnosisDeathTest, WidthsOfShuffles) { EXPECT_DEATH(run(odd_width, 32), "a power of two up to 32"); }

__global__ void copy_async(const float* from, int to_offset, int from_offset, std::size_t bytes, std::size_t fill) {
  __pipeline_memcpy_async(dynamic_shared<float>() + to_offset, from + from_offset, bytes, fill);
}
TEST_F(DiagnosisDeathTest, AsyncCopiesThatCannotBe) {
  const DeviceArray<float> from(std::vector<float>(16, 1.0f));
  const auto copy = [&from](int to_offset, int from_offset, std::size_t bytes, std::size_t fill) {
    run(copy_async, 1, from.data(), to_offset, from_offset, bytes, fill);
  };
  copy(12, 12, 16, 0);
  copy(12, 15, 4, 0);
  copy(15, 16, 4, 4);
  EXPECT_DEATH(copy(0, 0, 12, 0), "move 4, 8 or 16 bytes");
  EXPECT_DEATH(copy(0, 0, 4, 8), "fills more with zeros");
  EXPECT_DEATH(copy(1, 0, 8, 0), "not aligned");
  EXPECT_DEATH(copy(0, 2, 16, 0), "not aligned");
  EXPECT_DEATH(copy(16, 0, 4, 0), "does not go to shared memory");
  EXPECT_DEATH(copy(-1, 0, 4, 0), "does not go to shared memory");
  EXPECT_DEATH(copy(0, 16, 4, 0), "does not come from device memory");
}

__global__ void write_shared(int index) { dynamic_shared<float>()[index] = 0.0f; }
TEST_F(DiagnosisDeathTest, WritesBeyondSharedMemory) {
  const char* const expected = with_asan ? "heap-buffer-overflow" : "the block wrote beyond the ends of an array";
  run(write_shared, 1, 0);
  run(write_shared, 1, 15);
  EXPECT_DEATH(run(write_shared, 1, 16), expected);
  EXPECT_DEATH(run(write_shared, 1, -1), expected);
}

__global__ void write_global(float* p) { *p = 0.0f; }
TEST_F(DiagnosisDeathTest, WritesBeyondDeviceMemory) {
  const char* const expected = with_asan ? "heap-buffer-overflow" : "wrote beyond the ends of 12 bytes";
  EXPECT_DEATH(
      {
        const DeviceArray<float> array(3);
        run(write_global, 1, array.data() + 3);
      },
      expected);
}

TEST_F(DiagnosisDeathTest, HostPointersAsArguments) {
  static float host = 0.0f;
  EXPECT_DEATH(launch(write_global, 1, 1, 0, nullptr, &host), "not device memory, is passed to a kernel");
  const DeviceArray<float> array(3);
  EXPECT_DEATH(launch(write_global, 1, 1, 0, nullptr, array.data() + 4), "not device memory");
  EXPECT_DEATH(launch(write_global, 1, 1, 0, nullptr, array.data() - 1), "not device memory");
}

__global__ void use_much_stack(char* out) {
  volatile char large[300 << 10];
  large[0] = 1;
  large[(300 << 10) - 1] = 1;
  *out = large[0];
}
TEST_F(DiagnosisDeathTest, LocalsThatOverflowTheStack) {
  const DeviceArray<char> out(1);
  EXPECT_DEATH(run(use_much_stack, 2, out.data()), "");
}

TEST_F(DiagnosisDeathTest, HostReadsOfDeviceMemory) {
  if (!with_asan) GTEST_SKIP() << "only AddressSanitizer sees them";
  const DeviceArray<float> array(std::vector<float>{1.0f});
  const volatile float* const p = array.data();
  EXPECT_DEATH(static_cast<void>(*p), "use-after-poison");
}

}  // namespace

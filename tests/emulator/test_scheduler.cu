// The emulator runs kernels as a GPU would, in an order that a GPU might: launches, barriers and shared memory.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "control.hpp"
#include "device.cuh"
#include "device_array.hpp"

namespace {

using gpuconv::device::allow_dynamic_shared;
using gpuconv::device::dynamic_shared;
using gpuconv::device::launch;
using simt_test::DeviceArray;

// ---- launches ----------------------------------------------------------------------------------------------------

__global__ void count_visits(unsigned* visits) {
  const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  ++visits[block * blockDim.x * blockDim.y * blockDim.z + thread];
}

TEST(Launch, RunsEveryThreadOnce) {
  const dim3 grid(2, 3, 4), block(5, 7, 2);
  const DeviceArray<unsigned> visits(std::vector<unsigned>(24 * 70));
  ASSERT_EQ(launch(count_visits, grid, block, 0, nullptr, visits.data()), cudaSuccess);
  EXPECT_EQ(visits.download(), std::vector<unsigned>(24 * 70, 1));
}

__global__ void store(double* out, double value, const double* from) { *out = from ? *from : value; }

TEST(Launch, ConvertsAndCopiesItsArgumentsAtOnce) {
  const DeviceArray<double> out(1);
  float value = 3.0f;
  ASSERT_EQ(launch(store, 1, 1, 0, nullptr, out.data(), value, nullptr), cudaSuccess);
  value = 4.0f;
  EXPECT_EQ(out.download()[0], 3.0);
}

TEST(Launch, RefusesWhatADeviceCannotRun) {
  const auto try_launch = [](dim3 grid, dim3 block) {
    return launch(store, grid, block, 0, nullptr, nullptr, 0.0, nullptr);
  };
  EXPECT_EQ(try_launch(0, 1), cudaErrorInvalidConfiguration);
  EXPECT_EQ(try_launch(1, 0), cudaErrorInvalidConfiguration);
  EXPECT_EQ(try_launch(1, 1025), cudaErrorInvalidConfiguration);
  EXPECT_EQ(try_launch(1, dim3(1, 1, 65)), cudaErrorInvalidConfiguration);
  EXPECT_EQ(try_launch(dim3(1, 65536), 1), cudaErrorInvalidConfiguration);
  EXPECT_EQ(try_launch(dim3(1u << 31), 1), cudaErrorInvalidConfiguration);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidConfiguration);
  EXPECT_EQ(standin::pending_operations(), 0);
}

__global__ void touch_last(std::size_t count) { dynamic_shared<float>()[count - 1] = 0.0f; }

TEST(Launch, NeedsConsentForMuchSharedMemory) {
  constexpr std::size_t small = 48 << 10, large = 227 << 10;
  EXPECT_EQ(launch(touch_last, 1, 1, small, nullptr, small / sizeof(float)), cudaSuccess);
  EXPECT_EQ(launch(touch_last, 1, 1, small + 1, nullptr, small / sizeof(float)), cudaErrorInvalidValue);
  EXPECT_EQ(allow_dynamic_shared(touch_last, large + 1), cudaErrorInvalidValue);
  EXPECT_EQ(allow_dynamic_shared(touch_last, large), cudaSuccess);
  EXPECT_EQ(launch(touch_last, 1, 1, large, nullptr, large / sizeof(float)), cudaSuccess);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
}

// ---- order -------------------------------------------------------------------------------------------------------

__global__ void note_order(unsigned* place, unsigned* next) {
  place[blockIdx.x * blockDim.x + threadIdx.x] = atomicAdd(next, 1u);
}

std::vector<unsigned> order_with_seed(std::uint64_t seed) {
  standin::set_seed(seed);
  const DeviceArray<unsigned> place(64), next(std::vector<unsigned>(1));
  EXPECT_EQ(launch(note_order, 4, 16, 0, nullptr, place.data(), next.data()), cudaSuccess);
  return place.download();
}

TEST(Order, ComesFromTheSeed) {
  const std::vector<unsigned> one = order_with_seed(1), two = order_with_seed(2), again = order_with_seed(1);
  EXPECT_EQ(one, again);
  EXPECT_NE(one, two);
  std::vector<unsigned> ascending(64), sorted = one;
  std::iota(ascending.begin(), ascending.end(), 0u);
  EXPECT_NE(one, ascending);
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(sorted, ascending);
}

// ---- block barriers ----------------------------------------------------------------------------------------------

__global__ void vote(int* out, int limit) {
  const int thread = static_cast<int>(threadIdx.x);
  const int count = __syncthreads_count(thread < limit), any = __syncthreads_or(thread < limit),
            all = __syncthreads_and(thread < limit);
  out[3 * thread] = count, out[3 * thread + 1] = any, out[3 * thread + 2] = all;
}

TEST(BlockBarrier, CountsVotes) {
  constexpr int threads = 40;
  for (const int yes : {0, 1, 39, 40}) {
    const DeviceArray<int> out(3 * threads);
    ASSERT_EQ(launch(vote, 1, threads, 0, nullptr, out.data(), yes), cudaSuccess);
    const std::vector<int> votes = out.download();
    for (std::size_t i = 0; i < 3 * threads; i += 3) {
      EXPECT_EQ(votes[i], yes);
      EXPECT_EQ(votes[i + 1], yes > 0);
      EXPECT_EQ(votes[i + 2], yes == threads);
    }
  }
}

__global__ void reverse_in_steps(float* values) {
  GPUCONV_SHARED_ARRAY(float, shared, 96);
  const unsigned thread = threadIdx.x;
  for (int round = 0; round < 5; ++round) {
    shared[thread] = values[thread];
    __syncthreads();
    values[thread] = shared[blockDim.x - 1 - thread];
    __syncthreads();
  }
}

TEST(BlockBarrier, SeparatesWritesFromReads) {
  std::vector<float> values(96);
  std::iota(values.begin(), values.end(), 0.0f);
  const DeviceArray<float> device(values);
  ASSERT_EQ(launch(reverse_in_steps, 1, 96, 0, nullptr, device.data()), cudaSuccess);
  std::reverse(values.begin(), values.end());
  EXPECT_EQ(device.download(), values);
}

__global__ void half_of_them_return(unsigned* met) {
  if (threadIdx.x % 2 == 0) return;
  met[threadIdx.x] = static_cast<unsigned>(__syncthreads_count(1));
}

TEST(BlockBarrier, DoesNotWaitForThreadsThatHaveReturned) {
  const DeviceArray<unsigned> met(std::vector<unsigned>(64));
  ASSERT_EQ(launch(half_of_them_return, 1, 64, 0, nullptr, met.data()), cudaSuccess);
  for (std::size_t i = 1; i < 64; i += 2) EXPECT_EQ(met.download()[i], 32u);
}

// ---- shared memory -----------------------------------------------------------------------------------------------

template <int count>
__global__ void is_fresh(int* fresh) {
  GPUCONV_SHARED_ARRAY(float, first, count);
  GPUCONV_SHARED_ARRAY(double, second, 2);
  float* const dynamic = dynamic_shared<float>();
  int all = isnan(second[0]) && isnan(second[1]);
  for (int i = 0; i < count; ++i) all &= isnan(first[i]) && isnan(dynamic[i]);
  __syncthreads();
  for (int i = 0; i < count; ++i) first[i] = dynamic[i] = 1.0f;
  second[0] = second[1] = 2.0;
  for (int i = 0; i < count; ++i) all &= first[i] == 1.0f && dynamic[i] == 1.0f;
  fresh[blockIdx.x] = all;
}

TEST(SharedMemory, IsUnwrittenInEachBlock) {
  const DeviceArray<int> fresh(8);
  ASSERT_EQ(launch(is_fresh<7>, 8, 1, 7 * sizeof(float), nullptr, fresh.data()), cudaSuccess);
  EXPECT_EQ(fresh.download(), std::vector<int>(8, 1));
  ASSERT_EQ(launch(is_fresh<3>, 8, 1, 3 * sizeof(float), nullptr, fresh.data()), cudaSuccess);
  EXPECT_EQ(fresh.download(), std::vector<int>(8, 1));
}

__global__ void is_aligned(int* aligned) {
  GPUCONV_SHARED_ARRAY(char, odd, 3);
  GPUCONV_SHARED_ARRAY(float4, vectors, 1);
  const auto address = [](const void* p) { return reinterpret_cast<std::size_t>(p); };
  odd[0] = 0;
  *aligned = address(vectors) % 16 == 0 && address(dynamic_shared<char>()) % 16 == 0;
}

TEST(SharedMemory, IsAligned) {
  const DeviceArray<int> aligned(1);
  ASSERT_EQ(launch(is_aligned, 1, 1, 5, nullptr, aligned.data()), cudaSuccess);
  EXPECT_EQ(aligned.download()[0], 1);
}

// ---- asynchronous copies -----------------------------------------------------------------------------------------

__global__ void copy_in_groups(const float* from, float* seen) {
  GPUCONV_SHARED_ARRAY(float, shared, 12);
  __pipeline_memcpy_async(&shared[0], &from[0], 16);
  __pipeline_commit();
  __pipeline_memcpy_async(&shared[4], &from[4], 8);
  __pipeline_memcpy_async(&shared[6], &from[6], 4);
  __pipeline_memcpy_async(&shared[8], &from[8], 16, 12);
  __pipeline_commit();
  seen[0] = shared[0];
  __pipeline_wait_prior(1);
  seen[1] = shared[0], seen[2] = shared[4];
  __pipeline_wait_prior(0);
  for (int i = 0; i < 9; ++i) seen[3 + i] = shared[3 + i];
}

TEST(AsyncCopies, TakePlaceAtTheirWait) {
  const DeviceArray<float> from(std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7, 8}), seen(12);  // 8 is all that is read
  ASSERT_EQ(launch(copy_in_groups, 1, 1, 0, nullptr, from.data(), seen.data()), cudaSuccess);
  const std::vector<float> values = seen.download();
  EXPECT_TRUE(std::isnan(values[0]));
  EXPECT_EQ(values[1], 0.0f);
  EXPECT_TRUE(std::isnan(values[2]));
  EXPECT_EQ(std::vector<float>(values.begin() + 3, values.begin() + 7), (std::vector<float>{3, 4, 5, 6}));
  EXPECT_TRUE(std::isnan(values[7]));
  EXPECT_EQ(std::vector<float>(values.begin() + 8, values.end()), (std::vector<float>{8, 0, 0, 0}));
}

}  // namespace

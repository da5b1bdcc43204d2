// Warp barriers, votes and shuffles; atomics; arithmetic.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "device.cuh"
#include "device_array.hpp"

namespace {

using gpuconv::device::launch;
using simt_test::DeviceArray;

constexpr int lanes = 32;
constexpr unsigned everyone = 0xffffffffu;

enum class Shuffle { index, up, down, exclusive_or };

template <class T>
__global__ void shuffle(T* values, Shuffle how, int by, int width) {
  T& own = values[threadIdx.x];
  const unsigned delta = static_cast<unsigned>(by);
  switch (how) {
    case Shuffle::index:
      own = __shfl_sync(everyone, own, by, width);
      break;
    case Shuffle::up:
      own = __shfl_up_sync(everyone, own, delta, width);
      break;
    case Shuffle::down:
      own = __shfl_down_sync(everyone, own, delta, width);
      break;
    case Shuffle::exclusive_or:
      own = __shfl_xor_sync(everyone, own, by, width);
      break;
  }
}

/// Where a lane's value comes from, as the CUDA programming guide has it.
int source(Shuffle how, int lane, int by, int width) {
  const int first = lane / width * width;
  int from = lane;
  if (how == Shuffle::index) from = first + (by % width + width) % width;
  if (how == Shuffle::up) from = lane - by >= first ? lane - by : lane;
  if (how == Shuffle::down) from = lane + by < first + width ? lane + by : lane;
  if (how == Shuffle::exclusive_or) from = (lane ^ by) < first + width ? lane ^ by : lane;
  return from;
}

template <class T>
class ShuffleTest : public testing::Test {};
using ShuffleTypes = testing::Types<int, unsigned, float, double, long long, unsigned long long>;
TYPED_TEST_SUITE(ShuffleTest, ShuffleTypes);

TYPED_TEST(ShuffleTest, MovesValuesBetweenTheRightLanes) {
  std::vector<TypeParam> values(2 * lanes);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<TypeParam>(1e9) - static_cast<TypeParam>(i * 64);
  for (const Shuffle how : {Shuffle::index, Shuffle::up, Shuffle::down, Shuffle::exclusive_or})
    for (const int width : {1, 8, 32})
      for (const int by : {0, 1, 5, 16, 31}) {
        const DeviceArray<TypeParam> device(values);
        ASSERT_EQ(launch(shuffle<TypeParam>, 1, 2 * lanes, 0, nullptr, device.data(), how, by, width), cudaSuccess);
        const std::vector<TypeParam> moved = device.download();
        for (int i = 0; i < 2 * lanes; ++i) {
          const int from = i / lanes * lanes + source(how, i % lanes, by, width);
          EXPECT_EQ(moved[static_cast<std::size_t>(i)], values[static_cast<std::size_t>(from)])
              << "lane " << i << " by " << by << " width " << width;
        }
      }
}

__global__ void votes(unsigned* out) {
  const unsigned lane = threadIdx.x % lanes;
  unsigned* const own = out + 5 * threadIdx.x;
  own[0] = __ballot_sync(everyone, lane % 3 == 0);
  own[1] = static_cast<unsigned>(__any_sync(everyone, lane == 2));
  own[2] = static_cast<unsigned>(__all_sync(everyone, lane < 8));
  const unsigned half = lane < 4 ? 0x0000000fu : 0xfffffff0u;
  own[3] = __ballot_sync(half, 1);
  own[4] = __activemask();
}

TEST(Vote, CountsTheLanesThatAreThere) {
  constexpr unsigned threads = lanes + 8;  // the second warp has 8 lanes
  const DeviceArray<unsigned> out(5 * threads);
  ASSERT_EQ(launch(votes, 1, threads, 0, nullptr, out.data()), cudaSuccess);
  const std::vector<unsigned> seen = out.download();
  for (unsigned thread = 0; thread < threads; ++thread) {
    const unsigned there = thread < lanes ? everyone : 0xffu, lane = thread % lanes;
    const unsigned* const own = &seen[5 * thread];
    EXPECT_EQ(own[0], 0x49249249u & there);
    EXPECT_EQ(own[1], 1u);
    EXPECT_EQ(own[2], thread < lanes ? 0u : 1u);
    EXPECT_EQ(own[3], (lane < 4 ? 0xfu : 0xfffffff0u) & there);
    EXPECT_EQ(own[4] & 1u << lane, 1u << lane);
  }
}

__global__ void sum_by_halving(float* values) {
  GPUCONV_SHARED_ARRAY(float, shared, 2 * lanes);
  const unsigned thread = threadIdx.x, lane = thread % lanes;
  shared[thread] = values[thread];
  __syncwarp();
  for (unsigned distance = lanes / 2; distance > 0; distance /= 2) {
    const float other = lane < distance ? shared[thread + distance] : 0.0f;
    __syncwarp();
    shared[thread] += other;
    __syncwarp();
  }
  values[thread] = shared[thread - lane];
}

TEST(WarpBarrier, SeparatesWritesFromReads) {
  std::vector<float> values(2 * lanes);
  std::iota(values.begin(), values.end(), 0.0f);
  const DeviceArray<float> device(values);
  ASSERT_EQ(launch(sum_by_halving, 1, 2 * lanes, 0, nullptr, device.data()), cudaSuccess);
  const std::vector<float> sums = device.download();
  for (std::size_t i = 0; i < sums.size(); ++i) EXPECT_EQ(sums[i], i < lanes ? 496.0f : 1520.0f);
}

__global__ void halves_meet_apart(unsigned* out) {
  const unsigned mask = threadIdx.x < 16 ? 0x0000ffffu : 0xffff0000u;
  unsigned value = threadIdx.x;
  for (unsigned round = 0; round < (threadIdx.x < 16 ? 3u : 7u); ++round) value = __shfl_xor_sync(mask, value, 1);
  out[threadIdx.x] = value;
}

TEST(WarpBarrier, LetsPartsOfAWarpMeetOnTheirOwn) {
  const DeviceArray<unsigned> out(lanes);
  ASSERT_EQ(launch(halves_meet_apart, 1, lanes, 0, nullptr, out.data()), cudaSuccess);
  for (unsigned i = 0; i < lanes; ++i) EXPECT_EQ(out.download()[i], i ^ 1);
}

struct Totals {
  int sum = 0, largest = 0, smallest = 0, last = -1;
  unsigned bits = 0, cleared = everyone;
  float sum_f = 0;
  double sum_d = 0;
  unsigned long long swapped = 7;
};

__global__ void accumulate(Totals* totals) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  atomicAdd(&totals->sum, i);
  atomicMax(&totals->largest, i);
  atomicMin(&totals->smallest, -i);
  atomicOr(&totals->bits, 1u << i % 32);
  atomicAnd(&totals->cleared, ~(1u << i % 16));
  atomicAdd(&totals->sum_f, 0.5f);
  atomicAdd(&totals->sum_d, 0.25);
  atomicExch(&totals->last, i);
  atomicCAS(&totals->swapped, 7ull, 9ull);
}

TEST(Atomics, LoseNoUpdate) {
  const DeviceArray<Totals> device(std::vector<Totals>(1));
  ASSERT_EQ(launch(accumulate, 4, 64, 0, nullptr, device.data()), cudaSuccess);
  const Totals totals = device.download()[0];
  EXPECT_EQ(totals.sum, 255 * 256 / 2);
  EXPECT_EQ(totals.largest, 255);
  EXPECT_EQ(totals.smallest, -255);
  EXPECT_EQ(totals.bits, everyone);
  EXPECT_EQ(totals.cleared, 0xffff0000u);
  EXPECT_EQ(totals.sum_f, 128.0f);
  EXPECT_EQ(totals.sum_d, 64.0);
  EXPECT_GE(totals.last, 0);
  EXPECT_EQ(totals.swapped, 9u);
}

TEST(Arithmetic, IsExactWhereItCanBe) {
  double sine, cosine;
  sincospi(0.5, &sine, &cosine);
  EXPECT_EQ(sine, 1.0);
  EXPECT_NEAR(cosine, 0.0, 1e-16);
  float sine_f, cosine_f;
  sincospif(1e6f + 0.25f, &sine_f, &cosine_f);
  EXPECT_FLOAT_EQ(sine_f, std::sqrt(0.5f));
  EXPECT_FLOAT_EQ(cosine_f, std::sqrt(0.5f));
  EXPECT_EQ(min(1, 2u), 1u);
  EXPECT_EQ(max(-1, 2), 2);
  EXPECT_EQ(max(NAN, 2.0f), 2.0f);
  EXPECT_EQ(__brev(1u), 0x80000000u);
  EXPECT_EQ(__clz(1), 31);
  EXPECT_EQ(__popc(0xf0f0u), 8);
  EXPECT_EQ(__fmaf_rn(3.0f, 4.0f, 5.0f), 17.0f);
}

}  // namespace

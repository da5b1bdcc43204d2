// The counting itself, on kernels whose conflicts and sectors are known.
#include "accesses.hpp"
#include "device.cuh"
#include "device_array.hpp"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace counted_kernels {  // not an anonymous one: names inside have no symbols

struct alignas(16) Four {
  float element[4];
};

__global__ void read_global(const float* from, float* to, int stride, int offset) {
  to[threadIdx.x] = from[offset + static_cast<int>(threadIdx.x) * stride];
}

/// What all blocks read, and then what each has for itself.
__global__ void read_table(const float* from, float* to) {
  to[threadIdx.x] = from[threadIdx.x] + from[(blockIdx.x + 1) * blockDim.x + threadIdx.x];
}

template <class T>
__global__ void read_shared(float* to, int stride) {
  T* const shared = gpuconv::device::dynamic_shared<T>();
  const T value = shared[static_cast<int>(threadIdx.x) % 32 * stride];
  to[threadIdx.x] = reinterpret_cast<const float&>(value);
}

__global__ void write_pairs(float2* to) { to[threadIdx.x] = {1.0f, static_cast<float>(threadIdx.x)}; }

__global__ void copy_async(const float* from) {
  float* const shared = gpuconv::device::dynamic_shared<float>();
  __pipeline_memcpy_async(shared + 4 * threadIdx.x, from + 4 * threadIdx.x, 16);
  __pipeline_commit();
  __pipeline_wait_prior(0);
}

/// Twice: a loop in which lane i takes i % 3 + 1 turns.
__global__ void uneven(const float* from, float* to) {
  float sum = 0;
  for (int round = 0; round < 2; ++round) {
    for (unsigned i = 0; i <= threadIdx.x % 3; ++i)
      sum += from[1024 * round + 256 * static_cast<int>(i) + static_cast<int>(threadIdx.x)];
    __syncthreads();
  }
  to[threadIdx.x] = sum;
}

__global__ void store_in_a_loop(const float* from, float* to, bool* positive, int count) {
  float own[8] = {};
  for (int i = static_cast<int>(threadIdx.x); i < count; i += static_cast<int>(blockDim.x)) {
    own[i % 8] += from[i];
    *positive |= own[i % 8] > 0;
    to[count - 1 - i] = own[i % 8];
  }
}

}  // namespace counted_kernels

namespace {

using namespace counted_kernels;
using accesses::Counts;
using accesses::Kind;
using gpuconv::device::launch;
using simt_test::DeviceArray;

constexpr int kThreads = 64, kFloats = 4096;
constexpr Kind kRead4{.shared = false, .write = false, .async = false, .bytes = 4};
constexpr Kind kSharedRead4{.shared = true, .write = false, .async = false, .bytes = 4};
constexpr Kind kSharedRead16{.shared = true, .write = false, .async = false, .bytes = 16};

class Accesses : public testing::Test {
 protected:
  template <class... P, class... A>
  const accesses::Kernel& count(void (*kernel)(P...), int blocks, A... arguments) {
    accesses::start();
    EXPECT_EQ(launch(kernel, dim3(static_cast<unsigned>(blocks)), dim3(kThreads), kFloats * sizeof(float), nullptr,
                     arguments...),
              cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(nullptr), cudaSuccess);
    counted = accesses::stop();
    EXPECT_EQ(counted.size(), 1U);
    return counted.begin()->second;
  }
  const float* in() const { return input.data(); }
  float* out() const { return output.data(); }

  DeviceArray<float> input{std::vector<float>(kFloats)};
  DeviceArray<float> output{kFloats};
  std::map<std::string, accesses::Kernel> counted;
};

TEST_F(Accesses, SectorsOfARequestFollowStrideAndAlignment) {
  for (const auto& [stride, offset, sectors] :
       {std::tuple{1, 0, 4U}, {1, 1, 5U}, {2, 0, 8U}, {8, 0, 32U}, {0, 0, 1U}}) {
    const Counts& read = count(read_global, 1, in(), out(), stride, offset).counts.at(kRead4);
    EXPECT_EQ(read.requests, 2U);
    EXPECT_EQ(read.lanes, 64U);
    EXPECT_EQ(read.sectors, 2U * sectors) << "stride " << stride << ", offset " << offset;
  }
}

TEST_F(Accesses, BankConflictsFollowTheStride) {
  for (const auto& [stride, wavefronts] : {std::pair{1, 1U}, {2, 2U}, {16, 16U}, {17, 1U}, {32, 32U}, {0, 1U}}) {
    const Counts& read = count(read_shared<float>, 1, out(), stride).counts.at(kSharedRead4);
    EXPECT_EQ(read.requests, 2U);
    EXPECT_EQ(read.wavefronts, 2U * wavefronts) << "stride " << stride;
    EXPECT_EQ(read.ideal_wavefronts, 2U);
  }
}

TEST_F(Accesses, SixteenBytesAreOneAccessThatQuarterWarpsMake) {
  for (const auto& [stride, wavefronts] : {std::pair{1, 4U}, {5, 4U}, {4, 16U}, {8, 32U}}) {
    const Counts& read = count(read_shared<Four>, 1, out(), stride).counts.at(kSharedRead16);
    EXPECT_EQ(read.wavefronts, 2U * wavefronts) << "stride " << stride;
    EXPECT_EQ(read.ideal_wavefronts, 2U * 4U);
  }
}

TEST_F(Accesses, AStructIsWrittenAsAWhole) {
  const auto& kernel = count(write_pairs, 1, reinterpret_cast<float2*>(out()));
  ASSERT_EQ(kernel.counts.size(), 1U);
  EXPECT_EQ(kernel.counts.begin()->first, (Kind{.shared = false, .write = true, .async = false, .bytes = 8}));
  EXPECT_EQ(kernel.counts.begin()->second.sectors, 16U);
}

TEST_F(Accesses, AnAsynchronousCopyReadsAndWrites) {
  const auto& kernel = count(copy_async, 1, in());
  ASSERT_EQ(kernel.counts.size(), 2U);
  EXPECT_EQ(kernel.counts.at({.shared = false, .write = false, .async = true, .bytes = 16}).sectors, 32U);
  EXPECT_EQ(kernel.counts.at({.shared = true, .write = true, .async = true, .bytes = 16}).wavefronts, 8U);
}

TEST_F(Accesses, LanesMeetAgainAfterABarrierHoweverOftenEachWentRound) {
  constexpr unsigned blocks = 2, rounds = 2, warps = 2, turns = 3;
  const Counts& read = count(uneven, blocks, in(), out()).counts.at(kRead4);
  EXPECT_EQ(read.requests, blocks * rounds * warps * turns);
  EXPECT_EQ(read.lanes, blocks * rounds * (64U + 42U + 21U));
  EXPECT_EQ(read.sectors, 4U * read.requests);
}

TEST_F(Accesses, EachIsCountedOnceInALoopAndAThreadsOwnArraysAreNot) {
  const auto& kernel = count(store_in_a_loop, 1, in(), out(), reinterpret_cast<bool*>(out() + 2048), 1024);
  ASSERT_EQ(kernel.counts.size(), 4U);  // floats and the bool, read and written
  for (const auto& [kind, counts] : kernel.counts) {
    const bool hoisted = !kind.write && kind.bytes == 1;  // the compiler may keep what no other lane seems to change
    EXPECT_EQ(counts.lanes, hoisted ? 64U : 1024U) << kind.bytes << kind.write;
  }
}

TEST_F(Accesses, DifferentSectorsAreThoseOfAllBlocksTogether) {
  const auto& kernel = count(read_global, 3, in(), out(), 1, 0);
  EXPECT_EQ(kernel.counts.at(kRead4).sectors, 3U * 8U);
  EXPECT_EQ(kernel.sectors_read, 8U);
  EXPECT_EQ(kernel.sectors_written, 8U);
}

TEST_F(Accesses, CommonSectorsAreThoseThatMostBlocksRead) {
  const auto& kernel = count(read_table, 4, in(), out());
  EXPECT_EQ(kernel.sectors_read, 8U + 4 * 8U);
  EXPECT_EQ(kernel.sectors_common, 8U);
  EXPECT_EQ(kernel.common_requests, 4 * 8U);
}

TEST_F(Accesses, KernelsHaveTheirNamesAndShapes) {
  const auto& kernel = count(read_shared<Four>, 3, out(), 1);
  EXPECT_EQ(kernel.launches, 1U);
  EXPECT_EQ(kernel.threads, 64U);
  EXPECT_EQ(kernel.shared_bytes, kFloats * sizeof(float));
  EXPECT_NE(counted.begin()->first.find("read_shared"), std::string::npos) << counted.begin()->first;
}

}  // namespace

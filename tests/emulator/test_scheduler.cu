// The emulator runs kernels as a GPU would, in an order that a GPU might.
#include <gtest/gtest.h>

#include "control.hpp"
#include "device.cuh"

namespace {

__global__ void write_index(unsigned* out) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  out[i] = i;
}

TEST(Launch, RunsEveryThreadOnce) {
  unsigned* out = nullptr;
  ASSERT_EQ(cudaMalloc(reinterpret_cast<void**>(&out), 96 * sizeof(unsigned)), cudaSuccess);
  ASSERT_EQ(gpuconv::device::launch(write_index, 3, 32, 0, nullptr, out), cudaSuccess);
  unsigned host[96];
  ASSERT_EQ(cudaMemcpy(host, out, sizeof host, cudaMemcpyDeviceToHost), cudaSuccess);
  for (unsigned i = 0; i < 96; ++i) EXPECT_EQ(host[i], i);
  EXPECT_EQ(cudaFree(out), cudaSuccess);
}

}  // namespace

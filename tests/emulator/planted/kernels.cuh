// Small kernels in the manner of a convolution library, each with mistakes that can be switched on.
#pragma once

#include "device.cuh"

namespace planted {

enum class Bug {
  none,
  no_barrier_after_load,
  no_barrier_before_reload,
  tile_one_short,
  read_past_the_end,
  no_copy_wait,
  misaligned_store,
  no_exchange_barrier,
  unsynchronized_update,
  divergent_barrier,
  non_atomic_accumulation,
  uninitialized_read,
  no_event_wait
};

// ---- FIR filter: a shared tile with its halo, four outputs per thread, a vector store -------------------------------

constexpr int fir_threads = 64, fir_outputs = 4, fir_tile = fir_threads * fir_outputs;

struct Fir {
  const float* signal;
  const float* filter;
  float* out;  ///< of signal + taps - 1 samples, room for whole tiles
  int signal_length, taps;

  __host__ __device__ int tiles() const { return (signal_length + taps - 1 + fir_tile - 1) / fir_tile; }
  __host__ __device__ int tile_length() const { return fir_tile + taps - 1; }
};

static __global__ void __launch_bounds__(fir_threads) fir(Fir fir, Bug bug) {
  float* const filter = gpuconv::device::dynamic_shared<float>();
  float* const tile = filter + fir.taps;
  const int thread = static_cast<int>(threadIdx.x);
  for (int k = thread; k < fir.taps; k += fir_threads)
    __pipeline_memcpy_async(&filter[k], &fir.filter[k], sizeof(float));
  __pipeline_commit();

  const int end = fir.signal_length + (bug == Bug::read_past_the_end ? 1 : 0);
  for (int t = static_cast<int>(blockIdx.x); t < fir.tiles(); t += static_cast<int>(gridDim.x)) {
    const int origin = t * fir_tile - (fir.taps - 1);
    for (int i = thread; i < fir.tile_length(); i += fir_threads) {
      const int j = origin + i;
      tile[i] = j >= 0 && j < end ? __ldg(&fir.signal[j]) : 0.0f;
    }
    if (bug != Bug::no_copy_wait) __pipeline_wait_prior(0);
    if (bug != Bug::no_barrier_after_load) __syncthreads();

    float sums[fir_outputs] = {};
    for (int k = 0; k < fir.taps; ++k) {
#pragma unroll
      for (int r = 0; r < fir_outputs; ++r)
        sums[r] = fmaf(filter[k], tile[thread * fir_outputs + r + fir.taps - 1 - k], sums[r]);
    }
    float* const out = fir.out + t * fir_tile + thread * fir_outputs + (bug == Bug::misaligned_store ? 1 : 0);
    *reinterpret_cast<float4*>(out) = make_float4(sums[0], sums[1], sums[2], sums[3]);
    if (bug != Bug::no_barrier_before_reload) __syncthreads();
  }
}

// ---- exchange: the threads of a block transpose their values through shared memory, as a transform's passes do ----

constexpr int exchange_rows = 16, exchange_size = exchange_rows * exchange_rows;

/// One transposition a round: after an even number of rounds everything is where it was, times 2 a round.
static __global__ void __launch_bounds__(exchange_size) exchange(float* values, int rounds, Bug bug) {
  GPUCONV_SHARED_ARRAY(float, shared, exchange_size);
  const unsigned thread = threadIdx.x, transposed = thread % exchange_rows * exchange_rows + thread / exchange_rows;
  float value = values[blockIdx.x * exchange_size + thread];
  for (int round = 0; round < rounds; ++round) {
    shared[thread] = 2.0f * value;
    if (bug != Bug::no_exchange_barrier) __syncthreads();
    value = shared[transposed];
    __syncthreads();
  }
  values[blockIdx.x * exchange_size + thread] = value;
}

// ---- sum: shuffles within a warp, shared memory within a block, an atomic across blocks ---------------------------

constexpr int sum_threads = 128, sum_warps = sum_threads / 32;

static __global__ void __launch_bounds__(sum_threads) sum(const float* values, int length, float* total, Bug bug) {
  GPUCONV_SHARED_ARRAY(float, partial, sum_warps);
  const int thread = static_cast<int>(threadIdx.x);
  if (thread < sum_warps) partial[thread] = 0.0f;
  if (bug == Bug::divergent_barrier && thread < 32) __syncthreads();
  __syncthreads();
  float own = 0.0f;
  for (int i = static_cast<int>(blockIdx.x) * sum_threads + thread; i < length;
       i += static_cast<int>(gridDim.x) * sum_threads)
    own += values[i];
  for (unsigned distance = 16; distance > 0; distance /= 2) own += __shfl_down_sync(0xffffffffu, own, distance);
  if (thread % 32 == 0) {
    if (bug == Bug::unsynchronized_update) partial[0] = (thread == 0 ? 0.0f : partial[0]) + own;
    else partial[thread / 32] = own;
  }
  __syncthreads();
  if (thread != 0) return;
  for (int warp = 1; warp < sum_warps; ++warp) partial[0] += partial[warp];
  if (bug == Bug::non_atomic_accumulation) *total += partial[0];
  else atomicAdd(total, partial[0]);
}

}  // namespace planted

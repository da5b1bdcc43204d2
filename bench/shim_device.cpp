// The part of bench/shim.cpp that needs a GPU: plans on device memory, arrays that other libraries work on as well, and
// CUDA's events. Everything is enqueued on the default stream, as PyTorch and CuPy do. Compiled where there is CUDA.
#include "device/events.hpp"
#include "device/info.hpp"
#include "shim.hpp"

#include <gpuconv/plan.hpp>

#include <cuda_runtime_api.h>

using namespace gpuconv;
using namespace gpuconv::bench;

namespace {

struct Timer {
  cudaEvent_t begin, end;
};

DeviceOutput row(void* data, Type type, std::int64_t columns) { return {data, type, {.columns = columns}}; }

}  // namespace

SHIM_EXPORT int gpuconv_bench_device_emulated() { return is_emulated(); }
SHIM_EXPORT int gpuconv_bench_device_l2_bytes(std::int64_t* bytes) {
  return guarded([&] {
    int device = 0;
    check(cudaGetDevice(&device), "cudaGetDevice");
    cudaDeviceProp properties;
    check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
    *bytes = properties.l2CacheSize;
  });
}

SHIM_EXPORT int gpuconv_bench_device_array(std::int64_t bytes, void** array) {
  return guarded([&] { check(cudaMalloc(array, static_cast<std::size_t>(bytes)), "cudaMalloc"); });
}
SHIM_EXPORT void gpuconv_bench_device_array_destroy(void* array) { cudaFree(array); }

/// Either side may be in host or device memory; returns when the copy is done.
SHIM_EXPORT int gpuconv_bench_device_move(void* to, const void* from, std::int64_t bytes) {
  return guarded(
      [&] { check(cudaMemcpy(to, from, static_cast<std::size_t>(bytes), cudaMemcpyDefault), "cudaMemcpy"); });
}
/// Within the device; only enqueued.
SHIM_EXPORT int gpuconv_bench_device_copy(void* to, const void* from, std::int64_t bytes) {
  return guarded([&] {
    check(cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), cudaMemcpyDeviceToDevice, nullptr),
          "cudaMemcpyAsync");
  });
}

SHIM_EXPORT int gpuconv_bench_device_plan(Request const* request, const void* filter, Plan** plan) {
  return guarded([&] {
    Options options = request->options;
    options.device = Device::cuda;
    options.memory = Memory::device;
    const Problem& p = request->problem;
    auto made = std::make_unique<Plan>(p, options);
    made->set_filter(HostInput(filter, filter_type(p), {.columns = p.filter}), Stream{});
    *plan = made.release();
  });
}
SHIM_EXPORT void gpuconv_bench_device_plan_destroy(Plan* plan) { delete plan; }
/// Enqueues and returns.
SHIM_EXPORT int gpuconv_bench_device_execute(Plan* plan, const void* signal, void* out) {
  return guarded([&] {
    const Problem& p = plan->problem();
    plan->execute(DeviceInput(signal, p.type, {.columns = p.signal}), row(out, result_type(p), plan->output_length()),
                  Stream{});
  });
}
SHIM_EXPORT int gpuconv_bench_device_wait() {
  return guarded([&] { check(cudaDeviceSynchronize(), "cudaDeviceSynchronize"); });
}

SHIM_EXPORT int gpuconv_bench_device_timer(Timer** timer) {
  return guarded([&] {
    auto made = std::make_unique<Timer>();
    check(cudaEventCreate(&made->begin), "cudaEventCreate");
    check(cudaEventCreate(&made->end), "cudaEventCreate");
    *timer = made.release();
  });
}
SHIM_EXPORT void gpuconv_bench_device_timer_destroy(Timer* timer) {
  cudaEventDestroy(timer->begin);
  cudaEventDestroy(timer->end);
  delete timer;
}
SHIM_EXPORT int gpuconv_bench_device_timer_begin(Timer* timer) {
  return guarded([&] { check(cudaEventRecord(timer->begin, nullptr), "cudaEventRecord"); });
}
/// Waits for all that was enqueued since; `seconds` is the device's time for it.
SHIM_EXPORT int gpuconv_bench_device_timer_end(Timer* timer, double* seconds) {
  return guarded([&] {
    check(cudaEventRecord(timer->end, nullptr), "cudaEventRecord");
    check(cudaEventSynchronize(timer->end), "cudaEventSynchronize");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, timer->begin, timer->end), "cudaEventElapsedTime");
    *seconds = static_cast<double>(milliseconds) * 1e-3;
  });
}

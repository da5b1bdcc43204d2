// A C face of gpuconv for the scripts, which load it with ctypes so that gpuconv and other libraries are timed in one
// process on the same arrays, in host memory or, where GPUCONV_BENCH_CUDA is defined, on a GPU. Functions return 0, or
// -1 with the reason in gpuconv_bench_error(). What a GPU does is enqueued on the default stream, as PyTorch and CuPy
// do.
#include "support/by_name.hpp"
#include "support/copy.hpp"

#include <gpuconv/convolve.hpp>
#include <gpuconv/device.hpp>
#include <gpuconv/info.hpp>
#include <gpuconv/plan.hpp>

#ifdef GPUCONV_BENCH_CUDA
#include "program/cuda.hpp"
#endif

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#define SHIM_EXPORT extern "C" __attribute__((visibility("default")))

using namespace gpuconv;
using namespace gpuconv::bench;

namespace {

thread_local std::string error_text, result_text;

template <class F>
int guarded(F&& f) noexcept {
  try {
    f();
    return 0;
  } catch (std::exception const& e) {
    error_text = e.what();
    return -1;
  }
}

/// A convolution with its names resolved, and its plan where it has a filter.
struct Call {
  Problem problem;
  Options options;
  std::optional<Plan> plan = {};

  void execute(const void* signal, void* out) {
    if (options.memory == Memory::device)
      plan->execute(DeviceInput(signal, problem.type, signal_shape()),
                    DeviceOutput(out, result_type(problem), out_shape()), gpuconv::Stream{});
    else plan->execute({signal, problem.type, signal_shape()}, HostOutput(out, result_type(problem), out_shape()));
  }
  HostInput filter(const void* taps) const { return {taps, problem.type, {.columns = problem.filter}}; }
  void convolve(const void* signal, const void* taps, void* out) const {
    gpuconv::convolve(HostInput(signal, problem.type, signal_shape()), filter(taps),
                      HostOutput(out, result_type(problem), out_shape()),
                      {.mode = problem.mode, .method = options.method, .threads = options.threads});
  }

 private:
  Rows signal_shape() const { return {.columns = problem.signal}; }
  Rows out_shape() const { return {.columns = output_slice(problem).length}; }
};

}  // namespace

SHIM_EXPORT const char* gpuconv_bench_error() { return error_text.c_str(); }
SHIM_EXPORT int gpuconv_bench_threads() { return hardware_threads(); }

/// In mode full. With `taps`, in host memory, a plan is made for arrays in host or, `on_device`, in device memory.
SHIM_EXPORT int gpuconv_bench_call(const char* type, const char* method, std::int64_t signal, std::int64_t filter,
                                   int threads, int on_device, const void* taps, Call** call) {
  return guarded([&] {
    auto made =
        std::make_unique<Call>(Call{{.signal = signal, .filter = filter, .type = by_name<Type>(type, type_count)},
                                    {.method = by_name<Method>(method, 5), .threads = threads}});
    if (on_device) made->options.device = Device::cuda, made->options.memory = Memory::device;
    if (taps) {
      made->plan.emplace(made->problem, made->options);
      if (on_device) made->plan->set_filter(made->filter(taps), gpuconv::Stream{});
      else made->plan->set_filter(made->filter(taps));
    }
    *call = made.release();
  });
}
SHIM_EXPORT void gpuconv_bench_call_destroy(Call* call) { delete call; }
/// Valid until the next one on this thread.
SHIM_EXPORT const char* gpuconv_bench_describe(Call const* call) {
  return (result_text = call->plan->describe()).c_str();
}
SHIM_EXPORT int gpuconv_bench_plan_threads(Call const* call) { return call->plan->threads(); }

SHIM_EXPORT int gpuconv_bench_execute(Call* call, const void* signal, void* out) {
  return guarded([&] { call->execute(signal, out); });
}
/// The one-shot call: plan, filter and execution.
SHIM_EXPORT int gpuconv_bench_convolve(Call* call, const void* signal, const void* taps, void* out) {
  return guarded([&] { call->convolve(signal, taps, out); });
}
/// Seconds of one of `repeats` calls without Python between them: of one-shot calls where there are `taps`, else of the
/// plan.
SHIM_EXPORT int gpuconv_bench_time(Call* call, const void* signal, const void* taps, void* out, std::int64_t repeats,
                                   double* seconds) {
  return guarded([&] {
    const auto begin = std::chrono::steady_clock::now();
    for (std::int64_t i = 0; i < repeats; ++i)
      if (taps) call->convolve(signal, taps, out);
      else call->execute(signal, out);
    *seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / double(repeats);
  });
}

SHIM_EXPORT int gpuconv_bench_copy(std::int64_t bytes, std::int64_t sets, Copy** copy) {
  return guarded([&] { *copy = new Copy(bytes, sets); });
}
SHIM_EXPORT void gpuconv_bench_copy_run(Copy* copy, int threads) { copy->run(threads); }
SHIM_EXPORT void gpuconv_bench_copy_destroy(Copy* copy) { delete copy; }

// ---- images: float32, mode same, zeros beyond the ends, one image, one filter
namespace {

Images image_shape(std::int64_t lines, std::int64_t columns) { return {.lines = lines, .columns = columns}; }

}  // namespace

/// A plan for images of `lines` x `columns` with `filter`, `filter_lines` x `taps`.
SHIM_EXPORT int gpuconv_bench_image_plan(std::int64_t lines, std::int64_t columns, std::int64_t filter_lines,
                                         std::int64_t taps, const float* filter, int threads, Plan** plan) {
  return guarded([&] {
    const HostView<const float> view(filter, image_shape(filter_lines, taps));
    auto made = std::make_unique<Plan>(
        Problem{.signal = columns,
                .filter = taps,
                .mode = Mode::same,
                .same = Same::matlab,
                .lines = {.signal = lines, .filter = filter_lines, .separable = is_separable(view)}},
        Options{.device = Device::cpu, .threads = threads});
    made->set_filter(view);
    *plan = made.release();
  });
}
SHIM_EXPORT int gpuconv_bench_image_execute(Plan* plan, const float* signal, float* out) {
  return guarded([&] {
    Problem const& p = plan->problem();
    plan->execute(HostView(signal, image_shape(p.lines.signal, p.signal)),
                  HostView(out, image_shape(p.lines.signal, p.signal)));
  });
}
/// Valid until the next call on this thread.
SHIM_EXPORT const char* gpuconv_bench_image_describe(Plan* plan) {
  thread_local std::string text;
  if (guarded([&] { text = plan->describe(); }) != 0) text = error_text;
  return text.c_str();
}
SHIM_EXPORT void gpuconv_bench_image_destroy(Plan* plan) { delete plan; }

#ifdef GPUCONV_BENCH_CUDA

namespace {

// Not destroyed: when the process ends CUDA may be gone before.
Stopwatch& stopwatch() {
  static auto* const made = new Stopwatch;
  return *made;
}

}  // namespace

SHIM_EXPORT int gpuconv_bench_is_emulated() {
  return detail::why_no_device().empty() && detail::current_device().name == "emulated GPU";
}
SHIM_EXPORT int gpuconv_bench_l2_bytes(std::int64_t* bytes) {
  return guarded([&] { *bytes = detail::current_device().l2_cache; });
}
SHIM_EXPORT int gpuconv_bench_array(std::int64_t bytes, void** array) {
  return guarded([&] { check_cuda(cudaMalloc(array, static_cast<std::size_t>(bytes)), "cudaMalloc"); });
}
SHIM_EXPORT void gpuconv_bench_array_destroy(void* array) { cudaFree(array); }
/// Either side may be in host or device memory. Between two of the device's arrays CUDA only enqueues it.
SHIM_EXPORT int gpuconv_bench_move(void* to, const void* from, std::int64_t bytes) {
  return guarded(
      [&] { check_cuda(cudaMemcpy(to, from, static_cast<std::size_t>(bytes), cudaMemcpyDefault), "cudaMemcpy"); });
}
/// What is enqueued between the two is timed; the second waits for it. `seconds` is the device's time.
SHIM_EXPORT int gpuconv_bench_begin() {
  return guarded([&] { stopwatch().begin(nullptr); });
}
SHIM_EXPORT int gpuconv_bench_end(double* seconds) {
  return guarded([&] { *seconds = stopwatch().end(nullptr); });
}

#endif

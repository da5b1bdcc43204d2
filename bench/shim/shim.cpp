// A C face of gpuconv for the scripts, which load it with ctypes so that gpuconv and other libraries are timed in one
// process on the same arrays, in host memory or, where GPUCONV_BENCH_CUDA is defined, on a GPU. What a GPU does is
// enqueued on the default stream, as PyTorch and CuPy do.
#include "shim.hpp"

#include "support/copy.hpp"
#include "support/problem.hpp"

#include <gpuconv/convolve.hpp>
#include <gpuconv/device.hpp>
#include <gpuconv/info.hpp>

#ifdef GPUCONV_BENCH_CUDA
#include "cuda/runtime.hpp"

#include <cufft.h>
#include <dlfcn.h>
#endif

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

using namespace gpuconv;
using namespace gpuconv::bench;
using nlohmann::json;

namespace {

/// A convolution, and its plan where it has a filter. Described beside what support/problem.hpp reads are
/// "signal_stride", "filter_stride" and "out_stride", the elements from one row to the next where rows do not follow
/// each other; "across", true where rows are the columns of a matrix; and "taps_memory", "device" where the filter lies
/// there.
struct Call {
  explicit Call(json const& about) : problem(problem_of(about)), options(options_of(about)) {
    signal = {.images = problem.batch, .lines = problem.lines.signal, .columns = problem.signal};
    filter = {.images = filter_rows(problem), .lines = problem.lines.filter, .columns = problem.filter};
    out = {
        .images = result_rows(problem), .lines = line_slice(problem).length, .columns = output_slice(problem).length};
    signal.stride = read<std::int64_t>(about, "signal_stride");
    filter.stride = read<std::int64_t>(about, "filter_stride");
    out.stride = read<std::int64_t>(about, "out_stride");
    if (about.value("across", false))
      for (Images* const rows : {&signal, &out}) rows->stride = 1, rows->element_stride = rows->images;
    taps_on_device = about.value("taps_memory", "host") == "device";
  }

  bool on_device() const { return options.memory == Memory::device; }
  void set_filter(const void* taps) {
    const HostInput view(taps, filter_type(problem), filter);
    if (taps_on_device) plan->set_filter(DeviceInput(taps, filter_type(problem), filter), gpuconv::Stream{});
    else if (on_device()) plan->set_filter(view, gpuconv::Stream{});
    else plan->set_filter(view);
  }
  void execute(const void* from, void* to, gpuconv::Stream stream = {}) {
    if (on_device())
      plan->execute(DeviceInput(from, problem.type, signal), DeviceOutput(to, result_type(problem), out), stream);
    else plan->execute(HostInput(from, problem.type, signal), HostOutput(to, result_type(problem), out));
  }
  void convolve(const void* from, const void* taps, void* to) const {
    gpuconv::convolve(HostInput(from, problem.type, signal), HostInput(taps, filter_type(problem), filter),
                      HostOutput(to, result_type(problem), out),
                      {.mode = problem.mode, .method = options.method, .threads = options.threads});
  }

  Problem problem;
  Options options;
  Images signal, filter, out;
  bool taps_on_device = false;
  std::optional<Plan> plan = {};
};

#ifdef GPUCONV_BENCH_CUDA

#define GPUCONV_TEXT_OF(x) #x
#define GPUCONV_TEXT(x) GPUCONV_TEXT_OF(x)

/// CUDA's number for the version of the cuFFT that the library would open (12000 is 12.0.0), or why it cannot.
json cufft_version() {
  void* const library = dlopen("libcufft.so." GPUCONV_TEXT(CUFFT_VER_MAJOR), RTLD_NOW | RTLD_LOCAL);
  if (!library) return dlerror();
  int number = 0;
  if (const auto get = reinterpret_cast<decltype(&cufftGetVersion)>(dlsym(library, "cufftGetVersion"))) get(&number);
  return number;
}

json about_device() {
  int driver = 0;
  static_cast<void>(cudaDriverGetVersion(&driver));
  return {{"name", detail::current_device().name},
          {"emulated", detail::current_device().name == "emulated GPU"},
          {"l2_bytes", detail::current_device().l2_cache},
          {"nvcc", GPUCONV_BENCH_NVCC},
          {"architectures", GPUCONV_BENCH_ARCHITECTURES},
          {"runtime", CUDART_VERSION},  // 13000 is 13.0, as is that of the driver
          {"driver_cuda", driver},
          {"cufft", cufft_version()}};
}

#endif

json about() {
  const auto known = devices();
  const auto cuda = std::ranges::find(known, Device::cuda, &DeviceInfo::device);
  json out = {
      {"available", cuda->available},          {"detail", cuda->detail},        {"gpuconv", version()},
      {"simd_target", simd_target()},          {"threads", hardware_threads()}, {"compiler", "g++ " __VERSION__},
      {"build_type", GPUCONV_BENCH_BUILD_TYPE}};
#ifdef GPUCONV_BENCH_CUDA
  if (cuda->available) out.update(about_device());
#endif
  return out;
}

}  // namespace

SHIM_EXPORT const char* gpuconv_bench_error() { return error_text.c_str(); }

/// What a result says of the build and its GPU, as JSON; or why there is no GPU that gpuconv can use.
SHIM_EXPORT const char* gpuconv_bench_about() {
  if (guarded([] { result_text = about().dump(); }) != 0) result_text = json{{"detail", error_text}}.dump();
  return result_text.c_str();
}

/// The solvers that take a problem, the planner's choice first.
SHIM_EXPORT int gpuconv_bench_offers(const char* problem, const char** offers) {
  return guarded([&] {
    json out = json::array();
    const json about = json::parse(problem);
    for (Estimate const& e : estimates(problem_of(about), options_of(about)))
      if (e.refusal.empty())
        out.push_back({{"device", name(e.device)}, {"method", name(e.method)}, {"seconds", e.seconds}});
    *offers = (result_text = out.dump()).c_str();
  });
}

/// With `taps` a plan is made.
SHIM_EXPORT int gpuconv_bench_call(const char* problem, const void* taps, Call** call) {
  return guarded([&] {
    auto made = std::make_unique<Call>(json::parse(problem));
    if (taps) made->plan.emplace(made->problem, made->options), made->set_filter(taps);
    *call = made.release();
  });
}
SHIM_EXPORT void gpuconv_bench_call_destroy(Call* call) { delete call; }
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
/// Seconds of one of `repeats` calls without Python between them: of "execute", "convolve", "set_filter", or "plan",
/// which makes one.
SHIM_EXPORT int gpuconv_bench_time(Call* call, const char* what, const void* signal, const void* taps, void* out,
                                   std::int64_t repeats, double* seconds) {
  return guarded([&] {
    const std::string asked = what;
    if (asked == "execute") *seconds = seconds_of(repeats, [&] { call->execute(signal, out); });
    if (asked == "convolve") *seconds = seconds_of(repeats, [&] { call->convolve(signal, taps, out); });
    if (asked == "set_filter") *seconds = seconds_of(repeats, [&] { call->set_filter(taps); });
    if (asked == "plan") *seconds = seconds_of(repeats, [&] { Plan(call->problem, call->options); });
  });
}

SHIM_EXPORT int gpuconv_bench_copy(std::int64_t bytes, std::int64_t sets, Copy** copy) {
  return guarded([&] { *copy = new Copy(bytes, sets); });
}
SHIM_EXPORT void gpuconv_bench_copy_run(Copy* copy, int threads) { copy->run(threads); }
SHIM_EXPORT void gpuconv_bench_copy_destroy(Copy* copy) { delete copy; }

#ifdef GPUCONV_BENCH_CUDA

using detail::check_cuda;

SHIM_EXPORT int gpuconv_bench_array(std::int64_t bytes, void** array) {
  return guarded([&] { check_cuda(cudaMalloc(array, static_cast<std::size_t>(bytes)), "cudaMalloc"); });
}
SHIM_EXPORT void gpuconv_bench_array_destroy(void* array) { cudaFree(array); }
/// Host memory that the GPU reads by itself.
SHIM_EXPORT int gpuconv_bench_pinned(std::int64_t bytes, void** array) {
  return guarded([&] { check_cuda(cudaMallocHost(array, static_cast<std::size_t>(bytes)), "cudaMallocHost"); });
}
SHIM_EXPORT void gpuconv_bench_pinned_destroy(void* array) { cudaFreeHost(array); }
/// Either side may be in host or device memory. Between two of the device's arrays CUDA only enqueues it.
SHIM_EXPORT int gpuconv_bench_move(void* to, const void* from, std::int64_t bytes) {
  return guarded(
      [&] { check_cuda(cudaMemcpy(to, from, static_cast<std::size_t>(bytes), cudaMemcpyDefault), "cudaMemcpy"); });
}

namespace {

struct Events {
  cudaEvent_t begin = nullptr, end = nullptr;
};
// Not destroyed: when the process ends CUDA may be gone before.
Events const& events() {
  static const Events made = [] {
    Events e;
    for (cudaEvent_t* const event : {&e.begin, &e.end}) check_cuda(cudaEventCreate(event), "cudaEventCreate");
    return e;
  }();
  return made;
}

}  // namespace

/// What is enqueued between the two is timed; the second waits for it. `seconds` is the device's time.
SHIM_EXPORT int gpuconv_bench_begin() {
  return guarded([&] { check_cuda(cudaEventRecord(events().begin, nullptr), "cudaEventRecord"); });
}
SHIM_EXPORT int gpuconv_bench_end(double* seconds) {
  return guarded([&] {
    float milliseconds = 0;
    check_cuda(cudaEventRecord(events().end, nullptr), "cudaEventRecord");
    check_cuda(cudaEventSynchronize(events().end), "cudaEventSynchronize");
    check_cuda(cudaEventElapsedTime(&milliseconds, events().begin, events().end), "cudaEventElapsedTime");
    *seconds = static_cast<double>(milliseconds) * 1e-3;
  });
}

/// `count` executions of a plan, or without one copies of `bytes`, from and to these arrays, to be enqueued again at
/// once: the host's part of a launch, which is longer than a short kernel, is paid once.
SHIM_EXPORT int gpuconv_bench_graph(Call* call, void* const* from, void* const* to, std::int64_t count,
                                    std::int64_t bytes, cudaGraphExec_t* made) {
  return guarded([&] {
    const detail::OwnStream stream;  // the default stream cannot be recorded
    check_cuda(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    const int status = guarded([&] {
      for (std::int64_t i = 0; i < count; ++i)
        if (call) call->execute(from[i], to[i], stream.get());
        else
          check_cuda(
              cudaMemcpyAsync(to[i], from[i], static_cast<std::size_t>(bytes), cudaMemcpyDeviceToDevice, stream.get()),
              "cudaMemcpyAsync");
    });
    cudaGraph_t graph = nullptr;
    const cudaError_t ended = cudaStreamEndCapture(stream.get(), &graph);
    const std::unique_ptr<CUgraph_st, cudaError_t (*)(cudaGraph_t)> owner(graph, cudaGraphDestroy);
    if (status != 0) throw std::runtime_error(error_text);
    check_cuda(ended, "cudaStreamEndCapture");
    check_cuda(cudaGraphInstantiate(made, graph, 0), "cudaGraphInstantiate");
  });
}
SHIM_EXPORT int gpuconv_bench_replay(cudaGraphExec_t graph) {
  return guarded([&] { check_cuda(cudaGraphLaunch(graph, nullptr), "cudaGraphLaunch"); });
}
SHIM_EXPORT void gpuconv_bench_graph_destroy(cudaGraphExec_t graph) { cudaGraphExecDestroy(graph); }

#endif

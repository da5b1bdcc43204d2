// A C face of gpuconv for bench/run.py, which loads it with ctypes so that NumPy, SciPy and gpuconv are timed in one
// process on the same arrays. Functions return 0, or -1 with the reason in gpuconv_bench_error().
#include "shim.hpp"
#include "support/copy.hpp"
#include "support/timing.hpp"

#include <gpuconv/convolve.hpp>
#include <gpuconv/info.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

using namespace gpuconv;
using bench::error_text, bench::guarded, bench::Request;

namespace {

thread_local std::string result_text;

template <class Enum>
Enum by_name(std::string_view wanted, int count) {
  for (int i = 0; i < count; ++i)
    if (name(static_cast<Enum>(i)) == wanted) return static_cast<Enum>(i);
  throw std::invalid_argument("unknown name " + std::string(wanted));
}

HostInput row(const void* data, Problem const& p, std::int64_t columns) { return {data, p.type, {.columns = columns}}; }
HostOutput output(void* data, Problem const& p) { return {data, result_type(p), {.columns = output_slice(p).length}}; }

void convolve_once(Request const& request, const void* signal, const void* filter, void* out) {
  const Problem& p = request.problem;
  convolve(row(signal, p, p.signal), row(filter, p, p.filter), output(out, p),
           {.mode = p.mode, .method = request.options.method, .threads = request.options.threads});
}

template <class F>
double seconds_each(std::int64_t repeats, F&& f) {
  const double begin = bench::now();
  for (std::int64_t i = 0; i < repeats; ++i) f();
  return (bench::now() - begin) / static_cast<double>(repeats);
}

}  // namespace

SHIM_EXPORT const char* gpuconv_bench_error() { return error_text.c_str(); }

SHIM_EXPORT int gpuconv_bench_request(const char* type, const char* mode, const char* method, std::int64_t signal,
                                      std::int64_t filter, int threads, Request** request) {
  return guarded([&] {
    const Problem problem{
        .signal = signal, .filter = filter, .mode = by_name<Mode>(mode, 3), .type = by_name<Type>(type, type_count)};
    *request = new Request{problem, {.method = by_name<Method>(method, 5), .threads = threads}};
  });
}
SHIM_EXPORT void gpuconv_bench_request_destroy(Request* request) { delete request; }

SHIM_EXPORT int gpuconv_bench_plan(Request const* request, Plan** plan) {
  return guarded([&] { *plan = new Plan(request->problem, request->options); });
}
SHIM_EXPORT void gpuconv_bench_plan_destroy(Plan* plan) { delete plan; }

/// Valid until the next call on this thread; null after an error.
SHIM_EXPORT const char* gpuconv_bench_plan_describe(Plan const* plan) {
  return guarded([&] { result_text = plan->describe(); }) == 0 ? result_text.c_str() : nullptr;
}
SHIM_EXPORT int gpuconv_bench_plan_threads(Plan const* plan) { return plan->threads(); }

SHIM_EXPORT int gpuconv_bench_set_filter(Plan* plan, const void* filter) {
  return guarded([&] { plan->set_filter(row(filter, plan->problem(), plan->problem().filter)); });
}
SHIM_EXPORT int gpuconv_bench_execute(Plan* plan, const void* signal, void* out) {
  return guarded(
      [&] { plan->execute(row(signal, plan->problem(), plan->problem().signal), output(out, plan->problem())); });
}
/// Time of one of `repeats` executes, without Python between them.
SHIM_EXPORT int gpuconv_bench_time_execute(Plan* plan, const void* signal, void* out, std::int64_t repeats,
                                           double* seconds) {
  return guarded([&] {
    const HostInput in = row(signal, plan->problem(), plan->problem().signal);
    const HostOutput result = output(out, plan->problem());
    *seconds = seconds_each(repeats, [&] { plan->execute(in, result); });
  });
}

/// The one-shot call: plan, filter and execution.
SHIM_EXPORT int gpuconv_bench_convolve(Request const* request, const void* signal, const void* filter, void* out) {
  return guarded([&] { convolve_once(*request, signal, filter, out); });
}
SHIM_EXPORT int gpuconv_bench_time_convolve(Request const* request, const void* signal, const void* filter, void* out,
                                            std::int64_t repeats, double* seconds) {
  return guarded([&] { *seconds = seconds_each(repeats, [&] { convolve_once(*request, signal, filter, out); }); });
}

/// Takes what gpuconv_bench_execute takes and does nothing: what remains is the cost of calling from Python.
SHIM_EXPORT int gpuconv_bench_nothing(Plan*, const void*, void*) { return 0; }

SHIM_EXPORT int gpuconv_bench_copy(std::int64_t bytes, std::int64_t sets, bench::Copy** copy) {
  return guarded([&] { *copy = new bench::Copy(bytes, sets); });
}
SHIM_EXPORT void gpuconv_bench_copy_run(bench::Copy* copy, int threads) { copy->run(threads); }
SHIM_EXPORT void gpuconv_bench_copy_destroy(bench::Copy* copy) { delete copy; }

SHIM_EXPORT const char* gpuconv_bench_version() { return version().data(); }
SHIM_EXPORT const char* gpuconv_bench_simd_target() { return simd_target().data(); }
SHIM_EXPORT int gpuconv_bench_threads() { return hardware_threads(); }
SHIM_EXPORT const char* gpuconv_bench_compiler() {
#ifdef __clang__
  return "clang " __clang_version__;
#else
  return "g++ " __VERSION__;
#endif
}
SHIM_EXPORT const char* gpuconv_bench_build_type() { return GPUCONV_BENCH_BUILD_TYPE; }

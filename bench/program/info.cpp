// What a result says of the program and its GPU: how it was built, what the library says of the device, versions of
// driver, runtime and cuFFT; or why there is no GPU that gpuconv can use.
#include "program.hpp"

#include <gpuconv/info.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>

#ifdef GPUCONV_BENCH_CUDA
#include "cuda/runtime.hpp"

#include <cufft.h>
#include <dlfcn.h>
#endif

namespace gpuconv::bench {

using nlohmann::json;

#ifdef GPUCONV_BENCH_CUDA

#define GPUCONV_TEXT_OF(x) #x
#define GPUCONV_TEXT(x) GPUCONV_TEXT_OF(x)

/// CUDA's number for the version of the cuFFT that the library would open (12000 is 12.0.0), or why it cannot.
static json cufft_version() {
  void* const library = dlopen("libcufft.so." GPUCONV_TEXT(CUFFT_VER_MAJOR), RTLD_NOW | RTLD_LOCAL);
  if (!library) return dlerror();
  int number = 0;
  if (const auto get = reinterpret_cast<decltype(&cufftGetVersion)>(dlsym(library, "cufftGetVersion"))) get(&number);
  return number;
}

bool is_emulated() { return detail::why_no_device().empty() && detail::current_device().name == "emulated GPU"; }

static json device_about() {
  int driver = 0;
  static_cast<void>(cudaDriverGetVersion(&driver));
  return {{"name", detail::current_device().name},
          {"emulated", is_emulated()},
          {"l2_bytes", detail::current_device().l2_cache},
          {"nvcc", GPUCONV_BENCH_NVCC},
          {"architectures", GPUCONV_BENCH_ARCHITECTURES},
          {"runtime", CUDART_VERSION},  // 13000 is 13.0, as is that of the driver
          {"driver_cuda", driver},
          {"cufft", cufft_version()}};
}

#else
bool is_emulated() { return false; }
#endif

std::string about_json() {
  const auto known = devices();
  const auto cuda = std::ranges::find(known, Device::cuda, &DeviceInfo::device);
  json out = {
      {"available", cuda->available},          {"detail", cuda->detail},        {"gpuconv", version()},
      {"simd_target", simd_target()},          {"threads", hardware_threads()}, {"compiler", "g++ " __VERSION__},
      {"build_type", GPUCONV_BENCH_BUILD_TYPE}};
#ifdef GPUCONV_BENCH_CUDA
  if (cuda->available) out.update(device_about());
#endif
  return out.dump(1);
}

}  // namespace gpuconv::bench

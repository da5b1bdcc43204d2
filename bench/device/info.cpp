#include "info.hpp"

#include <gpuconv/info.hpp>

#include <cuda_runtime_api.h>
#include <cufft.h>
#include <dlfcn.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace gpuconv::bench {
namespace {

using nlohmann::json;

#define GPUCONV_TEXT_OF(x) #x
#define GPUCONV_TEXT(x) GPUCONV_TEXT_OF(x)

/// "13.0" of 13000, as CUDA numbers its versions.
std::string cuda_version(int number) {
  return std::to_string(number / 1000) + '.' + std::to_string(number % 1000 / 10);
}

/// Version and place of the cuFFT that the library would open, or why it cannot.
json cufft_info() {
  void* const library = dlopen("libcufft.so." GPUCONV_TEXT(CUFFT_VER_MAJOR), RTLD_NOW | RTLD_LOCAL);
  if (!library) return {{"missing", dlerror()}};
  json out = json::object();
  if (const auto get = reinterpret_cast<decltype(&cufftGetVersion)>(dlsym(library, "cufftGetVersion"))) {
    int number = 0;
    if (get(&number) == CUFFT_SUCCESS)
      out["version"] = std::to_string(number / 1000) + '.' + std::to_string(number % 1000 / 100) + '.' +
                       std::to_string(number % 100);
    if (Dl_info where; dladdr(reinterpret_cast<void*>(get), &where)) out["path"] = where.dli_fname;
  }
  return out;
}

cudaDeviceProp properties() {
  cudaDeviceProp p{};
  int device = 0;
  if (cudaGetDevice(&device) == cudaSuccess) static_cast<void>(cudaGetDeviceProperties(&p, device));
  return p;
}

}  // namespace

bool is_emulated() { return std::string_view(properties().name) == "emulated GPU"; }

json device_info() {
  const auto known = devices();
  const auto cuda = std::ranges::find(known, Device::cuda, &DeviceInfo::device);
  json out = {{"available", cuda->available},
              {"detail", cuda->detail},
              {"gpuconv", version()},
              {"compiler", "g++ " __VERSION__},
              {"nvcc", GPUCONV_BENCH_NVCC},
              {"architectures", GPUCONV_BENCH_ARCHITECTURES},
              {"build_type", GPUCONV_BENCH_BUILD_TYPE},
              {"runtime", cuda_version(CUDART_VERSION)}};
  if (!cuda->available) return out;
  const cudaDeviceProp p = properties();
  int driver = 0;
  static_cast<void>(cudaDriverGetVersion(&driver));
  std::size_t free = 0, total = 0;
  static_cast<void>(cudaMemGetInfo(&free, &total));
  out.update({{"name", p.name},
              {"emulated", is_emulated()},
              {"compute_capability", std::to_string(p.major) + '.' + std::to_string(p.minor)},
              {"multiprocessors", p.multiProcessorCount},
              {"memory_bytes", p.totalGlobalMem},
              {"free_bytes", free},
              {"l2_bytes", p.l2CacheSize},
              {"driver_cuda", cuda_version(driver)},
              {"cufft", cufft_info()}});
  return out;
}

}  // namespace gpuconv::bench

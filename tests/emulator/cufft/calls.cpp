// The calls of cuFFT that the library uses, on the stand-in runtime's streams and memory. Stricter than cuFFT where
// that finds mistakes: every plan needs a work area, which each execution scribbles over; both arrays must be device
// memory that holds the whole batch.
#include <cufft.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "../runtime/device.hpp"
#include "execute.hpp"

namespace standin {
namespace {

struct Plan {
  Shape shape{};
  bool made = false;
  bool packed = false;  ///< no layout was given: rows follow one another
  bool allocates = true;
  void* work_area = nullptr;
  bool owns_work_area = false;
  std::size_t work_bytes = 0;
  StreamPointer stream{};
};

/// With the device's lock held.
std::map<cufftHandle, Plan>& plans() {
  static auto& all = *new std::map<cufftHandle, Plan>;
  return all;
}

template <class Body>
cufftResult call(const char* name, cufftResult likely_error, Body body) {
  Device& device = Device::instance();
  const std::lock_guard lock(device.mutex);
  const int refused = refusal(device, name, likely_error, CUFFT_INTERNAL_ERROR, CUFFT_INTERNAL_ERROR);
  return refused != 0 ? static_cast<cufftResult>(refused) : body(device);
}

/// Calls the body with the plan.
template <class Body>
cufftResult with_plan(const char* name, cufftResult likely_error, cufftHandle handle, Body body) {
  // Where there is no device no plan could be made.
  return call(name, likely_error, [=](Device& device) {
    const auto it = plans().find(handle);
    return it == plans().end() ? CUFFT_INVALID_PLAN : body(device, it->second);
  });
}

void free_work_area(Device& device, Plan& plan) {
  if (plan.owns_work_area) {
    device.wait_for_all();
    device.free(plan.work_area);
  }
  plan.work_area = nullptr;
  plan.owns_work_area = false;
}

bool is_aligned(const void* p, const Shape& shape, bool real) {
  const std::size_t element = (is_double(shape.type) ? sizeof(double) : sizeof(float)) * (real ? 1 : 2);
  return reinterpret_cast<std::uintptr_t>(p) % element == 0;
}

/// The plan's shape for this execution: rows without a given layout are padded where they are transformed in place.
Shape shape_for(const Plan& plan, bool in_place) {
  Shape shape = plan.shape;
  if (plan.packed && in_place && reads_real(shape.type)) shape.in.distance = 2 * (shape.size / 2 + 1);
  if (plan.packed && in_place && writes_real(shape.type)) shape.out.distance = 2 * (shape.size / 2 + 1);
  return shape;
}

cufftResult exec(const char* name, cufftType type, cufftHandle handle, void* in, void* out, int sign) {
  return with_plan(name, CUFFT_EXEC_FAILED, handle, [=](Device& device, Plan& plan) {
    if (!plan.made) return CUFFT_INVALID_PLAN;
    if (plan.shape.type != type) return CUFFT_INVALID_TYPE;
    if (sign != CUFFT_FORWARD && sign != CUFFT_INVERSE) return CUFFT_INVALID_VALUE;
    if (!plan.work_area) return CUFFT_NO_WORKSPACE;
    const Shape shape = shape_for(plan, in == out);
    if (!is_aligned(in, shape, reads_real(type)) || !is_aligned(out, shape, writes_real(type)))
      return CUFFT_INVALID_VALUE;
    if (!device.is_device_memory(in, span_in(shape)) || !device.is_device_memory(out, span_out(shape)) ||
        !device.is_device_memory(plan.work_area, plan.work_bytes)) {
      std::fprintf(stderr, "standin: %s is given memory that is not the device's, or too little of it\n", name);
      std::abort();
    }
    const StreamPointer stream = plan.stream ? plan.stream : device.stream(nullptr);
    device.enqueue(stream, {.work =
                                [shape, in, out, sign, area = plan.work_area, bytes = plan.work_bytes] {
                                  std::memset(area, 0xff, bytes);
                                  execute(shape, in, out, sign);
                                },
                            .before = {}});
    return CUFFT_SUCCESS;
  });
}

}  // namespace
}  // namespace standin

using namespace standin;

cufftResult cufftGetVersion(int* version) {
  *version = CUFFT_VERSION;
  return CUFFT_SUCCESS;
}

cufftResult cufftCreate(cufftHandle* handle) {
  return call("cufftCreate", CUFFT_ALLOC_FAILED, [=](Device& device) {
    static cufftHandle last = 0;
    plans()[*handle = ++last] = {};
    ++device.plans;
    return CUFFT_SUCCESS;
  });
}

cufftResult cufftDestroy(cufftHandle handle) {
  return with_plan("cufftDestroy", CUFFT_SUCCESS, handle, [=](Device& device, Plan& plan) {
    free_work_area(device, plan);
    plans().erase(handle);
    --device.plans;
    return CUFFT_SUCCESS;
  });
}

cufftResult cufftSetAutoAllocation(cufftHandle handle, int on) {
  return with_plan("cufftSetAutoAllocation", CUFFT_INTERNAL_ERROR, handle, [=](Device&, Plan& plan) {
    plan.allocates = on != 0;
    return CUFFT_SUCCESS;
  });
}

cufftResult cufftMakePlanMany64(cufftHandle handle, int rank, long long* sizes, long long* in_embed,
                                long long in_stride, long long in_distance, long long* out_embed, long long out_stride,
                                long long out_distance, cufftType type, long long batch, std::size_t* work_bytes) {
  return with_plan("cufftMakePlanMany64", CUFFT_ALLOC_FAILED, handle, [=](Device& device, Plan& plan) {
    if (plan.made) return CUFFT_INVALID_PLAN;
    if (rank != 1) return CUFFT_NOT_SUPPORTED;
    if (sizes[0] < 1 || batch < 1) return CUFFT_INVALID_SIZE;
    plan.packed = !in_embed || !out_embed;
    plan.shape = {type, sizes[0], batch, {in_stride, in_distance}, {out_stride, out_distance}};
    const std::int64_t half = sizes[0] / 2 + 1;
    if (plan.packed) {
      plan.shape.in = {1, writes_real(type) ? half : sizes[0]};
      plan.shape.out = {1, reads_real(type) ? half : sizes[0]};
    }
    if (plan.shape.in.stride < 1 || plan.shape.out.stride < 1 || plan.shape.in.distance < 0 ||
        plan.shape.out.distance < 0)
      return CUFFT_INVALID_VALUE;
    const auto complex_bytes = is_double(type) ? sizeof(cufftDoubleComplex) : sizeof(cufftComplex);
    constexpr std::size_t granule = 256;
    plan.work_bytes = (static_cast<std::size_t>(half * batch) * complex_bytes + granule - 1) / granule * granule;
    if (plan.allocates) {
      plan.work_area = device.allocate(plan.work_bytes, true);
      if (!plan.work_area) return CUFFT_ALLOC_FAILED;
      plan.owns_work_area = true;
    }
    plan.made = true;
    *work_bytes = plan.work_bytes;
    return CUFFT_SUCCESS;
  });
}

cufftResult cufftGetSize(cufftHandle handle, std::size_t* work_bytes) {
  return with_plan("cufftGetSize", CUFFT_INTERNAL_ERROR, handle, [=](Device&, const Plan& plan) {
    *work_bytes = plan.work_bytes;
    return CUFFT_SUCCESS;
  });
}

cufftResult cufftSetWorkArea(cufftHandle handle, void* area) {
  return with_plan("cufftSetWorkArea", CUFFT_INTERNAL_ERROR, handle, [=](Device& device, Plan& plan) {
    free_work_area(device, plan);
    plan.work_area = area;
    return CUFFT_SUCCESS;
  });
}

cufftResult cufftSetStream(cufftHandle handle, cudaStream_t stream) {
  return with_plan("cufftSetStream", CUFFT_INTERNAL_ERROR, handle, [=](Device& device, Plan& plan) {
    plan.stream = device.stream(stream);
    return plan.stream ? CUFFT_SUCCESS : CUFFT_INVALID_VALUE;
  });
}

cufftResult cufftExecC2C(cufftHandle plan, cufftComplex* in, cufftComplex* out, int sign) {
  return exec("cufftExecC2C", CUFFT_C2C, plan, in, out, sign);
}
cufftResult cufftExecR2C(cufftHandle plan, cufftReal* in, cufftComplex* out) {
  return exec("cufftExecR2C", CUFFT_R2C, plan, in, out, CUFFT_FORWARD);
}
cufftResult cufftExecC2R(cufftHandle plan, cufftComplex* in, cufftReal* out) {
  return exec("cufftExecC2R", CUFFT_C2R, plan, in, out, CUFFT_INVERSE);
}
cufftResult cufftExecZ2Z(cufftHandle plan, cufftDoubleComplex* in, cufftDoubleComplex* out, int sign) {
  return exec("cufftExecZ2Z", CUFFT_Z2Z, plan, in, out, sign);
}
cufftResult cufftExecD2Z(cufftHandle plan, cufftDoubleReal* in, cufftDoubleComplex* out) {
  return exec("cufftExecD2Z", CUFFT_D2Z, plan, in, out, CUFFT_FORWARD);
}
cufftResult cufftExecZ2D(cufftHandle plan, cufftDoubleComplex* in, cufftDoubleReal* out) {
  return exec("cufftExecZ2D", CUFFT_Z2D, plan, in, out, CUFFT_INVERSE);
}

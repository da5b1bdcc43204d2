#include "cufft.hpp"

#include "runtime.hpp"

#include "../core/published.hpp"
#include "../text.hpp"

#include <gpuconv/error.hpp>

#include <dlfcn.h>

namespace gpuconv::detail {
namespace {

#define GPUCONV_TEXT_OF(x) #x
#define GPUCONV_TEXT(x) GPUCONV_TEXT_OF(x)
constexpr const char* kLibrary = "libcufft.so." GPUCONV_TEXT(CUFFT_VER_MAJOR);

struct Cufft {
  decltype(&cufftCreate) create;
  decltype(&cufftDestroy) destroy;
  decltype(&cufftSetAutoAllocation) set_auto_allocation;
  decltype(&cufftMakePlanMany64) make_plan_many;
  decltype(&cufftSetWorkArea) set_work_area;
  decltype(&cufftSetStream) set_stream;
  decltype(&cufftExecR2C) r2c;
  decltype(&cufftExecC2R) c2r;
  decltype(&cufftExecD2Z) d2z;
  decltype(&cufftExecZ2D) z2d;
  decltype(&cufftExecC2C) c2c;
  decltype(&cufftExecZ2Z) z2z;
  std::string why_not;  // empty where all were found
};

template <class F>
void find(void* library, const char* name, F& function, std::string& why_not) {
  function = reinterpret_cast<F>(dlsym(library, name));
  if (!function) why_not = text(kLibrary, " has no ", name);
}

Cufft load() {
  Cufft c{};
  void* const library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);  // for good: plans may outlive everything else
  if (!library) {
    const char* const error = dlerror();
    c.why_not = text("cuFFT was not found: ", error ? error : kLibrary);
    return c;
  }
  find(library, "cufftCreate", c.create, c.why_not);
  find(library, "cufftDestroy", c.destroy, c.why_not);
  find(library, "cufftSetAutoAllocation", c.set_auto_allocation, c.why_not);
  find(library, "cufftMakePlanMany64", c.make_plan_many, c.why_not);
  find(library, "cufftSetWorkArea", c.set_work_area, c.why_not);
  find(library, "cufftSetStream", c.set_stream, c.why_not);
  find(library, "cufftExecR2C", c.r2c, c.why_not);
  find(library, "cufftExecC2R", c.c2r, c.why_not);
  find(library, "cufftExecD2Z", c.d2z, c.why_not);
  find(library, "cufftExecZ2D", c.z2d, c.why_not);
  find(library, "cufftExecC2C", c.c2c, c.why_not);
  find(library, "cufftExecZ2Z", c.z2z, c.why_not);
  return c;
}

Cufft const& cufft() {
  static constinit MadeOnce<Cufft> library;
  return library.get([] { return std::make_unique<const Cufft>(load()); });
}

const char* name_of(cufftResult result) {
  switch (result) {
    case CUFFT_INVALID_PLAN:
      return "CUFFT_INVALID_PLAN";
    case CUFFT_ALLOC_FAILED:
      return "CUFFT_ALLOC_FAILED";
    case CUFFT_INVALID_TYPE:
      return "CUFFT_INVALID_TYPE";
    case CUFFT_INVALID_VALUE:
      return "CUFFT_INVALID_VALUE";
    case CUFFT_INTERNAL_ERROR:
      return "CUFFT_INTERNAL_ERROR";
    case CUFFT_EXEC_FAILED:
      return "CUFFT_EXEC_FAILED";
    case CUFFT_SETUP_FAILED:
      return "CUFFT_SETUP_FAILED";
    case CUFFT_INVALID_SIZE:
      return "CUFFT_INVALID_SIZE";
    case CUFFT_NOT_SUPPORTED:
      return "CUFFT_NOT_SUPPORTED";
    default:
      return "cuFFT result";
  }
}

cufftType type_of_transform(Type points, CufftPlan::Direction direction) {
  const bool is_double = part_type(points) == Type::float64;
  if (is_complex(points)) return is_double ? CUFFT_Z2Z : CUFFT_C2C;
  if (direction == CufftPlan::Direction::forward) return is_double ? CUFFT_D2Z : CUFFT_R2C;
  return is_double ? CUFFT_Z2D : CUFFT_C2R;
}

}  // namespace

void check_cufft(cufftResult result, const char* what) {
  if (result == CUFFT_SUCCESS) return;
  if (result == CUFFT_ALLOC_FAILED) throw OutOfMemory(text(what, ": cuFFT is out of memory"), 0);
  const int code = static_cast<int>(result);
  throw CufftError(text(what, ": ", name_of(result), " (", code, ")"), code);
}

std::string why_no_cufft() { return cufft().why_not; }

CufftPlan::CufftPlan(std::int64_t size, std::int64_t pitch, std::int64_t batch, Type points, Direction direction)
    : type_(type_of_transform(points, direction)),
      direction_(direction == Direction::forward ? CUFFT_FORWARD : CUFFT_INVERSE) {
  if (!cufft().why_not.empty()) throw Unsupported(cufft().why_not);
  check_cufft(cufft().create(&handle_), "cufftCreate");
  try {
    check_cufft(cufft().set_auto_allocation(handle_, 0), "cufftSetAutoAllocation");
    long long n = size, complexes = pitch / 2, reals = is_complex(points) ? complexes : pitch;
    const bool forward = direction == Direction::forward;
    long long &in = forward ? reals : complexes, &out = forward ? complexes : reals;
    check_cufft(cufft().make_plan_many(handle_, 1, &n, &in, 1, in, &out, 1, out, type_, batch, &work_bytes_),
                "cufftMakePlanMany64");
  } catch (...) {
    cufft().destroy(handle_);
    throw;
  }
}

CufftPlan::~CufftPlan() {
  const BesideCaptures beside;
  cufft().destroy(handle_);
}

void CufftPlan::execute(void* data, void* work, cudaStream_t stream) const {
  check_cufft(cufft().set_stream(handle_, stream), "cufftSetStream");
  if (work_bytes_ > 0) check_cufft(cufft().set_work_area(handle_, work), "cufftSetWorkArea");
  auto* const floats = static_cast<cufftComplex*>(data);
  auto* const doubles = static_cast<cufftDoubleComplex*>(data);
  switch (type_) {
    case CUFFT_R2C:
      return check_cufft(cufft().r2c(handle_, static_cast<cufftReal*>(data), floats), "cufftExecR2C");
    case CUFFT_C2R:
      return check_cufft(cufft().c2r(handle_, floats, static_cast<cufftReal*>(data)), "cufftExecC2R");
    case CUFFT_C2C:
      return check_cufft(cufft().c2c(handle_, floats, floats, direction_), "cufftExecC2C");
    case CUFFT_D2Z:
      return check_cufft(cufft().d2z(handle_, static_cast<cufftDoubleReal*>(data), doubles), "cufftExecD2Z");
    case CUFFT_Z2D:
      return check_cufft(cufft().z2d(handle_, doubles, static_cast<cufftDoubleReal*>(data)), "cufftExecZ2D");
    default:
      return check_cufft(cufft().z2z(handle_, doubles, doubles, direction_), "cufftExecZ2Z");
  }
}

}  // namespace gpuconv::detail

#include "device_memory.hpp"

#include "device_array.hpp"
#include "dlpack.hpp"
#include "dtypes.hpp"

#include <nanobind/ndarray.h>

#include <memory>
#include <vector>

namespace gpuconv::python {
namespace {

struct Memory {
  DeviceBuffer<std::uint8_t> buffer;
  int device;

  static void destroy(void* memory) noexcept {
    const std::unique_ptr<Memory> owner(static_cast<Memory*>(memory));
    try {
      const OnDevice on(owner->device);
      owner->buffer = {};
    } catch (...) {  // the runtime has gone, and all memory with it
    }
  }
};

nb::dlpack::dtype dlpack_type(int number) {
  const Type type = *type_of_number(number);
  const auto code = number == NPY_BOOL       ? dlpack::boolean
                    : type == Type::bfloat16 ? dlpack::bfloat
                    : is_complex(type)       ? dlpack::complex
                    : is_floating(type)      ? dlpack::floating
                    : is_signed(type)        ? dlpack::integer
                                             : dlpack::unsigned_integer;
  return {code, static_cast<std::uint8_t>(8 * size_of(type)), 1};
}

}  // namespace

nb::object device_memory(nb::tuple shape, nb::object dtype) {
  import_numpy();
  const int number = number_of_dtype(dtype.ptr());
  const nb::dlpack::dtype type = dlpack_type(number);
  std::vector<std::size_t> counts;
  std::size_t bytes = type.bits / 8;
  for (nb::handle count : shape) {
    counts.push_back(nb::cast<std::size_t>(count));
    if (__builtin_mul_overflow(bytes, counts.back(), &bytes)) bytes = SIZE_MAX;
  }
  auto memory = std::make_unique<Memory>(
      Memory{DeviceBuffer<std::uint8_t>(static_cast<std::int64_t>(std::max<std::size_t>(bytes, 1))), 0});
  std::uint8_t* const data = memory->buffer.data();
  memory->device = device_of(data);
  const int device = memory->device;
  const nb::capsule owner(memory.get(), &Memory::destroy);
  static_cast<void>(memory.release());
  return nb::cast(
      nb::ndarray<nb::array_api>(data, counts.size(), counts.data(), owner, nullptr, type, dlpack::kCuda, device));
}

}  // namespace gpuconv::python

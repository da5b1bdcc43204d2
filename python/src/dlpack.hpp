// DLPack's structures, as its specification lays them out in memory (versions 0 and 1).
#pragma once

#include <cstdint>

namespace gpuconv::python::dlpack {

inline constexpr std::int32_t kCuda = 2, kCudaManaged = 13;  // kinds of devices
inline constexpr std::uint32_t kMajor = 1;
inline constexpr std::uint64_t kReadOnly = 1, kCopied = 2;  // flags
enum Code : std::uint8_t { integer = 0, unsigned_integer = 1, floating = 2, bfloat = 4, complex = 5, boolean = 6 };

struct Tensor {
  void* data;
  std::int32_t device_kind, device;
  std::int32_t axes;
  std::uint8_t code, bits;
  std::uint16_t lanes;
  std::int64_t* counts;
  std::int64_t* strides;  // elements; null where they follow each other
  std::uint64_t offset;   // bytes from `data` to the first element
};

/// What a capsule "dltensor" holds.
struct Managed {
  Tensor tensor;
  void* context;
  void (*release)(Managed*);
};

/// What a capsule "dltensor_versioned" holds. Where `major` is another one, only `release` may be used.
struct Versioned {
  std::uint32_t major, minor;
  void* context;
  void (*release)(Versioned*);
  std::uint64_t flags;
  Tensor tensor;
};

}  // namespace gpuconv::python::dlpack

// NumPy's names of its element types, in headers of .npy files.
#pragma once

#include <gpuconv/types.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace npy {

struct ElementType {
  gpuconv::Type type;
  bool swapped = false;  ///< in the other byte order than this machine's
  bool logical = false;  ///< NumPy's bool: bytes that are 0 or 1, and uint8 to the library
};

/// The type that numpy.dtype(name) is: "<f8", ">c8", "=l", "float64", "ushort". Nothing where gpuconv has no such type.
std::optional<ElementType> element_type(std::string_view name);

/// The kind of a type that gpuconv does not have, for an error: "floating point of this size", "byte strings",
/// "unknown".
std::string_view foreign_type(std::string_view name);

/// Whether NumPy has the type: it lacks bfloat16.
bool is_in_numpy(gpuconv::Type type);

/// What the header of a file says of elements in this machine's byte order: "<f8", "|i1". Throws
/// gpuconv::InvalidArgument for a type that is not in NumPy.
std::string descr_of(gpuconv::Type type);
inline constexpr std::string_view kBoolDescr = "|b1";

}  // namespace npy

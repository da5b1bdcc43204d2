// What NumPy calls its element types, in headers of .npy files.
#pragma once

#include <gpuconv/types.hpp>

#include <optional>
#include <string_view>

namespace npy {

struct ElementType {
  gpuconv::Type type;
  bool swapped = false;  ///< in the other byte order than this machine's
};

/// The type that numpy.dtype(name) is: "<f8", ">i2", "=l", "float64", "ushort". Nothing where gpuconv has no such type.
std::optional<ElementType> element_type(std::string_view name);

/// What such a type is, for an error: "bool", "complex", "unknown".
std::string_view foreign_type(std::string_view name);

}  // namespace npy

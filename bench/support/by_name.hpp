// Types, methods and their like by the names that the library prints.
#pragma once

#include <gpuconv/problem.hpp>

#include <stdexcept>
#include <string>

namespace gpuconv::bench {

/// The one of the first `count` values that has this name. Throws std::invalid_argument.
template <class Enum>
Enum by_name(std::string const& wanted, int count) {
  for (int i = 0; i < count; ++i)
    if (name(static_cast<Enum>(i)) == wanted) return static_cast<Enum>(i);
  throw std::invalid_argument("unknown name " + wanted);
}

}  // namespace gpuconv::bench

// Numbers of 16 bits by the formulas of gpuconv/half.hpp: the bits of the device's own conversions, but for what is not
// a number.
#pragma once

#include "qualifiers.hpp"

#include <gpuconv/half.hpp>

#include <cstdint>

namespace gpuconv::device {

template <class H>
float low(unsigned pair) {
  H x;
  x.bits = static_cast<std::uint16_t>(pair);
  return static_cast<float>(x);
}
template <class H>
float high(unsigned pair) {
  return low<H>(pair >> 16);
}
template <class H>
unsigned packed(float low, float high) {
  return H(low).bits | static_cast<unsigned>(H(high).bits) << 16;
}

}  // namespace gpuconv::device

// What a plan of the stand-in cuFFT does with device memory.
#pragma once

#include <cufft.h>

#include <cstdint>

namespace standin {

/// One row of the batch begins `distance` elements after the one before, its elements are `stride` apart. An element is
/// a real or a complex number.
struct Layout {
  std::int64_t stride = 1, distance = 0;
};

struct Shape {
  cufftType type{};
  std::int64_t size = 0, batch = 0;
  Layout in{}, out{};
};

/// Executes the transforms; sign: -1 forward, 1 inverse. Ruins the input of an out-of-place C2R or Z2D, as cuFFT may.
void execute(const Shape& shape, void* in, void* out, int sign);

/// Whether the elements are real numbers.
bool reads_real(cufftType type);
bool writes_real(cufftType type);
bool is_double(cufftType type);
/// How much of memory the elements of one side span, in bytes.
std::size_t span_in(const Shape& shape);
std::size_t span_out(const Shape& shape);

}  // namespace standin

// What numbers of streams mean that go between libraries: DLPack's, and those of CUDA's array interface.
#pragma once

#include <gpuconv/device.hpp>

#include <cstdint>
#include <optional>

namespace gpuconv::python {

/// Who numbers a stream. Both: 0 means none, as it might be either default stream; 1 is the legacy default stream, 2
/// the calling thread's, any other positive number a pointer.
enum class Numbering : std::uint8_t {
  dlpack,          ///< `__dlpack__(stream=)`: None is the legacy default stream, -1 that nobody waits
  array_interface  ///< the entry "stream" of `__cuda_array_interface__`: None is that nobody waits
};

/// The stream that a number, or None, stands for; nothing where nobody waits. Throws InvalidArgument for 0, and for
/// negative numbers that have no meaning.
std::optional<Stream> stream_of(Numbering numbering, std::optional<std::int64_t> number);

/// The number of a stream, which is the same to both.
std::int64_t number_of(Stream stream);

/// Whether both are the same stream.
inline bool is_same(Stream a, Stream b) { return number_of(a) == number_of(b); }

}  // namespace gpuconv::python

// The .npy reader under arbitrary bytes: the body that libFuzzer and the seeded driver share.
#pragma once

#include <cstddef>
#include <cstdint>

/// Reads `data` as a .npy file and aborts where a property does not hold: a file of known size and a pipe give the same
/// array or both refuse it, and what was read survives being written. Returns 0.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);

/// Arrays that were read so far: a driver that never gets past a header tests little.
std::uint64_t arrays_read();

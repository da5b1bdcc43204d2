#include "streams.hpp"

#include <gpuconv/error.hpp>

#include <string>

namespace gpuconv::python {
namespace {

constexpr std::int64_t kNobodyWaits = -1, kAmbiguous = 0, kLegacy = 1;

}  // namespace

std::optional<Stream> stream_of(Numbering numbering, std::optional<std::int64_t> number) {
  const bool dlpack = numbering == Numbering::dlpack;
  if (!number) return dlpack ? std::optional(Stream{}) : std::nullopt;
  if (dlpack && *number == kNobodyWaits) return std::nullopt;
  if (*number == kAmbiguous)
    throw InvalidArgument("stream 0 may be either default stream: 1 is the legacy one, 2 the thread's");
  if (*number < 0) throw InvalidArgument("there is no stream " + std::to_string(*number));
  if (*number == kLegacy) return Stream{};
  return Stream(reinterpret_cast<CUstream_st*>(*number));
}

std::int64_t number_of(Stream stream) {
  return stream.handle() ? static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(stream.handle())) : kLegacy;
}

}  // namespace gpuconv::python

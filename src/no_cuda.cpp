// What a build without CUDA has in place of src/cuda.
#include "problem.hpp"
#include "runner.hpp"

#include <gpuconv/error.hpp>

namespace gpuconv {
namespace {

constexpr std::string_view kNoCuda = "this build of gpuconv has no CUDA device";

}  // namespace

std::span<detail::Solver const* const> detail::cuda_solvers() noexcept { return {}; }
DeviceInfo detail::cuda_device_info() { return {Device::cuda, false, std::string(kNoCuda)}; }
std::unique_ptr<detail::Runner> detail::make_cuda_runner(Work const&, Resources const&, Answer const&) {
  throw Unsupported(kNoCuda);
}

void* detail::allocate_device(std::size_t bytes, Stream, DeviceAllocator*) {
  check_device_bytes(bytes);
  if (bytes > 0) throw Unsupported(kNoCuda);
  return nullptr;
}
void detail::deallocate_device(void*, std::size_t, Stream, DeviceAllocator*) noexcept {}
void synchronize(Stream) { throw Unsupported(kNoCuda); }
bool is_captured(Stream) { throw Unsupported(kNoCuda); }
int device_of(void const*) { throw Unsupported(kNoCuda); }
OnDevice::OnDevice(int) : index_(0) { throw Unsupported(kNoCuda); }
OnDevice::~OnDevice() = default;
Event::Event() { throw Unsupported(kNoCuda); }
Event::~Event() = default;
void Event::record(Stream) {}
void Event::precede(Stream) const {}
void copy(HostInput, DeviceOutput, Stream) { throw Unsupported(kNoCuda); }
void copy(DeviceInput, HostOutput, Stream) { throw Unsupported(kNoCuda); }

}  // namespace gpuconv

// Plans on arrays in device memory.
#include "filters.hpp"
#include "host_runner.hpp"

#include "../text.hpp"

#include <gpuconv/error.hpp>

namespace gpuconv::detail {
namespace {

// Throws where the device cannot reach `pointer`. Memory that CUDA does not know is host memory; few machines let the
// device read that.
void check_reachable(void const* pointer, int device, const char* what) {
  cudaPointerAttributes attributes;
  check_cuda(cudaPointerGetAttributes(&attributes, pointer), "cudaPointerGetAttributes");
  if (attributes.type != cudaMemoryTypeUnregistered) return;
  int reads_host_memory = 0;
  check_cuda(cudaDeviceGetAttribute(&reads_host_memory, cudaDevAttrPageableMemoryAccess, device),
             "cudaDeviceGetAttribute");
  if (!reads_host_memory) throw InvalidArgument(text("the ", what, " is not in device memory"));
}

class DeviceRunner final : public Runner {
 public:
  DeviceRunner(Work const& w, Resources const& r, Answer const& offer)
      : device_(current_device()), allocator_(r.allocator), executor_(offer.make(w, r, offer.parameters)) {
    caller_scratch_ = r.caller_scratch;
    if (!caller_scratch_) scratch_ = PlanMemory(static_cast<double>(executor_->scratch_bytes()), device_, r.allocator);
  }

  void set_filter(HostInput filter) override { set_filter(filter, Stream{}, {}); }

  void set_filter(DeviceInput filter, Stream stream, DeviceBytes scratch) override {
    const OnDevice on(device_.index);
    check_reachable(filter.data(), device_.index, "filter");
    executor_->set_filter(access_of(filter), work.filters(), {scratch_of(scratch), stream});
  }

  void set_filter(HostInput filter, Stream stream, DeviceBytes scratch) override {
    const OnDevice on(device_.index);
    void* const memory = scratch_of(scratch);
    const UploadedFilter uploaded(filter, stream, allocator_);
    executor_->set_filter(uploaded.access(), work.filters(), {memory, stream});
  }

  void execute(DeviceInput signal, DeviceOutput out, Stream stream, DeviceBytes scratch) override {
    const OnDevice on(device_.index);
    check_reachable(signal.data(), device_.index, "signal");
    check_reachable(out.data(), device_.index, "output");
    executor_->run(access_of(signal), access_of(out), whole(work), {scratch_of(scratch), stream});
  }

  std::size_t workspace_bytes() const override { return executor_->own_bytes() + scratch_.bytes(); }
  std::size_t scratch_bytes() const override { return executor_->scratch_bytes(); }

 private:
  void* scratch_of(DeviceBytes const& given) {
    if (!caller_scratch_) {
      if (given.data) throw InvalidArgument("this plan has scratch memory of its own: see Options::caller_scratch");
      return scratch_.data();
    }
    const std::size_t needed = executor_->scratch_bytes();
    if (needed == 0) return nullptr;
    if (!given.data || given.size < needed)
      throw InvalidArgument(text("the scratch memory has ", given.data ? given.size : 0, " bytes, ", needed,
                                 " are expected (Plan::scratch_bytes)"));
    if (reinterpret_cast<std::uintptr_t>(given.data) % 256 != 0)
      throw InvalidArgument("the scratch memory is not aligned to 256 bytes");
    check_reachable(given.data, device_.index, "scratch memory");
    return given.data;
  }

  CudaDevice const& device_;
  DeviceAllocator* allocator_;
  bool caller_scratch_ = false;
  std::unique_ptr<Executor> executor_;
  PlanMemory scratch_;
};

}  // namespace

std::unique_ptr<Runner> make_cuda_runner(Work const& w, Resources const& r, Answer const& offer) {
  if (r.memory == Memory::device) return std::make_unique<DeviceRunner>(w, r, offer);
  return make_host_runner(w, r, offer);
}

}  // namespace gpuconv::detail

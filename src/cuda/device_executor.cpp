// Plans on arrays in device memory.
#include "copy.hpp"
#include "method.hpp"

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

class DeviceExecutor final : public Executor {
 public:
  DeviceExecutor(Geometry const& g, Resources const& r, MakeMethod const& make)
      : device_(current_device()), allocator_(r.allocator), method_(make(g, device_, r.allocator)) {
    caller_scratch_ = r.caller_scratch;
    if (!caller_scratch_) scratch_ = PlanMemory(static_cast<double>(method_->scratch_bytes()), device_, r.allocator);
  }

  void set_filter(HostInput filter) override { set_filter(filter, Stream{}, {}); }

  void set_filter(DeviceInput filter, Stream stream, DeviceBytes scratch) override {
    const OnDevice on(device_.index);
    check_reachable(filter.data(), device_.index, "filter");
    method_->set_filter(input_of(filter), scratch_of(scratch), stream.handle());
  }

  void set_filter(HostInput filter, Stream stream, DeviceBytes scratch) override {
    const OnDevice on(device_.index);
    void* const memory = scratch_of(scratch);
    const UploadedFilter uploaded(filter, stream, allocator_);
    method_->set_filter(uploaded.input(), memory, stream.handle());
  }

  void execute(DeviceInput signal, DeviceOutput out, Stream stream, DeviceBytes scratch) override {
    const OnDevice on(device_.index);
    check_reachable(signal.data(), device_.index, "signal");
    check_reachable(out.data(), device_.index, "output");
    const Piece all{.first_row = 0, .rows = geometry.batch, .first = geometry.first, .length = geometry.length};
    method_->run(input_of(signal), output_of(out), all, scratch_of(scratch), stream.handle());
  }

  std::size_t workspace_bytes() const override { return method_->own_bytes() + scratch_.bytes(); }
  std::size_t scratch_bytes() const override { return method_->scratch_bytes(); }

 private:
  void* scratch_of(DeviceBytes const& given) {
    if (!caller_scratch_) {
      if (given.data) throw InvalidArgument("this plan has scratch memory of its own: see Options::caller_scratch");
      return scratch_.data();
    }
    const std::size_t needed = method_->scratch_bytes();
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
  std::unique_ptr<CudaMethod> method_;
  PlanMemory scratch_;
};

}  // namespace

UploadedFilter::UploadedFilter(HostInput filter, Stream stream, DeviceAllocator* allocator)
    : type_(filter.type()), columns_(filter.columns()) {
  const auto element = static_cast<std::int64_t>(size_of(type_));
  const std::int64_t width = columns_ * element;
  bytes_ = DeviceBuffer<std::uint8_t>(filter.rows() * width, stream, allocator);
  copy_rows({bytes_.data(), width}, {filter.data(), filter.stride() * element}, filter.rows(), width,
            cudaMemcpyHostToDevice, stream.handle());
  check_cuda(cudaStreamSynchronize(stream.handle()), "cudaStreamSynchronize");
}

kernels::Input UploadedFilter::input() const { return {bytes_.data(), type_, columns_, columns_}; }

std::unique_ptr<Executor> make_device_executor(Geometry const& g, Resources const& r, MakeMethod const& make) {
  return std::make_unique<DeviceExecutor>(g, r, make);
}

std::unique_ptr<Executor> make_cuda_executor(Geometry const& g, Resources const& r, MakeMethod const& make) {
  return r.memory == Memory::device ? make_device_executor(g, r, make) : make_host_executor(g, r, make);
}

}  // namespace gpuconv::detail

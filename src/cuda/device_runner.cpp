// Plans on arrays in device memory.
#include "across.hpp"
#include "cost.hpp"
#include "filters.hpp"
#include "host_runner.hpp"

#include "../lines.hpp"
#include "../text.hpp"

#include <gpuconv/error.hpp>

namespace gpuconv::detail {
namespace {

// Throws where the current device cannot reach `pointer`: another device's memory without peer access, or memory that
// CUDA does not know, which is host memory; few machines let the device read that.
void check_reachable(void const* pointer, int device, const char* what) {
  cudaPointerAttributes attributes;
  check_cuda(cudaPointerGetAttributes(&attributes, pointer), "cudaPointerGetAttributes");
  if (attributes.type != cudaMemoryTypeUnregistered) {
    if (attributes.devicePointer) return;
    throw InvalidArgument(text("the ", what, " is in memory of device ", attributes.device, ", which device ", device,
                               " has no access to"));
  }
  int reads_host_memory = 0;
  check_cuda(cudaDeviceGetAttribute(&reads_host_memory, cudaDevAttrPageableMemoryAccess, device),
             "cudaDeviceGetAttribute");
  if (!reads_host_memory) throw InvalidArgument(text("the ", what, " is not in device memory"));
}

// The offer's executor with room to move rows that lie across memory, as an image's columns do.
std::unique_ptr<Executor> with_room_to_move(Work const& w, Resources const& r, Answer const& offer) {
  if (offer.without_lines) {
    Answer rows = offer;
    rows.without_lines = false;
    return std::make_unique<LinesExecutor>(w, true, with_room_to_move(*lines_as_rows(w, true), r, rows));
  }
  if (w.has_lines()) return offer.executor(w, r);  // its kernel takes columns as they lie
  const AcrossChunk chunk = across_chunk(w, offer.parameters, bytes_kept_in_cache(current_device()));
  return make_across(w, chunk, offer.executor(w, r));
}

class DeviceRunner final : public Runner {
 public:
  DeviceRunner(Work const& w, Resources const& r, Answer const& offer)
      : device_(current_device()),
        allocator_(r.allocator),
        executor_(r.across ? with_room_to_move(w, r, offer) : offer.executor(w, r)) {
    caller_scratch_ = r.caller_scratch;
    if (!caller_scratch_) scratch_ = PlanMemory(static_cast<double>(executor_->scratch_bytes()), device_, r.allocator);
  }

  void set_filter(HostInput filter) override { set_filter(filter, Stream{}, {}); }

  void set_filter(DeviceInput filter, Stream stream, DeviceBytes scratch) override {
    const OnDevice on(device_.index);
    check_reachable(filter.data(), device_.index, "filter");
    executor_->set_filter(filter_of(access_of(filter)), work.filters(), {scratch_of(scratch), stream});
  }

  void set_filter(HostInput filter, Stream stream, DeviceBytes scratch) override {
    const OnDevice on(device_.index);
    const BesideCaptures beside;
    void* const memory = scratch_of(scratch);
    const UploadedFilter uploaded(filter, stream, allocator_);
    executor_->set_filter(filter_of(uploaded.access()), work.filters(), {memory, stream});
  }

  void execute(DeviceInput signal, DeviceOutput out, Stream stream, DeviceBytes scratch) override {
    const OnDevice on(device_.index);
    check_reachable(signal.data(), device_.index, "signal");
    check_reachable(out.data(), device_.index, "output");
    executor_->run(signal_of(access_of(signal)), out_of(access_of(out)), whole(work), {scratch_of(scratch), stream});
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
  const BesideCaptures beside;
  // Executors load their kernels, apart from those for direct sums, which a tile names.
  if (Tile const& tile = offer.parameters.tile; tile.lanes > 0)
    check_cuda(kernels::load_direct(w.compute_type(), tile), "cudaFuncGetAttributes");
  if (r.memory == Memory::device) return std::make_unique<DeviceRunner>(w, r, offer);
  return make_host_runner(w, r, offer);
}

}  // namespace gpuconv::detail

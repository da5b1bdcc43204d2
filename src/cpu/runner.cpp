// Plans on the CPU: an executor with its scratch memory.
#include "aligned.hpp"

#include "../core/thread_pool.hpp"
#include "../runner.hpp"

namespace gpuconv::detail {
namespace {

class CpuRunner final : public Runner {
 public:
  CpuRunner(Work const& w, Resources const& r, Answer const& offer)
      : executor_(offer.executor(w, r)), scratch_(static_cast<std::int64_t>(executor_->scratch_bytes())) {
    start_workers(offer.parameters.threads);
  }

  void set_filter(HostInput filter) override {
    executor_->set_filter(filter_of(access_of(filter)), work.filters(), means());
  }
  void execute(HostInput signal, HostOutput out) override {
    executor_->run(signal_of(access_of(signal)), out_of(access_of(out)), whole(work), means());
  }

  std::size_t workspace_bytes() const override { return executor_->own_bytes() + scratch_.bytes(); }

 private:
  Means means() const { return {.scratch = scratch_.data()}; }

  std::unique_ptr<Executor> executor_;
  AlignedBuffer<char> scratch_;
};

}  // namespace

std::unique_ptr<Runner> make_cpu_runner(Work const& w, Resources const& r, Answer const& offer) {
  return std::make_unique<CpuRunner>(w, r, offer);
}

}  // namespace gpuconv::detail

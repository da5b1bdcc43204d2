// The reduction for outputs with steps between them, for methods that compute all outputs: those that the step passes
// over are dropped where they would be stored. So bits may differ from those of the same outputs without a step, and
// the time is that of all outputs.
#pragma once

#include "executor.hpp"

#include <memory>
#include <utility>

namespace gpuconv::detail {

/// The same outputs and those between them.
constexpr Work without_steps(Work work) {
  work.axis.outputs = work.axis.span();
  work.axis.step = 1;
  return work;
}

class SteppedExecutor final : public Executor {
 public:
  /// `inner`: made for the work without steps.
  SteppedExecutor(std::unique_ptr<Executor> inner, std::int64_t step) : inner_(std::move(inner)), step_(step) {}

  std::size_t own_bytes() const override { return inner_->own_bytes(); }
  std::size_t scratch_bytes() const override { return inner_->scratch_bytes(); }
  void set_filter(Input const& filter, std::int64_t count, Means const& means) override {
    inner_->set_filter(filter, count, means);
  }
  void run(Input const& signal, Output const& out, Part const& part, Means const& means) override {
    Output kept = out;
    kept.every = step_;
    Part all = part;
    all.outputs = (part.outputs - 1) * step_ + 1;
    inner_->run(signal, kept, all, means);
  }

 private:
  std::unique_ptr<Executor> inner_;
  std::int64_t step_;
};

}  // namespace gpuconv::detail

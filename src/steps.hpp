// The reductions for outputs with steps between them, for methods that know none. Either all outputs are computed, and
// those that the step passes over are dropped where they would be stored: the time is that of all outputs. Or each
// output is computed by itself, where they are far apart. Bits may differ from those of the same outputs without a
// step.
#pragma once

#include "executor.hpp"

#include <memory>
#include <utility>

namespace gpuconv::detail {

/// The same outputs and those between them.
constexpr Work filled_steps(Work work) {
  work.axis.outputs = work.axis.span();
  work.axis.step = 1;
  return work;
}

/// One output, the first of the full convolution: a work as large as that of any other one.
constexpr Work one_output(Work work) {
  work.axis.first = 0;
  work.axis.outputs = work.axis.step = 1;
  return work;
}

/// Computes what the step passes over as well, and keeps the rest.
class FilledExecutor final : public Executor {
 public:
  /// `inner`: made for the work without steps.
  FilledExecutor(std::unique_ptr<Executor> inner, std::int64_t step) : inner_(std::move(inner)), step_(step) {}

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

/// Runs for each output by itself.
class ApartExecutor final : public Executor {
 public:
  /// `inner`: made for one of the outputs.
  ApartExecutor(std::unique_ptr<Executor> inner, std::int64_t step) : inner_(std::move(inner)), step_(step) {}

  std::size_t own_bytes() const override { return inner_->own_bytes(); }
  std::size_t scratch_bytes() const override { return inner_->scratch_bytes(); }
  void set_filter(Input const& filter, std::int64_t count, Means const& means) override {
    inner_->set_filter(filter, count, means);
  }
  void run(Input const& signal, Output const& out, Part const& part, Means const& means) override {
    Part one = part;
    one.outputs = 1;
    for (std::int64_t i = 0; i < part.outputs; ++i, one.first += step_)
      inner_->run(signal, advanced(out, i * out.stride), one, means);
  }

 private:
  std::unique_ptr<Executor> inner_;
  std::int64_t step_;
};

}  // namespace gpuconv::detail

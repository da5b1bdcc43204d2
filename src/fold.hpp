// The reduction for circular convolutions of integers with many times as many taps as samples: taps a whole number of
// periods apart meet the same sample, so they are added up when the filter is set, and there are as many as samples.
//
// Exact, because integers are summed modulo 2^64. Floating-point taps are not folded: an infinite sample times taps of
// either sign is NaN, times their sum it is not, and sums of large taps may overflow where those of products do not.
#pragma once

#include "executor.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace gpuconv::detail {

/// Taps per sample from which on a tap of 64 bits for each sample is the shorter way whatever the types: SSE2
/// multiplies those of 16 bits eight times as fast (docs/design/cpu.md).
inline constexpr std::int64_t kFoldedTaps = 8;

constexpr bool folds(Work const& work) {
  return work.extension.boundary == Boundary::wrap && is_integer(work.result_type) && !work.has_lines() &&
         work.axis.filter / kFoldedTaps >= work.axis.signal;
}

/// The same outputs with as many taps as samples.
constexpr Work folded(Work work) {
  work.axis.filter = work.axis.signal;
  work.filter_type = Type::uint64;
  return work;
}

/// On the CPU: taps are read where the filter lies.
class FoldedExecutor final : public Executor {
 public:
  /// `inner`: made for folded(work).
  FoldedExecutor(Work const& work, std::unique_ptr<Executor> inner)
      : taps_(work.axis.filter),
        period_(work.axis.signal),
        sums_(static_cast<std::size_t>(work.filters() * period_)),
        inner_(std::move(inner)) {}

  std::size_t own_bytes() const override { return sums_.size() * sizeof(std::uint64_t) + inner_->own_bytes(); }
  std::size_t scratch_bytes() const override { return inner_->scratch_bytes(); }

  void set_filter(Input const& filter, std::int64_t count, Means const& means) override {
    visit_type(filter.type, [&]<class T>(std::type_identity<T>) {
      if constexpr (is_integer(type_of<T>))
        for (std::int64_t f = 0; f < count; ++f)
          fold(static_cast<T const*>(filter.data) + f * filter.outer, filter.stride, sums_.data() + f * period_);
    });
    inner_->set_filter({.data = sums_.data(), .type = Type::uint64, .outer = period_}, count, means);
  }
  void run(Input const& signal, Output const& out, Part const& part, Means const& means) override {
    inner_->run(signal, out, part, means);
  }

 private:
  template <class T>
  void fold(T const* from, std::int64_t stride, std::uint64_t* to) const {
    std::fill_n(to, period_, 0);
    for (std::int64_t j = 0; j < taps_;)
      for (std::int64_t i = 0; i < period_ && j < taps_; ++i, ++j)
        to[i] += static_cast<std::uint64_t>(from[j * stride]);
  }

  std::int64_t taps_, period_;
  std::vector<std::uint64_t> sums_;
  std::unique_ptr<Executor> inner_;
};

}  // namespace gpuconv::detail

// The reduction for filters that are longer than the signal. Convolution commutes: the filter is kept as it is and
// takes the part of the signal, and each run prepares the signal as if it were the filter.
#pragma once

#include "executor.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace gpuconv::detail {

/// The work that an executor does with exchanged operands, made of one loop of the work that is asked for: as many of
/// its rows at once as keep what is prepared of them within `budget` bytes, at `row_bytes` per row.
inline Work exchanged_rows(Work const& work, double row_bytes, double budget) {
  Work out = exchanged(work);
  if (work.loops.inner.count > 1) out.loops.outer = out.loops.inner, out.loops.inner = {};
  Loop& rows = out.loops.outer;
  if (rows.filter_moves)
    rows.count = static_cast<std::int64_t>(std::clamp(budget / row_bytes, 1.0, static_cast<double>(rows.count)));
  return out;
}

/// `Kept` holds the filters one after the other in the type that is computed in. It has set(Input, count, Means),
/// access() and bytes().
template <class Kept>
class ExchangedExecutor final : public Executor {
 public:
  /// `inner`: made for `rows`, which exchanged_rows has made of `work`.
  ExchangedExecutor(Work const& work, Work const& rows, Kept kept, std::unique_ptr<Executor> inner)
      : work_(work), rows_(rows), kept_(std::move(kept)), inner_(std::move(inner)) {}

  std::size_t own_bytes() const override { return kept_.bytes() + inner_->own_bytes(); }
  std::size_t scratch_bytes() const override { return inner_->scratch_bytes(); }

  void set_filter(Input const& filter, std::int64_t count, Means const& means) override {
    kept_.set(filter, count, means);
  }

  /// The part has all samples.
  void run(Input const& signal, Output const& out, Part const& part, Means const& means) override {
    const Loops& loops = work_.loops;
    const bool nested = loops.inner.count > 1;
    const std::int64_t taps = work_.axis.filter, end = part.row + part.rows;
    for (std::int64_t row = part.row, rows = 0; row < end; row += rows) {
      const std::int64_t left = nested ? loops.inner.count - loops.turn(row).inner : end - row;
      rows = std::min({rows_.loops.outer.count, left, end - row});
      Input filters = advanced(signal, signal.offset(loops, row));
      Input kept = kept_.access();
      kept = advanced(kept, loops.filter_of(row) * kept.outer);
      Output to = advanced(out, out.offset(loops, row));
      if (nested) filters.outer = filters.inner, to.outer = to.inner;
      if (!rows_.loops.outer.signal_moves) kept.outer = 0;
      inner_->set_filter(filters, rows_.loops.outer.filter_moves ? rows : 1, means);
      inner_->run(kept, to, {.row = 0, .rows = rows, .samples = taps, .first = part.first, .outputs = part.outputs},
                  means);
    }
  }

 private:
  Work work_, rows_;
  Kept kept_;
  std::unique_ptr<Executor> inner_;
};

}  // namespace gpuconv::detail

// The reduction for images whose filter is one line or one column: each line, or each column, is a row of one dimension
// with the same filter, and all there is for one dimension serves. The loop over lines is one of the work's.
#pragma once

#include "executor.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace gpuconv::detail {

/// Whether outputs along an axis that the filter has one tap along are those of samples that are there.
constexpr bool is_passed_through(Axis const& a) {
  return a.filter == 1 && a.first >= 0 && a.first + a.span() <= a.signal;
}

/// Whether the rows are columns of the images rather than their lines.
constexpr bool rows_are_columns(Work const& work) { return !is_passed_through(work.lines); }

/// The loop over images, or over the filters of one.
constexpr Loop loop_over_images(Work const& work) {
  return work.loops.inner.count == 1 ? work.loops.outer : work.loops.inner;
}

/// Whether the loop over lines is the outer one. CPU kernels take the columns of one image together, which are
/// neighbours in memory, in the outer loop; where rows are `moved` (cuda/across.hpp), some turns of the inner loop are.
constexpr bool lines_are_outer(Work const& work, bool moved) {
  return rows_are_columns(work) && !(moved && loop_over_images(work).signal_moves);
}

/// The same outputs as rows of one dimension, where the filter has one line or one column and one of the loops is free
/// for the images' lines. `moved`: rows may be moved to where they do not lie across memory.
constexpr std::optional<Work> lines_as_rows(Work const& work, bool moved) {
  const bool columns = rows_are_columns(work), one_loop = work.loops.inner.count == 1;
  const bool one_image = work.loops.outer.count == 1;
  if ((columns && !is_passed_through(work.axis)) || !(one_loop || one_image)) return {};
  Work out = work;
  const Axis lines = columns ? work.axis : work.lines;
  out.axis = columns ? work.lines : work.axis;
  out.lines = {};
  out.separable = false;
  const Loop over{.count = lines.outputs, .signal_moves = true, .filter_moves = false};
  const Loop images = loop_over_images(work);
  if (images.count == 1) out.loops = {.outer = over, .inner = {}};
  else if (lines_are_outer(work, moved)) out.loops = {.outer = over, .inner = images};
  else out.loops = {.outer = images, .inner = over};
  return out;
}

class LinesExecutor final : public Executor {
 public:
  /// `inner`: made for lines_as_rows(work, moved).
  LinesExecutor(Work const& work, bool moved, std::unique_ptr<Executor> inner)
      : work_(work), rows_(*lines_as_rows(work, moved)), moved_(moved), inner_(std::move(inner)) {}

  std::size_t own_bytes() const override { return inner_->own_bytes(); }
  std::size_t scratch_bytes() const override { return inner_->scratch_bytes(); }

  void set_filter(Input const& filter, std::int64_t count, Means const& means) override {
    Input taps = filter;
    if (rows_are_columns(work_)) taps.stride = filter.line;
    inner_->set_filter(taps, count, means);
  }

  /// The part is all of the work.
  void run(Input const& signal, Output const& out, Part const&, Means const& means) override {
    Axis const& over = rows_are_columns(work_) ? work_.axis : work_.lines;
    const std::int64_t apart = rows_are_columns(work_) ? signal.stride : signal.line;
    inner_->run(as_rows(advanced(signal, over.first * apart), over.step), as_rows(out, 1), whole(rows_), means);
  }

 private:
  // Every `step`-th line, or column, as a row of its own.
  template <class Void>
  Access<Void> as_rows(Access<Void> const& images, std::int64_t step) const {
    const bool columns = rows_are_columns(work_);
    Access<Void> out = images;
    const std::int64_t over = step * (columns ? images.stride : images.line);
    const std::int64_t image = work_.loops.inner.count == 1 ? images.outer : images.inner;
    if (columns) out.stride = images.line;
    out.line = 0;
    if (loop_over_images(work_).count == 1) out.outer = over, out.inner = 0;
    else if (lines_are_outer(work_, moved_)) out.outer = over, out.inner = image;
    else out.outer = image, out.inner = over;
    return out;
  }

  Work work_, rows_;
  bool moved_;
  std::unique_ptr<Executor> inner_;
};

}  // namespace gpuconv::detail

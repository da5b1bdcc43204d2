#include "layout.hpp"

#include <algorithm>
#include <numeric>
#include <string>

namespace tool {
namespace {

// An array without dimensions has one sample.
struct Dimensions {
  npy::Shape shape, strides;
  explicit Dimensions(npy::Reader const& file) : shape(file.shape()), strides(file.strides()) {
    if (shape.empty()) shape = strides = {1};
  }
  std::int64_t rank() const { return std::ssize(shape); }
};

std::int64_t product(npy::Shape const& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

std::size_t axis_of(npy::Reader const& signal, std::int64_t rank, std::int64_t axis) {
  if (axis < -rank || axis >= rank)
    throw npy::Error(signal.name(), "the axis is " + std::to_string(axis) + ", from " + std::to_string(-rank) + " to " +
                                        std::to_string(rank - 1) + " is expected for the shape " +
                                        npy::to_string(signal.shape()));
  return static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
}

[[noreturn]] void refuse_filter(npy::Reader const& signal, npy::Reader const& filter, std::size_t axis) {
  throw npy::Error(filter.name(), "the filter has " + std::to_string(filter.rows()) + " rows, its shape is " +
                                      npy::to_string(filter.shape()) + "; one filter, or one for each row along axis " +
                                      std::to_string(axis) + " of " + signal.name() + ", whose shape is " +
                                      npy::to_string(signal.shape()) +
                                      ", is expected; --bank applies the rows of two dimensions to every row");
}

// Whether all dimensions are 1 but for the one at `axis`.
bool is_one_row(npy::Shape const& shape, std::size_t axis) { return product(shape) == shape[axis]; }

bool is_one_for_each_row(npy::Shape const& filter, npy::Shape const& signal, std::size_t axis) {
  if (filter.size() != signal.size()) return false;
  for (std::size_t d = 0; d < signal.size(); ++d)
    if (d != axis && filter[d] != 1 && filter[d] != signal[d]) return false;
  return true;
}

// Whether the loops over the rows of the signal pass through the file of an array from its begin to its end.
bool is_in_order(Dimensions const& array, Dimensions const& signal, std::size_t axis) {
  npy::Shape strides;
  for (std::size_t d = 0; d < array.shape.size(); ++d) {
    if (array.shape[d] > 1) strides.push_back(array.strides[d]);
    else if (d != axis && signal.shape[d] > 1) return false;
  }
  return std::is_sorted(strides.rbegin(), strides.rend());
}

void add_batch(Layout& layout, Dimensions const& signal, std::size_t axis, Dimensions const* filters) {
  std::int64_t inner_rows = 1;
  for (std::size_t d = axis + 1; d < signal.shape.size(); ++d) inner_rows *= signal.shape[d];
  layout.inner_rows = inner_rows;
  std::int64_t out = inner_rows;
  for (std::size_t d = 0; d < signal.shape.size(); ++d) {
    if (d == axis) continue;
    Loop loop{.count = signal.shape[d], .step = {.signal = signal.strides[d]}};
    if (filters && filters->shape[d] > 1) loop.step.filter = filters->strides[d];
    if (d > axis) loop.step.out = out /= signal.shape[d];
    add_loop(d < axis ? layout.outer : layout.inner, loop);
    (d < axis ? layout.before : layout.behind).push_back(signal.shape[d]);
  }
  layout.rows = product(layout.before) * inner_rows;
}

}  // namespace

void add_loop(std::vector<Loop>& loops, Loop next) {
  if (next.count == 1) return;
  if (loops.empty()) return loops.push_back(next);
  Loop& last = loops.back();
  Offsets const& step = next.step;
  if (last.step.signal == step.signal * next.count && last.step.filter == step.filter * next.count &&
      last.step.out == step.out * next.count)
    last = {.count = last.count * next.count, .step = step};
  else loops.push_back(next);
}

npy::Shape Layout::out_shape(std::int64_t outputs) const {
  npy::Shape shape = before;
  if (filters == FilterRows::bank) shape.push_back(bank);
  shape.push_back(outputs);
  shape.insert(shape.end(), behind.begin(), behind.end());
  return shape;
}

Layout layout_of(npy::Reader const& signal_file, npy::Reader const& filter_file, std::int64_t given_axis, bool bank) {
  const Dimensions signal(signal_file), filter(filter_file);
  const std::size_t axis = axis_of(signal_file, signal.rank(), given_axis);
  const std::size_t filter_axis = !bank && filter.rank() == signal.rank() ? axis : filter.shape.size() - 1;
  Layout layout;
  layout.samples = signal.shape[axis], layout.signal_stride = signal.strides[axis];
  layout.taps = filter.shape[filter_axis], layout.filter_stride = filter.strides[filter_axis];
  layout.signal_in_order = is_in_order(signal, signal, axis);
  layout.filter_in_order = false;  // of one filter and a bank all is used again and again
  const bool one_each = !bank && !is_one_row(filter.shape, filter_axis);
  if (bank) {
    if (filter.rank() > 2)
      throw npy::Error(filter_file.name(),
                       "the shape of the bank is " + npy::to_string(filter.shape) + "; (filters, taps) is expected");
    layout.filters = FilterRows::bank;
    if (filter.rank() == 2) layout.bank = filter.shape[0], layout.bank_stride = filter.strides[0];
  }
  if (one_each) {
    if (!is_one_for_each_row(filter.shape, signal.shape, axis)) refuse_filter(signal_file, filter_file, axis);
    layout.filters = FilterRows::one_each;
    layout.filter_in_order = is_in_order(filter, signal, axis);
  }
  add_batch(layout, signal, axis, one_each ? &filter : nullptr);
  return layout;
}

}  // namespace tool

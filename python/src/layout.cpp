#include "layout.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

namespace gpuconv::python {
namespace {

struct Extent {
  std::uintptr_t begin, end;
};

Extent extent_of(Layout const& layout) {
  const auto data = reinterpret_cast<std::uintptr_t>(layout.data);
  Extent extent{data, data + static_cast<std::uintptr_t>(layout.size)};
  for (int axis = 0; axis < layout.axes; ++axis) {
    if (layout.counts[axis] == 0) return {data, data};
    const npy_intp span = (layout.counts[axis] - 1) * layout.strides[axis];
    (span < 0 ? extent.begin : extent.end) += static_cast<std::uintptr_t>(span);
  }
  return extent;
}

}  // namespace

bool elements_lie_apart(Layout const& layout) {
  struct Axis {
    npy_intp stride, count;
  };
  std::array<Axis, kMostAxes> axes;
  std::size_t used = 0;
  for (int axis = 0; axis < layout.axes; ++axis)
    if (layout.counts[axis] > 1) axes[used++] = {std::abs(layout.strides[axis]), layout.counts[axis]};
  std::sort(axes.begin(), axes.begin() + used, [](Axis const& a, Axis const& b) { return a.stride < b.stride; });
  npy_intp within = layout.size;  // what the axes so far span
  for (std::size_t i = 0; i < used; ++i) {
    if (axes[i].stride < within) return false;
    within = (axes[i].count - 1) * axes[i].stride + within;
  }
  return true;
}

bool ranges_overlap(Layout const& a, Layout const& b) {
  const Extent x = extent_of(a), y = extent_of(b);
  return x.begin < y.end && y.begin < x.end;
}

}  // namespace gpuconv::python

#include "planned.hpp"

#include "dtypes.hpp"

#include <algorithm>

namespace gpuconv::python {

void Planned::set_walk(Layout const& filter) {
  const auto size = [](Type type) { return static_cast<npy_intp>(size_of(type)); };
  const npy_intp in = size(task.types.signal), result = size(task.types.computed);
  const Steps of_signal = contiguous(signal, in), out = contiguous(task.geometry.result, result);
  walk = walk_of(task.geometry, {of_signal.data(), filter.strides, out.data(), in, filter.size, result});
}

void Planned::check_signal(int number, Layout const& layout) const {
  if (!is_same_type(number, signal_number))
    raise(PyExc_ValueError, "the signal is of %U, the plan's of %U", dtype_name(number).ptr(),
          dtype_name(signal_number).ptr());
  if (layout.axes != signal.axes || !std::equal(layout.counts, layout.counts + layout.axes, signal.counts.begin()))
    raise(PyExc_ValueError, "the signal has the shape %s, the plan's %s", to_text(Shape::of(layout)).c_str(),
          to_text(signal).c_str());
}

}  // namespace gpuconv::python

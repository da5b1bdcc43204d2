#include "geometry.hpp"

#include <algorithm>
#include <string>

namespace gpuconv::python {
namespace {

[[noreturn]] void raise_axis_error(std::int64_t axis, int axes) {
  nb::object module = nb::steal(PyImport_ImportModule("numpy.exceptions"));
  if (!module) {  // NumPy before 1.25
    PyErr_Clear();
    module = checked(PyImport_ImportModule("numpy"));
  }
  const nb::object type = module.attr("AxisError");
  PyErr_SetObject(type.ptr(), type(axis, axes).ptr());
  nb::raise_python_error();
}

// An axis below 0 counts from the end.
int normalized(std::int64_t axis, int axes) {
  if (axis < -axes || axis >= axes) raise_axis_error(axis, axes);
  return static_cast<int>(axis < 0 ? axis + axes : axis);
}

int convolved_axis(Shape const& shape, std::int64_t axis) {
  return shape.axes < 2 ? shape.axes - 1 : normalized(axis, shape.axes);
}

// The `place`th of the axes that are not convolved. -1 stands for a convolved axis that there is not.
int other_axis(int place, int convolved, int line) {
  const auto [first, second] = std::minmax(convolved, line);
  if (first >= 0 && place >= first) ++place;
  return second >= 0 && place >= second ? place + 1 : place;
}

// The axis of an operand that is the `from_the_end`th of its axes but the convolved ones; -1 where it has fewer.
int repeated_axis(Shape const& shape, int convolved, int line, int from_the_end) {
  const int others = shape.axes - (convolved >= 0 ? 1 : 0) - (line >= 0 ? 1 : 0);
  const int place = others - 1 - from_the_end;
  return place < 0 ? -1 : other_axis(place, convolved, line);
}

[[noreturn]] void raise_shapes(Shape const& signal, Shape const& filter) {
  raise(PyExc_ValueError, "operands could not be broadcast together with shapes %s %s", to_text(signal).c_str(),
        to_text(filter).c_str());
}

npy_intp count_at(Shape const& shape, int axis) { return axis < 0 ? 1 : shape.counts[static_cast<std::size_t>(axis)]; }

void set_lines(Geometry& g, Shape const& signal, Shape const& filter, Axes const& axes) {
  if (signal.axes < 2 || filter.axes < 2)
    raise(PyExc_ValueError, "images have two axes or more, the operands have the shapes %s and %s",
          to_text(signal).c_str(), to_text(filter).c_str());
  const auto line_axis = [&](int all) {
    const int line = normalized(axes.line, all);
    if (line == normalized(axes.column, all)) raise(PyExc_ValueError, "the two axes are the same one");
    return line;
  };
  g.lines.signal_axis = line_axis(signal.axes);
  g.lines.filter_axis = line_axis(filter.axes);
  g.lines.out_axis = line_axis(std::max(signal.axes, filter.axes));
  g.lines.signal = count_at(signal, g.lines.signal_axis);
  g.lines.filter = count_at(filter, g.lines.filter_axis);
}

std::int64_t stride_at(Strides strides, npy_intp size, int axis) {
  return axis < 0 ? 0 : elements_of(strides[axis], size);
}

// The rows of both loops are those of one: the arrays go on evenly from the last row of the inner one.
bool is_one_loop(Loop const& outer, Loop const& inner) {
  return outer.signal == inner.signal * inner.count && outer.filter == inner.filter * inner.count &&
         outer.out == inner.out * inner.count;
}

// Every filter on every row: the outer loop moves the signal, the inner one the filter, and all results are evenly
// apart.
bool is_bank(Loop const& outer, Loop const& inner) {
  return outer.filter == 0 && inner.signal == 0 && outer.out == inner.out * inner.count;
}

void take(Walk& walk, int from, int count) {
  std::move(walk.loop.begin() + from + count, walk.loop.begin() + walk.loops, walk.loop.begin() + from);
  walk.loops -= count;
}

// The loop, or the two that are a bank, with the most rows becomes the plan's.
void choose_rows(Walk& walk) {
  if (walk.loops == 0) return;
  const auto at = [&](int i) -> Loop const& { return walk.loop[static_cast<std::size_t>(i)]; };
  int best = 0, taken = 1;
  std::int64_t rows = 0;
  for (int i = 0; i < walk.loops; ++i) {
    if (at(i).count >= rows) best = i, taken = 1, rows = at(i).count;
    if (i + 1 < walk.loops && is_bank(at(i), at(i + 1)) && at(i).count * at(i + 1).count >= rows)
      best = i, taken = 2, rows = at(i).count * at(i + 1).count;
  }
  if (taken == 2) {
    walk.filters = Filters::bank;
    walk.batch = at(best);
    walk.bank = at(best + 1);
  } else if (at(best).filter == 0) {
    walk.batch = at(best);
  } else if (at(best).signal == 0) {
    walk.filters = Filters::bank;
    walk.bank = at(best);
  } else {
    walk.filters = Filters::per_row;
    walk.batch = at(best);
  }
  take(walk, best, taken);
}

}  // namespace

std::string to_text(Shape const& shape) {
  std::string text = "(";
  for (int axis = 0; axis < shape.axes; ++axis)
    text += (axis > 0 ? ", " : "") + std::to_string(shape.counts[static_cast<std::size_t>(axis)]);
  return text + (shape.axes == 1 ? ",)" : ")");
}

nb::object tuple_of(Shape const& shape) {
  nb::object tuple = checked(PyTuple_New(shape.axes));
  for (int axis = 0; axis < shape.axes; ++axis) {
    const npy_intp count = shape.counts[static_cast<std::size_t>(axis)];
    PyTuple_SetItem(tuple.ptr(), axis, checked(PyLong_FromSsize_t(count)).release().ptr());
  }
  return tuple;
}

Steps contiguous(Shape const& shape, npy_intp size) {
  Steps strides;
  for (int axis = shape.axes - 1; axis >= 0; --axis) {
    strides[static_cast<std::size_t>(axis)] = size;
    size *= std::max<npy_intp>(shape.counts[static_cast<std::size_t>(axis)], 1);
  }
  return strides;
}

Geometry geometry_of(Shape const& signal, Shape const& filter, Axes const& axes) {
  Geometry g;
  if (axes.dimensions == 2) set_lines(g, signal, filter, axes);
  g.signal_axis = convolved_axis(signal, axes.column);
  g.filter_axis = convolved_axis(filter, axes.column);
  g.samples = count_at(signal, g.signal_axis);
  g.taps = count_at(filter, g.filter_axis);
  g.result.axes = std::max({signal.axes, filter.axes, 1});
  g.out_axis = normalized(axes.column, g.result.axes);
  const int around = g.result.axes - axes.dimensions;
  for (int i = around - 1; i >= 0; --i) {
    const int s = repeated_axis(signal, g.signal_axis, g.lines.signal_axis, i);
    const int f = repeated_axis(filter, g.filter_axis, g.lines.filter_axis, i);
    const npy_intp of_signal = count_at(signal, s), of_filter = count_at(filter, f);
    if (of_signal != of_filter && of_signal != 1 && of_filter != 1) raise_shapes(signal, filter);
    const npy_intp count = of_signal == 1 ? of_filter : of_signal;
    const int o = other_axis(around - 1 - i, g.out_axis, g.lines.out_axis);
    g.result.counts[static_cast<std::size_t>(o)] = count;
    g.empty |= count == 0;
    if (count > 1)
      g.repeat[static_cast<std::size_t>(g.repeats++)] = {count, of_signal == 1 ? -1 : s, of_filter == 1 ? -1 : f, o};
  }
  return g;
}

void set_outputs(Geometry& g, std::int64_t lines, std::int64_t outputs) {
  g.outputs = outputs;
  g.lines.outputs = lines;
  g.result.counts[static_cast<std::size_t>(g.out_axis)] = outputs;
  if (g.lines.out_axis >= 0) g.result.counts[static_cast<std::size_t>(g.lines.out_axis)] = lines;
  g.empty |= outputs == 0;
}

Walk walk_of(Geometry const& g, Placement const& p) {
  Walk walk;
  for (int i = 0; i < g.repeats; ++i) {
    Geometry::Repeat const& r = g.repeat[static_cast<std::size_t>(i)];
    const Loop loop{r.count, stride_at(p.signal, p.signal_size, r.signal_axis),
                    stride_at(p.filter, p.filter_size, r.filter_axis), stride_at(p.out, p.out_size, r.out_axis)};
    Loop* const last = walk.loops > 0 ? &walk.loop[static_cast<std::size_t>(walk.loops - 1)] : nullptr;
    if (last && is_one_loop(*last, loop)) *last = {last->count * loop.count, loop.signal, loop.filter, loop.out};
    else walk.loop[static_cast<std::size_t>(walk.loops++)] = loop;
  }
  choose_rows(walk);
  std::stable_partition(walk.loop.begin(), walk.loop.begin() + walk.loops, [](Loop const& l) { return l.filter != 0; });
  for (int i = 0; i < walk.loops; ++i)
    if (walk.loop[static_cast<std::size_t>(i)].filter != 0)
      walk.filters_around *= walk.loop[static_cast<std::size_t>(i)].count;
  return walk;
}

bool same_plans(Walk const& a, Walk const& b) {
  const auto same_counts = [](Loop const& x, Loop const& y) {
    return x.count == y.count && (x.filter != 0) == (y.filter != 0);
  };
  return a.filters == b.filters && a.loops == b.loops && same_counts(a.batch, b.batch) && same_counts(a.bank, b.bank) &&
         std::equal(a.loop.begin(), a.loop.begin() + a.loops, b.loop.begin(), same_counts);
}

}  // namespace gpuconv::python

// Which rows of which arrays a call convolves: NumPy's broadcasting of all axes but the convolved one, as loops, and
// how the library's plans take them.
#pragma once

#include "layout.hpp"
#include "numpy.hpp"

#include <gpuconv/problem.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

namespace gpuconv::python {

/// A shape, of an array or of what an array is to be.
struct Shape {
  int axes = 0;
  std::array<npy_intp, kMostAxes> counts;

  static Shape of(Layout const& layout) {
    Shape shape;
    shape.axes = layout.axes;
    std::copy_n(layout.counts, shape.axes, shape.counts.begin());
    return shape;
  }
};

/// "(2, 3)", as Python writes it.
std::string to_text(Shape const& shape);

/// The same as a tuple. Throws nb::python_error.
nb::object tuple_of(Shape const& shape);

/// Where the samples of one array lie, from the first one on: bytes for each of its axes.
using Strides = npy_intp const*;
using Steps = std::array<npy_intp, kMostAxes>;

/// The strides of a contiguous array of this shape, with elements of `size` bytes.
Steps contiguous(Shape const& shape, npy_intp size);

/// The convolved axes as a caller names them: one, or of images those of lines and of columns.
struct Axes {
  int dimensions = 1;
  std::int64_t column = -1, line = -2;
};

/// Shapes of a call. -1 stands for an axis that an operand does not have.
struct Geometry {
  std::int64_t samples = 0, taps = 0, outputs = 0;
  int signal_axis = -1, filter_axis = -1, out_axis = -1;  ///< the convolved ones
  /// The same of images' lines; one where there are no images.
  struct {
    std::int64_t signal = 1, filter = 1, outputs = 1;
    int signal_axis = -1, filter_axis = -1, out_axis = -1;
  } lines;
  Shape result;
  struct Repeat {
    npy_intp count;
    int signal_axis, filter_axis, out_axis;
  };
  int repeats = 0;
  std::array<Repeat, kMostAxes> repeat;  ///< the other axes of the result, of more than one row
  bool empty = false;                    ///< whether there is no row at all

  /// Products of an output, at most.
  std::int64_t products() const { return std::min(samples, taps) * std::min(lines.signal, lines.filter); }
};

/// Broadcasts shapes as the gufunc (n),(m)->(k) does: `axes` names the convolved axis of operands of two or more axes.
/// Of images as (l,n),(i,m)->(o,k), of operands that have two axes at least. All but the number of outputs, which
/// `set_outputs` adds. Throws nb::python_error: AxisError, and ValueError where the shapes do not go together.
Geometry geometry_of(Shape const& signal, Shape const& filter, Axes const& axes);
void set_outputs(Geometry& geometry, std::int64_t lines, std::int64_t outputs);

/// Rows that are repeated: how often, and how many elements each array moves on.
struct Loop {
  std::int64_t count, signal, filter, out;
};

/// How plans walk through a call: what one plan takes, and the loops around it, those that change the filter outside.
struct Walk {
  Filters filters = Filters::shared;
  Loop batch{1, 0, 0, 0},
      bank{1, 0, 0, 0};  ///< rows of one plan; with `bank`, the result's are batch.count * bank.count rows in a row
  int loops = 0;
  std::array<Loop, kMostAxes> loop;
  std::int64_t filters_around = 1;  ///< how many filters (or sets of them) the loops around pass

  std::int64_t result_stride() const { return filters == Filters::bank ? bank.out : batch.out; }
};

/// The element sizes and strides of the three arrays, in the order of their axes.
struct Placement {
  Strides signal, filter, out;
  npy_intp signal_size, filter_size, out_size;
};
Walk walk_of(Geometry const& geometry, Placement const& placement);

/// Whether both walks take the same rows of a plan's in the same loops.
bool same_plans(Walk const& a, Walk const& b);

}  // namespace gpuconv::python

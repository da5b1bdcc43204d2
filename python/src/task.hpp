// What a call or a plan is to compute, whatever the arrays are, and how it is done with those that there are.
#pragma once

#include "arguments.hpp"
#include "geometry.hpp"
#include "operand.hpp"

#include <gpuconv/plan.hpp>

#include <cstdint>
#include <optional>

namespace gpuconv::python {

/// Element types of a call. Results of another type than `result` are converted at the end: bool's are counts.
struct Types {
  Type signal, filter, computed;
  int result_number;    ///< NumPy's
  int computed_number;  ///< NumPy's, of `computed`
};

/// The types of the operands, as NumPy numbers them, and NumPy's of the result, or `dtype`, borrowed, where it is not
/// null. Throws nb::python_error for types that the library has not.
Types types_of(int signal, int filter, PyObject* dtype, std::int64_t shorter);

struct Task {
  How how;
  Geometry geometry;
  Types types;

  /// Outputs are computed in one part or, where they are lags, in as many as those have runs.
  int parts() const { return how.lags ? static_cast<int>(how.lags->runs.size()) : 1; }
  /// How much there is to do: products of a direct sum.
  double products() const;
};

/// A task of these operands. Throws nb::python_error, InvalidArgument.
Task task_of(How how, Shape const& signal, Shape const& filter);

/// Where an operand or the result lies.
struct Place {
  char* data;
  std::int64_t stride;    ///< elements from one sample of a row to the next
  std::int64_t line = 0;  ///< elements from one line of an image to the next
};
struct Places {
  Place signal, filter, out;
};
inline Placement placement_of(Layout const& signal, Layout const& filter, Layout const& out) {
  return {signal.strides, filter.strides, out.strides, signal.size, filter.size, out.size};
}
/// Of the convolved axis and, of images, that of lines; -1: there is none.
Place place_of(Layout const& layout, int axis, int line_axis);
Places places_of(Geometry const& geometry, Layout const& signal, Layout const& filter, Layout const& out);

/// Finds out whether all filters, in the memory of the host, are products of a column and a row. Before the problem is
/// made.
void look_at_filters(Task& task, Walk const& walk, Place const& filter);

Problem problem_of(Task const& task, Walk const& walk, int part);

/// Gives a plan its filters, from the `offset`th element on. `Input`: a view of the memory that they are in; `where`:
/// what the plan's call takes besides.
template <class Input, class... Where>
void set_filter(Plan& plan, Task const& task, Walk const& walk, Place const& filter, std::int64_t offset,
                Where const&... where);
/// One execution of a plan, for one part of the outputs.
template <class Input, class Output, class... Where>
void execute(Plan& plan, Task const& task, Walk const& walk, Places const& places, Loop const& at, int part,
             Where const&... where);

/// What a plan for arrays in device memory is made with, where they lie so.
Options on_device(Task const& task, Walk const& walk, Places const& places, Problem const& problem, int part);

/// Calls `f(at, turn)` for every turn of the loops around, with the elements that the arrays have moved on by, and the
/// number of the filters.
template <class F>
void each_turn(Walk const& walk, F&& f) {
  std::array<std::int64_t, kMostAxes> turn;
  std::fill_n(turn.begin(), walk.loops, 0);
  Loop at{1, 0, 0, 0};
  std::int64_t filters = 0;
  for (;;) {
    f(at, filters);
    int i = walk.loops - 1;
    for (; i >= 0; --i) {
      Loop const& loop = walk.loop[static_cast<std::size_t>(i)];
      const bool again = ++turn[static_cast<std::size_t>(i)] == loop.count;
      const std::int64_t steps = again ? 1 - loop.count : 1;
      at.signal += steps * loop.signal, at.filter += steps * loop.filter, at.out += steps * loop.out;
      if (!again) {
        filters += loop.filter != 0;
        break;
      }
      turn[static_cast<std::size_t>(i)] = 0;
    }
    if (i < 0) return;
  }
}

/// Lets other threads of Python run while it lives, where that is worth it.
class Unlocked {
 public:
  explicit Unlocked(Task const& task) : state_(is_worth_it(task) ? PyEval_SaveThread() : nullptr) {}
  ~Unlocked() {
    if (state_) PyEval_RestoreThread(state_);
  }
  Unlocked(Unlocked const&) = delete;
  Unlocked& operator=(Unlocked const&) = delete;

  static bool is_worth_it(Task const& task) { return task.products() > kWorthIt; }

 private:
  // Less than this takes some microseconds; to hand the lock over may take as long, and to get it back five
  // milliseconds.
  static constexpr double kWorthIt = 1 << 15;

  PyThreadState* state_;
};

/// Whether results can be computed into an array that lies so, if it is of the type that is computed: its elements lie
/// apart, and it overlaps neither operand.
bool can_be_written(Task const& task, Layout const& out, Layout const& signal, Layout const& filter);

/// The array that results are computed into: `out` itself where the library can write it, else another that `finish`
/// copies or converts.
nb::object computed_into(Task const& task, nb::object const& out, Layout const& signal, Layout const& filter);
void finish(nb::object const& out, nb::object const& computed);

/// Whether an array has the shape of the result.
bool has_shape_of_result(Layout const& layout, Geometry const& geometry);

/// Checks an array that a caller gives for the result. Throws nb::python_error.
nb::object checked_out(PyObject* out, Geometry const& geometry, int number);

}  // namespace gpuconv::python

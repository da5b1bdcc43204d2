// What an object Plan holds, whatever memory its arrays are in: a task, how it is walked through, and the library's
// plans.
#pragma once

#include "task.hpp"

#include <vector>

namespace gpuconv::python {

struct Planned {
  Shape signal;
  int signal_number = 0;  ///< NumPy's, of its type
  Task task;
  Walk walk;                ///< as signals and results lie that are contiguous, which is what plans are made for
  std::vector<Plan> plans;  ///< for each part of the outputs, one for each filter or set of filters

  /// Sets the walk, of a filter that lies so.
  void set_walk(Layout const& filter);
  /// Throws nb::python_error unless a signal is of the plan's type and shape.
  void check_signal(int number, Layout const& layout) const;
  /// Whether the plans take arrays that lie so; else contiguous ones have to take their place.
  bool takes(Walk const& other) const { return same_plans(other, walk); }

  /// Makes the plans, and gives them their filters: views `Input` of them. `where`: what set_filter takes besides.
  template <class Input, class... Where>
  void make(Options const& options, Place const& filter, Where const&... where) {
    for (int part = 0; part < task.parts(); ++part) {
      std::int64_t made = -1;
      each_turn(walk, [&](Loop const& at, std::int64_t filters) {
        if (filters == made) return;
        made = filters;
        plans.emplace_back(problem_of(task, walk, part), options);
        set_filter<Input>(plans.back(), task, walk, filter, at.filter, where...);
      });
    }
  }

  /// Executes them on arrays that lie as `as` says.
  template <class Input, class Output, class... Where>
  void run(Walk const& as, Places const& places, Where const&... where) {
    for (int part = 0; part < task.parts(); ++part)
      each_turn(as, [&](Loop const& at, std::int64_t filters) {
        const auto plan = static_cast<std::size_t>(part * as.filters_around + filters);
        execute<Input, Output>(plans[plan], task, as, places, at, part, where...);
      });
  }
};

}  // namespace gpuconv::python

// A problem with data, what a plan makes of it, and what it should be.
#pragma once

#include "support/array.hpp"
#include "support/compare.hpp"
#include "support/random.hpp"

#include <gpuconv/gpuconv.hpp>

#include <string>
#include <vector>

namespace gpuconv::test {

/// A problem with its signal and filter.
struct Workload {
  Problem problem;
  Array signal, filter;
};

struct Layouts {
  Layout signal, filter, out;
};

/// Arrays of the problem's shapes, not yet filled.
Workload empty_workload(Problem const& problem, Layouts const& layouts = {});
/// The same, filled by `fill_random`.
Workload random_workload(Problem const& problem, Rng& rng, Layouts const& layouts = {});
/// One signal and one filter of type T.
template <class T>
Workload workload_of(std::vector<T> const& signal, std::vector<T> const& filter, Mode mode = Mode::full) {
  return {{.signal = static_cast<std::int64_t>(signal.size()),
           .filter = static_cast<std::int64_t>(filter.size()),
           .mode = mode,
           .type = type_of<T>},
          array_of(signal),
          array_of(filter)};
}

/// A copy of an array in device memory, with the same guards and the same alignment.
class DeviceArray {
 public:
  explicit DeviceArray(Array const& array);
  DeviceInput input() const { return {bytes_.data() + begin_, type_, shape_}; }
  DeviceOutput output() { return {bytes_.data() + begin_, type_, shape_}; }
  /// Back to an array of the same shape and layout.
  void copy_to(Array& array) const;

 private:
  DeviceBuffer<std::uint8_t> bytes_;
  Type type_;
  std::size_t begin_;
  Rows shape_;
};

/// The result of a plan, and which plan it was.
struct Outcome {
  Array out;
  std::string plan;  // Plan::describe
  Method method;
  std::int64_t block = 0;  // samples, of methods with blocks
};

/// Makes a plan and runs it, on copies in device memory where `options` say so. Fails the running test where the call
/// writes outside the output's rows or to its input.
Outcome run(Workload const& workload, Options const& options, Layout out = {});

/// What each output should be, from plain sums of its products in long double, or modulo 2^64 for integers.
/// Independent of the library but for the slicing rule, which has its own golden values. Boundaries are walked to,
/// reflection by reflection.
class Oracle {
 public:
  explicit Oracle(Workload const& workload);

  /// Every output is right for the method that made it. The failure's text has the problem and the plan.
  testing::AssertionResult accepts(Outcome const& outcome) const;

  /// Values, bounds and classes of a row's outputs, or of one of their parts; for results that are no integers.
  std::vector<Expected> expected(std::int64_t row, Outcome const& outcome, int part = 0) const;

  /// Largest error over its bound with c = 1 (see tolerance.hpp), over all outputs.
  long double worst_ratio(Outcome const& outcome) const;

 private:
  struct Output {
    long double value = 0;      // sum of the products
    long double magnitude = 0;  // of those that are finite
    unsigned classes = finite;
    std::int64_t terms = 0;
  };
  struct Row {
    std::vector<Output> outputs, imaginary;   // parts
    std::vector<std::uint64_t> integers;      // in place of outputs where the result type is one
    std::vector<long double> signal, filter;  // magnitudes of what is finite
    std::vector<long double> own;             // those of a row that is extended, without what is beyond its ends
    long double signal_norm = 0, filter_norm = 0;
  };

  // Operands whose convolutions add up to the outputs, or to one of their parts.
  template <class R>
  struct Term {
    std::vector<R> x, h;
  };
  template <class R>
  using Terms = std::vector<Term<R>>;
  template <class R>
  std::vector<Output> outputs_of(Terms<R> const& terms) const;
  template <class R>
  std::vector<Output> plain_outputs(Terms<R> const& terms) const;
  template <class R>
  Output any_output(Terms<R> const& terms, std::int64_t k) const;
  template <class R>
  Row floating_row(Workload const& w, std::int64_t r) const;
  Row integer_row(Workload const& w, std::int64_t r) const;
  testing::AssertionResult accepts_row(std::int64_t r, Outcome const& outcome) const;

  bool is_extended() const { return problem_.boundary != Boundary::zero; }
  template <class R>
  std::vector<R> extended(std::vector<R> const& row, std::int64_t first, std::int64_t count, double constant) const;
  std::vector<long double> around(Row const& row, std::int64_t size) const;

  Problem problem_;
  // The sums that are made: outputs [first_, first_ + span_) of the convolution of rows of samples_, every step_ one of
  // which is one of the problem's. A row that is extended has here all the samples that its outputs need.
  std::int64_t samples_, first_, span_, step_;
  std::int64_t origin_ = 0;  // of those samples in the problem's row
  std::vector<Row> rows_;
};

/// Runs the workload with these options and judges the outcome.
inline testing::AssertionResult is_right(Workload const& workload, Options const& options, Layout out = {}) {
  return Oracle(workload).accepts(run(workload, options, out));
}

}  // namespace gpuconv::test

// The work: what a solver is asked to do, without data. Everything above describes a work, everything below does one.
#pragma once

#include "elements.hpp"

#include <gpuconv/problem.hpp>

#include <cstdint>

namespace gpuconv::detail {

/// The convolved axis: output o is full[first + o * step], full[k] = sum over j of signal[k - j] * filter[j].
struct Axis {
  std::int64_t signal = 1, filter = 1;  // samples, taps
  std::int64_t first = 0, outputs = 1;  // within the full convolution
  std::int64_t step = 1;

  constexpr std::int64_t full() const { return signal + filter - 1; }
  /// From the first output to the last one, with those that the step passes over.
  constexpr std::int64_t span() const { return (outputs - 1) * step + 1; }
  /// Samples that `some` outputs meet, one kept output after the other.
  constexpr std::int64_t met_by(std::int64_t some) const { return (some - 1) * step + filter; }
};

/// The samples of a row beyond its ends.
struct Extension {
  Boundary boundary = Boundary::zero;
  double constant = 0;  // 0 unless the boundary is constant

  /// Whether sums leave out what is beyond the ends; else it is samples like others.
  constexpr bool is_zero() const { return boundary == Boundary::zero; }
};

/// How often something is repeated, and which operands move on with it. An operand that stays is the same for every
/// turn; the output always moves.
struct Loop {
  std::int64_t count = 1;
  bool signal_moves = false, filter_moves = false;
};

/// The rows of a work: two loops, the inner one within the outer one. Where one is enough it is the outer one. A batch
/// with one filter: the filter stays. A filter per row: both move. A bank of filters on every row of a batch: in the
/// outer loop the signal moves, in the inner one the filter.
struct Loops {
  Loop outer, inner;

  constexpr std::int64_t rows() const { return outer.count * inner.count; }
  constexpr std::int64_t signals() const {
    return (outer.signal_moves ? outer.count : 1) * (inner.signal_moves ? inner.count : 1);
  }
  constexpr std::int64_t filters() const {
    return (outer.filter_moves ? outer.count : 1) * (inner.filter_moves ? inner.count : 1);
  }

  /// The turns of both loops that row `row` is.
  struct Turn {
    std::int64_t outer, inner;
  };
  constexpr Turn turn(std::int64_t row) const {
    if (inner.count == 1) return {row, 0};
    return {row / inner.count, row % inner.count};
  }
  /// Number of a row's filter among the filters().
  constexpr std::int64_t filter_of(std::int64_t row) const {
    const Turn t = turn(row);
    const std::int64_t outer_filter = outer.filter_moves ? t.outer : 0;
    return inner.filter_moves ? outer_filter * inner.count + t.inner : outer_filter;
  }
};

struct Work {
  Axis axis;
  Axis lines = {};  // the second axis, of images: signals, filters and outputs have so many lines, each along `axis`
  bool separable = false;    // filters are expected to be products of a column and a row
  Extension extension = {};  // of the signal
  Loops loops;
  Type signal_type = Type::float32, filter_type = Type::float32, result_type = Type::float32;
  bool saturated = false;  // integer results are the nearest value of their type, whatever the operands

  constexpr std::int64_t rows() const { return loops.rows(); }
  constexpr std::int64_t filters() const { return loops.filters(); }
  constexpr Type compute_type() const { return detail::compute_type(signal_type, filter_type, result_type); }
  /// Whether rows are images: have lines, or their outputs do.
  constexpr bool has_lines() const {
    return lines.signal != 1 || lines.filter != 1 || lines.outputs != 1 || lines.first != 0;
  }
  /// Whether the filter is the longer operand and its part and the signal's can be exchanged. Images are not.
  constexpr bool swapped() const { return axis.filter > axis.signal && extension.is_zero() && !has_lines(); }
  /// Products of an output, at most.
  constexpr std::int64_t products() const {
    const auto of = [&](Axis const& a) { return extension.is_zero() && a.signal < a.filter ? a.signal : a.filter; };
    return of(axis) * of(lines);
  }
  /// Elements of a signal, a filter and a row's outputs.
  constexpr std::int64_t samples() const { return axis.signal * lines.signal; }
  constexpr std::int64_t taps() const { return axis.filter * lines.filter; }
  constexpr std::int64_t outputs() const { return axis.outputs * lines.outputs; }
};

/// Bytes of all arrays: signals, filters, outputs. A double: sums of sizes that cannot overflow.
constexpr double array_bytes(Work const& w) {
  const auto bytes = [](std::int64_t rows, std::int64_t columns, Type type) {
    return static_cast<double>(rows) * static_cast<double>(columns) * static_cast<double>(size_of(type));
  };
  return bytes(w.loops.signals(), w.samples(), w.signal_type) + bytes(w.filters(), w.taps(), w.filter_type) +
         bytes(w.rows(), w.outputs(), w.result_type);
}

/// The same outputs with the operands in each other's place: convolution commutes.
constexpr Work exchanged(Work work) {
  const auto exchange = [](auto& a, auto& b) {
    const auto before = a;
    a = b, b = before;
  };
  exchange(work.axis.signal, work.axis.filter);
  exchange(work.loops.outer.signal_moves, work.loops.outer.filter_moves);
  exchange(work.loops.inner.signal_moves, work.loops.inner.filter_moves);
  exchange(work.signal_type, work.filter_type);
  return work;
}

/// The part of a work that one run does: some of its rows, some of their outputs, from the samples that are there. Of
/// images always all lines.
struct Part {
  std::int64_t row, rows;       // rows of the work, from `row` on
  std::int64_t samples;         // of each row that are there: all, or those that the outputs need
  std::int64_t first, outputs;  // within the full convolution of those samples
};

/// All of a work.
constexpr Part whole(Work const& work) {
  return {.row = 0,
          .rows = work.rows(),
          .samples = work.axis.signal,
          .first = work.axis.first,
          .outputs = work.axis.outputs};
}

}  // namespace gpuconv::detail

// Works below the public interface: operands that lie in memory as no public call asks for yet.
#pragma once

#include "solver.hpp"

#include <cstddef>
#include <vector>

namespace gpuconv::test {

/// Rows of elements `stride` apart, in either direction, with `gap` elements between rows and poison in all gaps.
class Operand {
 public:
  Operand(Type type, std::int64_t rows, std::int64_t columns, std::int64_t stride = 1, std::int64_t gap = 0);

  Type type() const { return type_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t columns() const { return columns_; }
  std::int64_t pitch() const { return pitch_; }
  /// Element 0 of row 0, in bytes from the start of the memory.
  std::size_t origin() const;
  std::vector<std::byte>& memory() { return memory_; }
  std::vector<std::byte> const& memory() const { return memory_; }

  std::int64_t stride() const { return stride_; }
  /// Bytes of element i of row r.
  std::byte* at(std::int64_t r, std::int64_t i);
  /// Rows and elements of another operand, as they are there.
  void take(Operand const& other);
  /// The elements alone, row by row.
  std::vector<std::byte> elements() const;

 private:
  Type type_;
  std::int64_t rows_, columns_, stride_, pitch_;
  std::vector<std::byte> memory_;
};

/// Runs `solver` on a part of a work, with copies in device memory for solvers on the GPU. The accesses say how rows
/// and elements of the operands are apart; their pointers and types are filled in. Fails the test where the solver
/// refuses.
void run_work(detail::Solver const& solver, detail::Work const& work, detail::Part const& part, detail::Input from,
              Operand const& signal, Operand const& filter, detail::Output to, Operand& out);
/// The same for one loop, whose operands have a row for each turn that they move in.
void run_work(detail::Solver const& solver, detail::Work const& work, Operand const& signal, Operand const& filter,
              Operand& out);

}  // namespace gpuconv::test

#include "solver.hpp"

namespace gpuconv::detail {

std::span<Solver const* const> solvers() noexcept {
  static constexpr Solver const* table[] = {
      &cpu_direct,
      &cpu_overlap_save,
      &cpu_fft,
      &cpu_reference,
  };
  return table;
}

}  // namespace gpuconv::detail

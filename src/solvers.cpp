#include "solver.hpp"

namespace gpuconv::detail {

std::string steps_between_outputs(Work const&) { return "only the reference takes steps between outputs"; }

std::span<Solver const* const> cpu_solvers() noexcept {
  static constexpr Solver const* table[] = {&cpu_direct, &cpu_overlap_save, &cpu_fft, &cpu_reference};
  return table;
}

std::vector<Solver const*> solvers() {
  std::vector<Solver const*> all(cpu_solvers().begin(), cpu_solvers().end());
  all.insert(all.end(), cuda_solvers().begin(), cuda_solvers().end());
  return all;
}

}  // namespace gpuconv::detail

#include "solver.hpp"

#include <algorithm>
#include <array>

namespace gpuconv::detail {

std::span<Solver const* const> solvers() noexcept {
  static constexpr std::array cpu{&cpu_direct, &cpu_overlap_save, &cpu_fft, &cpu_reference};
  static const auto table = [] {
    std::array<Solver const*, 8> all{};
    std::ranges::copy(cuda_solvers(), std::ranges::copy(cpu, all.begin()).out);
    return all;
  }();
  return std::span(table).first(cpu.size() + cuda_solvers().size());
}

}  // namespace gpuconv::detail

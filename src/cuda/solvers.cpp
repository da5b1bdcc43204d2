#include "../solver.hpp"

namespace gpuconv::detail {

std::span<Solver const* const> cuda_solvers() noexcept {
  static constexpr Solver const* table[] = {&cuda_direct, &cuda_overlap_save, &cuda_fft};
  return table;
}

}  // namespace gpuconv::detail

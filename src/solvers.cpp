#include "solver.hpp"

#include "fold.hpp"
#include "lines.hpp"
#include "steps.hpp"

namespace gpuconv::detail {

Answer Solver::consider(Work const& work, Resources const& r) const {
  // Arrays in host memory come to the GPU as whole images, and its kernels of rows do not saturate.
  const bool stays = device == Device::cuda && (r.memory == Memory::host || work.saturated);
  if (work.has_lines() && (!takes_lines || (lines_as_rows(work, r.across) && !stays)))
    return with_lines_as_rows(*this, work, r);
  if (folds_taps && folds(work)) {
    Answer out = consider(folded(work), r);
    out.folds_taps = true;
    return out;
  }
  return work.axis.step == 1 || takes_steps ? answer(work, r) : without_steps(answer, work, r);
}

Answer with_lines_as_rows(Solver const& solver, Work const& work, Resources const& r) {
  const std::optional<Work> rows = lines_as_rows(work, r.across);
  if (!rows) return {.refusal = [](Work const&) -> std::string { return "images"; }};
  Answer out = solver.consider(*rows, r);
  out.without_lines = true;
  return out;
}

Answer without_steps(Answer (*answer)(Work const&, Resources const&), Work const& work, Resources const& r) {
  Answer filled = answer(filled_steps(work), r);
  filled.steps = Steps::filled;
  if (work.axis.step < work.axis.filter) return filled;  // windows overlap
  Answer apart = answer(one_output(work), r);
  apart.steps = Steps::apart;
  apart.seconds *= static_cast<double>(work.axis.outputs);
  return apart.refusal || (!filled.refusal && filled.seconds <= apart.seconds) ? filled : apart;
}

std::unique_ptr<Executor> Answer::executor(Work const& work, Resources const& r) const {
  if (without_lines) {
    Answer rows = *this;
    rows.without_lines = false;
    return std::make_unique<LinesExecutor>(work, r.across, rows.executor(*lines_as_rows(work, r.across), r));
  }
  if (folds_taps) {
    Answer with_sums = *this;
    with_sums.folds_taps = false;
    return std::make_unique<FoldedExecutor>(work, with_sums.executor(folded(work), r));
  }
  switch (steps) {
    case Steps::filled:
      return std::make_unique<FilledExecutor>(make(filled_steps(work), r, parameters), work.axis.step);
    case Steps::apart:
      return std::make_unique<ApartExecutor>(make(one_output(work), r, parameters), work.axis.step);
    default:
      return make(work, r, parameters);
  }
}

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

// Which solver does a work: asks each that may, and takes the cheapest.
#pragma once

#include "runner.hpp"

namespace gpuconv::detail {

/// Throws InvalidArgument for options that are wrong whatever the problem.
void check_options(Options const& options);

/// A solver and what it offers.
struct Chosen {
  Solver const* solver = nullptr;
  Answer offer;
};

/// The solver of least estimate among those that `options` allow; each of the table is asked once at most. The GPU is
/// asked only where the CPU would take milliseconds. Throws Unsupported.
Chosen choose(Work const& work, Options const& options, std::span<Solver const* const> cpu,
              std::span<Solver const* const> cuda);

/// The runner of a plan for a problem. Throws as Plan.
std::unique_ptr<Runner> make_runner(Problem const& problem, Options const& options);

/// "cpu overlap-save, blocks of 4096, avx512, 2 threads, about 310 us".
std::string describe(Runner const& runner);

}  // namespace gpuconv::detail

// Plans on the GPU for arrays in host memory.
#pragma once

#include "../runner.hpp"

namespace gpuconv::detail {

std::unique_ptr<Runner> make_host_runner(Work const& work, Resources const& r, Answer const& offer);

}  // namespace gpuconv::detail

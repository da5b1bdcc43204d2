// Convolution of images: the answers of solvers that know them, for direct.cpp and blocks.cpp.
#pragma once

#include "../solver.hpp"

namespace gpuconv::detail {

/// Direct sums, for works with lines and without a step along them.
Answer consider_images(Work const& work, Resources const& r);

/// Blocks of two dimensions, for the same. `block`: the seconds of a block of that many samples, on one thread, which
/// are moved in and out.
using BlockSeconds = double (*)(std::int64_t size, Type compute);
Answer consider_image_blocks(Work const& work, Resources const& r, BlockSeconds block);

}  // namespace gpuconv::detail

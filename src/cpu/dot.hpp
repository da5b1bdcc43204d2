// Few outputs of many taps. The tile of direct convolution has vectors along the outputs; where there are fewer of
// those than a tile has, or steps between them, most of it would be thrown away. So vectors run along the taps instead,
// as in a dot product.
#pragma once

#include "../solver.hpp"

#include <cstdint>

namespace gpuconv::detail {

/// Whether direct sums of this work are dot products. Depends on the row alone, so that a row's bits do.
bool is_dot(Work const& w);

/// The offer of direct convolution for such a work.
Answer consider_dot(Work const& w, Resources const& r);

}  // namespace gpuconv::detail

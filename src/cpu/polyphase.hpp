// Direct sums of outputs with steps between them, and of no others. The samples and the taps are split by what their
// index leaves when divided by the step (the polyphase form of a decimator: Crochiere and Rabiner, "Multirate Digital
// Signal Processing", 1983, section 3.3.2): each output is a sum over the phases, in each of which outputs are side by
// side as in any direct sum.
#pragma once

#include "../solver.hpp"

namespace gpuconv::detail {

/// Whether direct sums of this work are computed so. Depends on the row alone, so that a row's bits do.
bool is_polyphase(Work const& w);

/// The offer of direct convolution for such a work.
Answer consider_polyphase(Work const& w, Resources const& r);

}  // namespace gpuconv::detail

// Whether integer sums can wrap: from the taps and the signal's type, before there is a signal.
#pragma once

#include "core/access.hpp"

#include <gpuconv/plan.hpp>

namespace gpuconv::detail {

/// With these filters, in host memory and in the order in which they are convolved. Reads the taps only where the types
/// leave it open.
Wrapping wrapping(Work const& work, Input const& filters);
/// With any filters of the work's types: `never` or `unknown`.
Wrapping wrapping(Work const& work);

}  // namespace gpuconv::detail

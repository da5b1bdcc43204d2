// Images with a filter that is the product of a column and a row (core/separable.hpp): along the lines into scratch
// memory, then across them, both by the image kernel, strip by strip, so that what is between the passes stays in the
// second-level cache.
#pragma once

#include "cost.hpp"

#include "../solver.hpp"

#include <cstdint>
#include <memory>

namespace gpuconv::detail {

/// The first pass as a work of its own: the lines of the image, and of its extension, that outputs need. What it gives
/// is of the type that is computed in.
constexpr Work along_lines(Work const& w) {
  Work out = w;
  out.lines = {.signal = w.lines.signal,
               .filter = 1,
               .first = w.lines.first - (w.lines.filter - 1),
               .outputs = w.lines.met_by(w.lines.outputs)};
  out.result_type = w.compute_type();
  out.saturated = false;
  return out;
}

/// The second one, whose signal is what the first one gives: every line that is needed is there.
constexpr Work across_lines(Work const& w) {
  Work out = w;
  out.axis = {.signal = w.axis.outputs, .filter = 1, .first = 0, .outputs = w.axis.outputs};
  out.lines.signal = w.lines.met_by(w.lines.outputs), out.lines.first = w.lines.filter - 1;
  out.signal_type = out.filter_type = w.compute_type();
  out.extension = {};
  out.loops.outer.signal_moves = out.loops.inner.signal_moves = true;
  return out;
}

/// The part of a work between whose passes there is scratch memory: whole images, or of one image some lines of
/// outputs, or some outputs of each of them.
struct PassesStrip {
  std::int64_t images, lines, outputs;  // at most
};

/// As much as `budget` bytes hold of what is between the passes, but tiles of the image kernel, and no fewer lines of
/// outputs than their sums reach beyond them.
PassesStrip passes_strip(Work const& work, std::int64_t budget);

/// The budget for a device: half of what its cache keeps, for signals and outputs pass through the other half.
inline std::int64_t passes_budget(CudaDevice const& device) { return bytes_kept_in_cache(device) / 2; }

/// For works whose filters have several lines and columns and are not complex. Each filter is looked at when it is
/// set, in the stream's order: those that are no products are summed plainly. Throws OutOfMemory, CudaError.
std::unique_ptr<Executor> make_two_passes(Work const& work, std::int64_t budget, CudaDevice const& device,
                                          DeviceAllocator* allocator);

}  // namespace gpuconv::detail

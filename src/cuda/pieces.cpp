#include "pieces.hpp"

#include "../problem.hpp"
#include "../steps.hpp"

#include <algorithm>

namespace gpuconv::detail {
namespace {

constexpr std::int64_t kPieceBytes = std::int64_t{16} << 20;  // in and out: pinning memory takes its time
constexpr std::int64_t kPartOfMemory = 64;  // pieces are no larger than one such part of what the device has
constexpr std::int64_t kLeastOutputs = 1024;

// Not of what is free: where rows are cut, and so their bits, must not depend on what else the device is doing.
std::int64_t piece_bytes() {
  std::size_t free = 0, total = 0;
  check_cuda(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  return std::min(kPieceBytes, static_cast<std::int64_t>(total) / kPartOfMemory);
}

}  // namespace

Pieces pieces_of(Work const& asked) {
  const Work w = filled_steps(asked);
  const auto in = static_cast<std::int64_t>(size_of(w.signal_type)),
             out = static_cast<std::int64_t>(size_of(w.result_type));
  const std::int64_t signals = w.loops.outer.count, filters = w.loops.inner.count;
  const std::int64_t budget = piece_bytes(), signal = w.samples(), outputs = w.outputs(), filter = w.axis.filter;
  // A filter that is longer than the signal is on the device as a whole, and so may be what it gives; so are images.
  const std::int64_t results = saturating_multiply(outputs, filters * out);
  if (w.swapped() || w.has_lines() || results <= budget - signal * in) {
    const std::int64_t kept = signal * in + asked.outputs() * filters * out;
    const std::int64_t rows = std::clamp<std::int64_t>(budget / kept, 1, signals);
    return {rows, asked.outputs(), signal, 1, (signals + rows - 1) / rows};
  }
  // At least as many outputs as taps, or pieces would mostly consist of what neighbours have too. Some methods compute
  // those that a step passes over, and are made for as many.
  const std::int64_t fitting = (budget - (filter - 1) * in) / (in + filters * out);
  const std::int64_t all = std::min(outputs, std::max({fitting, filter, kLeastOutputs})), step = asked.axis.step;
  const std::int64_t each =
      step == 1 ? all : std::min((all - 1) / step + 1, (asked.axis.outputs + 1) / 2);  // so that there are several
  const std::int64_t segments = (asked.axis.outputs + each - 1) / each, needed = (each - 1) * step + filter;
  const std::int64_t samples = w.extension.is_zero() ? std::min(signal, needed) : needed;
  return {1, each, samples, segments, saturating_multiply(signals, segments)};
}

Work work_of_pieces(Work const& work, Pieces const& pieces) {
  if (pieces.segments == 1) return work;
  Work out = work;
  // Room for a window of every output, with what is beyond the ends of a row.
  out.axis.signal = (pieces.outputs - 1) * work.axis.step + work.axis.filter;
  out.extension = {};
  out.axis.first = work.axis.filter - 1;
  out.axis.outputs = pieces.outputs;
  return out;
}

Work work_at_once(Work const& work, Resources const& r) {
  if (r.memory == Memory::device) return work;
  const Pieces pieces = pieces_of(work);
  Work out = work_of_pieces(work, pieces);
  out.loops.outer.count = pieces.rows;
  return out;
}

}  // namespace gpuconv::detail

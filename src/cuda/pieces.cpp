#include "pieces.hpp"

#include "../problem.hpp"

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

Pieces pieces_of(Work const& w) {
  const auto in = static_cast<std::int64_t>(size_of(w.signal_type)),
             out = static_cast<std::int64_t>(size_of(w.result_type));
  const std::int64_t budget = piece_bytes(), signal = w.axis.signal, outputs = w.axis.outputs, filter = w.axis.filter;
  // A filter that is longer than the signal is on the device as a whole, and so may be what it gives.
  if (const std::int64_t row = signal * in + outputs * out; row <= budget || w.swapped()) {
    const std::int64_t rows = std::clamp<std::int64_t>(budget / row, 1, w.rows());
    return {rows, outputs, signal, 1, (w.rows() + rows - 1) / rows};
  }
  // At least as many outputs as taps, or pieces would mostly consist of what neighbours have too.
  const std::int64_t fitting = (budget - (filter - 1) * in) / (in + out);
  const std::int64_t each = std::min(outputs, std::max({fitting, filter, kLeastOutputs}));
  const std::int64_t segments = (outputs + each - 1) / each;
  return {1, each, std::min(signal, each + filter - 1), segments, saturating_multiply(w.rows(), segments)};
}

Work work_of_pieces(Work const& work, Pieces const& pieces) {
  if (pieces.segments == 1) return work;
  Work out = work;
  out.axis.signal = pieces.outputs + work.axis.filter - 1;  // room for a window of every output
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

// How arrays in host memory pass through the GPU: in pieces of whole rows or, where not even one row fits, of a row's
// outputs. Images are always whole.
#pragma once

#include "runtime.hpp"

#include "../solver.hpp"

namespace gpuconv::detail {

struct Pieces {
  std::int64_t rows;      // of the signal, per piece: with all filters of a bank
  std::int64_t outputs;   // of a row, per piece; of an image those of all lines
  std::int64_t samples;   // of a row that those need, at most; of an image all
  std::int64_t segments;  // per row
  std::int64_t count;     // of pieces
};

/// For works whose outer loop moves the signal, and the inner one, if it has one, only the filter. Throws CudaError.
Pieces pieces_of(Work const& work);

/// The work that an executor is made for, any piece of which is a part of it: all rows, of a segment's samples.
Work work_of_pieces(Work const& work, Pieces const& pieces);

/// The work for which a solver chooses what it runs with: one piece, where arrays come from host memory.
Work work_at_once(Work const& work, Resources const& r);

}  // namespace gpuconv::detail

// The reduction for rows that lie across memory, such as the columns of a matrix, where a sample of one row costs a
// sector of memory: some rows at a time are moved to where they lie one behind the other, worked on there, and moved
// back.
#pragma once

#include "../solver.hpp"

#include <cstdint>
#include <memory>

namespace gpuconv::detail {

/// The part of a work that is moved at once: rows and, of each, outputs with the samples that those need.
struct AcrossChunk {
  std::int64_t rows = 0;     // of the work; 0: none is moved
  std::int64_t signals = 0;  // that those have
  std::int64_t outputs = 0, samples = 0;
  bool whole_rows = true;
  // Where rows are cut: samples before those of the first output, and what outputs come in, so that blocks lie where
  // they do in a whole row.
  std::int64_t lead = 0, unit = 1;
};

/// As much as fits into `budget` bytes, as a rule: whole rows, or as many as a tile of the transposing kernel has, cut
/// where the method's blocks end. What cannot be cut is moved by rows that fill a sector, up to a limit. Where both
/// loops move the signal, as with the columns of several images, rows are expected to be neighbours in the inner one.
AcrossChunk across_chunk(Work const& work, Parameters const& p, std::int64_t budget);

/// `inner`, made for `work`, with room to move rows of a chunk that lie across: those of signals and outputs that do
/// are moved, others used where they are. The bits are the same. Throws CudaError.
std::unique_ptr<Executor> make_across(Work const& work, AcrossChunk const& chunk, std::unique_ptr<Executor> inner);

}  // namespace gpuconv::detail

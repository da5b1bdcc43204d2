// How much is convolved at once: some rows of a batch or, of rows that are too long, pieces of their outputs, each with
// the samples that it needs.
#pragma once

#include <gpuconv/problem.hpp>

#include <cstdint>

namespace tool {

struct Piece {
  std::int64_t first_sample = 0;
  gpuconv::Problem problem;  ///< of the samples from there on
};

/// How many of `rows` rows beside each other go through a plan at a time: about as many each time. Of rows that lie
/// `across` the file, as many as a piece holds, since what is read for one of them is mostly the others'.
std::int64_t rows_at_once(gpuconv::Problem const& problem, std::int64_t rows, bool across);

/// How many outputs of a row are computed at once, so that all pieces have about as many; all where the row is short
/// enough. It follows from the row alone, and from `rows` of them that are computed together.
std::int64_t piece_outputs(gpuconv::Problem const& row, std::int64_t rows);

/// `count` outputs of a row, from the one with index `first` of those that the problem asks for. What meets an end of a
/// row that is extended beyond it is given the whole row.
Piece piece_of(gpuconv::Problem const& row, std::int64_t first, std::int64_t count);

}  // namespace tool

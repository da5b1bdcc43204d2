#include "pieces.hpp"

#include <algorithm>

namespace tool {

using gpuconv::Boundary, gpuconv::Problem, gpuconv::Slice;

namespace {

// Signal, filter and result of the rows convolved at once: they stay in the cache between reading, convolving and
// writing. 300,000 rows of 100 samples with 31 taps to /dev/null (Xeon, 2 threads): 70 ms with 2 or 4 MiB, 190 ms with
// 16 or 64 MiB.
constexpr double kChunkBytes = 4 << 20;
constexpr double kPieceBytes = 64 << 20;  // samples and outputs
constexpr double kLeastFilters = 8;       // samples of a piece by taps: m - 1 of them are read, and computed, twice
// Bytes of a piece at most where it is one of many rows: each of its outputs is then an output of every row.
constexpr double kWidePieceBytes = 512 << 20;

// Rows of the result for each row of the signal.
std::int64_t results_each(Problem const& p) { return p.filters == gpuconv::Filters::bank ? p.bank : 1; }

}  // namespace

std::int64_t rows_at_once(Problem const& p, std::int64_t rows, bool across) {
  const auto bytes = [](std::int64_t count, gpuconv::Type type) {
    return static_cast<double>(count) * static_cast<double>(size_of(type));
  };
  const double row = bytes(p.signal, p.type) +
                     static_cast<double>(results_each(p)) * bytes(output_slice(p).length, result_type(p)) +
                     (p.filters == gpuconv::Filters::per_row ? bytes(p.filter, filter_type(p)) : 0);
  const double budget = across ? kPieceBytes : kChunkBytes;
  const auto most = std::clamp<std::int64_t>(static_cast<std::int64_t>(budget / row), 1, rows);
  const std::int64_t chunks = (rows - 1) / most + 1;
  return (rows - 1) / chunks + 1;
}

std::int64_t piece_outputs(Problem const& row, std::int64_t rows) {
  const Slice outputs = output_slice(row);
  const auto size = [](gpuconv::Type type) { return static_cast<double>(size_of(type)); };
  const auto step = static_cast<double>(outputs.step), length = static_cast<double>(outputs.length);
  const double output_bytes = static_cast<double>(rows) * (step * size(row.type) + size(result_type(row)));
  double least = kLeastFilters * static_cast<double>(row.filter) / step;
  if (rows > 1) least = std::min(least, kWidePieceBytes / output_bytes);
  const double most = std::max(kPieceBytes / output_bytes, least);
  if (length <= most) return outputs.length;
  const auto pieces = static_cast<std::int64_t>(length / std::max(most, 1.0)) + 1;
  return (outputs.length - 1) / pieces + 1;
}

Piece piece_of(Problem const& row, std::int64_t first, std::int64_t count) {
  const Slice outputs = output_slice(row);
  Piece piece{0, row};
  if (count == outputs.length) return piece;
  Problem& p = piece.problem;
  p.window = Slice{outputs.first + first * outputs.step, count, outputs.step};
  const std::int64_t begin = p.window->first - (row.filter - 1), end = p.window->first + (count - 1) * outputs.step + 1;
  const bool meets_an_end = begin < 0 || end > row.signal;
  if (meets_an_end && row.boundary != Boundary::zero) return piece;
  piece.first_sample = std::clamp<std::int64_t>(begin, 0, row.signal - 1);
  p.signal = std::clamp<std::int64_t>(end, piece.first_sample + 1, row.signal) - piece.first_sample;
  p.window->first -= piece.first_sample;
  p.boundary = Boundary::zero;
  return piece;
}

}  // namespace tool

// Filters that are given on the command line in place of a file: their taps, or the name of a recipe's.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tool {

/// A filter of two dimensions, line after line.
struct Taps {
  std::int64_t lines = 0, columns = 0;
  std::vector<double> values;
};

/// Reads lines of numbers, "1,2,1;2,4,2;1,2,1". Nothing where lines differ in length or a number is none, or infinite.
std::optional<Taps> taps_of(std::string_view text);

/// The filters that a name stands for, to convolve with: "sobel:0" (along axis 0), "sobel:1", "laplacian",
/// "gaussian:SIGMA", "box:SIZE". One filter or, of "sobel", both: the root of the sum of the squares of their results
/// is meant. None where the text names no filter. Throws gpuconv::InvalidArgument for a number that makes no filter.
std::vector<Taps> named_filters(std::string_view text);

}  // namespace tool

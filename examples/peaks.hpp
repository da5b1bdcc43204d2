// Where patterns are found: the peaks of how well they match, by the same rule on the CPU (peaks.cpp, the standard
// library) and on the GPU (peaks.cu, Thrust).
#pragma once

#include <gpuconv/gpuconv.hpp>

#include <cstdint>
#include <vector>

namespace ecg {

struct Peak {
  std::int64_t index;
  std::int64_t row;  ///< whose score is the highest there; of equal ones the first
  double score;
};

/// Peaks of the highest score in any row of `[rows][columns]` scores, from `threshold` on, the highest first and equal
/// ones by index. The first and last column, which lack a neighbour, are none.
std::vector<Peak> find_peaks(gpuconv::HostView<double const> scores, double threshold);
/// The same on the GPU, in the order of the default stream. Throws gpuconv::Unsupported in a build without CUDA.
std::vector<Peak> find_peaks(gpuconv::DeviceView<double const> scores, double threshold);

/// The rule, for host and device code: nvcc compiles constexpr functions for both (--expt-relaxed-constexpr).
template <class View>
struct BestAt {
  View scores;

  constexpr Peak operator()(std::int64_t i) const {
    Peak best{i, 0, scores.row(0)[i]};
    for (std::int64_t r = 1; r < scores.rows(); ++r)
      if (scores.row(r)[i] > best.score) best = {i, r, scores.row(r)[i]};
    return best;
  }
};

template <class View>
struct IsPeak {
  BestAt<View> best;
  double threshold;

  constexpr bool operator()(std::int64_t i) const {
    const double score = best(i).score;
    return score >= threshold && score > best(i - 1).score && score >= best(i + 1).score;
  }
};

struct IsHigher {
  constexpr bool operator()(Peak const& a, Peak const& b) const { return a.score > b.score; }
};

}  // namespace ecg

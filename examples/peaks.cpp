#include "peaks.hpp"

#include <algorithm>

namespace ecg {

std::vector<Peak> find_peaks(gpuconv::HostView<double const> scores, double threshold) {
  const BestAt<gpuconv::HostView<double const>> best{scores};
  std::vector<Peak> peaks;
  for (std::int64_t i = 1; i + 1 < scores.columns(); ++i)
    if (IsPeak<gpuconv::HostView<double const>>{best, threshold}(i)) peaks.push_back(best(i));
  std::stable_sort(peaks.begin(), peaks.end(), IsHigher());
  return peaks;
}

}  // namespace ecg

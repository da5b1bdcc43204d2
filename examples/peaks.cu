#include "peaks.hpp"

#include <thrust/copy.h>
#include <thrust/device_vector.h>
#include <thrust/execution_policy.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/iterator/transform_iterator.h>
#include <thrust/sort.h>

namespace ecg {

std::vector<Peak> find_peaks(gpuconv::DeviceView<double const> scores, double threshold) {
  if (scores.columns() < 3) return {};
  const BestAt<gpuconv::DeviceView<double const>> best{scores};
  const IsPeak<gpuconv::DeviceView<double const>> is_peak{best, threshold};
  const auto index = thrust::make_counting_iterator<std::int64_t>(1);
  const auto candidate = thrust::make_transform_iterator(index, best);
  const std::int64_t candidates = scores.columns() - 2;

  // No two neighbours are peaks.
  thrust::device_vector<Peak> peaks(static_cast<std::size_t>(candidates / 2 + 1));
  peaks.erase(thrust::copy_if(thrust::device, candidate, candidate + candidates, index, peaks.begin(), is_peak),
              peaks.end());
  thrust::stable_sort(thrust::device, peaks.begin(), peaks.end(), IsHigher());

  std::vector<Peak> host(peaks.size());
  thrust::copy(peaks.begin(), peaks.end(), host.begin());
  return host;
}

}  // namespace ecg

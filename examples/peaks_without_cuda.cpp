// What a build without CUDA has in place of peaks.cu.
#include "peaks.hpp"

namespace ecg {

std::vector<Peak> find_peaks(gpuconv::DeviceView<double const>, double) {
  throw gpuconv::Unsupported("the demo was built without CUDA");
}

}  // namespace ecg

// Convolves or correlates images, of .npy files and pictures, in two dimensions.
#pragma once

#include "filters.hpp"
#include "report.hpp"
#include "request.hpp"

#include <string>
#include <vector>

namespace tool {

/// A problem of images to compute, and the files of its arrays. A file that ends as a picture (.png, .pgm, .ppm, .pnm)
/// is one, any other a .npy file; paths may be pipes, or "-" for standard input or output.
struct ImageJob {
  std::string signal, output;
  std::string filter;      ///< a file, where there are no `taps`
  std::vector<Taps> taps;  ///< of two the root of the sum of the squares of both results is meant
  Request request;         ///< saturated where it says so, and always where the output is a picture
  bool channels = false;   ///< the signal is [lines][columns][channels], each channel an image
  bool separable = false;  ///< a filter that is no product of a column and a row is refused
  gpuconv::Options options;
};

/// Convolves whole images in memory. Throws npy::Error; Failure for what concerns several files together.
Report convolve_images(ImageJob const& job);

}  // namespace tool

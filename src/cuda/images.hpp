// Convolution of images on the GPU: by direct sums, for direct.cpp, and by blocks of two dimensions and cuFFT, for the
// other methods.
#pragma once

#include "runtime.hpp"

#include "../../kernels/launch.hpp"
#include "../solver.hpp"

namespace gpuconv::detail {

/// For works without a step along the axis: images, and rows as images of one line.
Answer consider_device_images(Work const& work, Resources const& r);
Answer consider_device_image_blocks(Work const& work, Resources const& r);
/// In one block for each image.
Answer consider_device_whole_images(Work const& work, Resources const& r);

/// The sums of a part of the work's images, for the image kernel. `taps`: of all filters, as Image's.
kernels::Image sums_of_images(Work const& work, kernels::Operands const& operands, void const* taps);
/// Enqueues them.
void enqueue_sums(kernels::Image const& image, Work const& work, CudaDevice const& device, Stream stream);

}  // namespace gpuconv::detail

#include "image.cuh"

#include <algorithm>
#include <type_traits>

namespace gpuconv::kernels {
namespace {

/// Calls f(type, whether there are totals), both constants.
template <class F>
cudaError_t with_kernel(Type compute, bool totals, F f) {
  return visit_compute(compute, [&]<class C>(std::type_identity<C> type) {
    if constexpr (std::is_floating_point_v<C>)
      if (totals) return f(type, std::true_type());
    return f(type, std::false_type());
  });
}

}  // namespace

cudaError_t load_image(Type compute) {
  const cudaError_t error = with_kernel(compute, false, []<class C>(std::type_identity<C>, auto totals) {
    return device::load(image_kernel<C, decltype(totals)::value>);
  });
  if (error != cudaSuccess) return error;
  return with_kernel(compute, true, []<class C>(std::type_identity<C>, auto totals) {
    return device::load(image_kernel<C, decltype(totals)::value>);
  });
}

cudaError_t image(Image const& image, Type compute, std::int64_t blocks, cudaStream_t stream) {
  const ImagePieces pieces = ImagePieces::of(image.filter_lines, image.taps_count);
  const int pack = 16 / static_cast<int>(size_of(compute)), width = 32 * pack;
  Part const& part = image.operands.part;
  ImageTiles tiles{.pieces = pieces,
                   .across = (part.outputs + width - 1) / width,
                   .down = (image.output_lines + kImageTileLines - 1) / kImageTileLines,
                   .count = 0,
                   .pitch = width + (pieces.columns + pack - 1) / pack * pack,
                   .taps_pitch = (pieces.columns + pack - 1) / pack * pack};
  tiles.count = part.rows * image.parts() * tiles.across * tiles.down;
  const auto grid = dim3(static_cast<unsigned>(std::min(tiles.count, blocks)));
  const bool totals = image.terms() * image.filter_lines * image.taps_count > detail::kSumPiece;
  return with_kernel(compute, totals, [&]<class C>(std::type_identity<C>, auto with_totals) {
    return device::launch(image_kernel<C, decltype(with_totals)::value>, grid, dim3(kImageThreads),
                          pieces.shared_bytes(sizeof(C)), stream, image, tiles);
  });
}

}  // namespace gpuconv::kernels

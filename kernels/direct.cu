#include "direct.cuh"

#include <algorithm>

namespace gpuconv::kernels {
namespace {

/// A group asks for its row and its place in it once a stretch.
constexpr double kLongestStretch = 8, kStretchesAGroup = 2;

template <class C, int kOutputs, bool kPacked>
cudaError_t launch_direct(Direct const& problem, DirectShape shape, std::int64_t blocks, cudaStream_t stream) {
  constexpr int pack = Pack<C>::size;
  const std::int64_t taps = problem.taps.columns;
  // Tiles start early where the output is not aligned: some of them as early as may be, where its rows lie differently.
  const int early =
      problem.rows == 1 || problem.out.stride % pack == 0 ? misalignment<C>(problem.out.data, 0) : pack - 1;
  const std::int64_t width = shape.lanes * std::int64_t{kOutputs}, block_groups = kDirectThreads / 32 * shape.groups;
  const std::int64_t row_tiles = (problem.length + early + width - 1) / width;
  // Long stretches, but several for every group, and all of a row about as long.
  const double group_tiles =
      static_cast<double>(row_tiles) * static_cast<double>(problem.rows) / static_cast<double>(blocks * block_groups);
  const auto longest = static_cast<std::int64_t>(std::clamp(group_tiles / kStretchesAGroup, 1.0, kLongestStretch));
  const std::int64_t row_stretches = (row_tiles + longest - 1) / longest, stretches = problem.rows * row_stretches;
  const std::int64_t last_piece = (taps - 1) / kDirectTaps<C> * kDirectTaps<C>;
  const DirectTiles tiles{.shape = shape,
                          .room = direct_room(taps, sizeof(C)),
                          .pitch = direct_pitch(shape, taps, sizeof(C)),
                          .stretch = static_cast<int>((row_tiles + row_stretches - 1) / row_stretches),
                          .row_stretches = row_stretches,
                          .stretches = stretches,
                          .last_piece = last_piece,
                          .last_count = static_cast<int>(taps - last_piece),
                          .new_taps = last_piece > 0 || (problem.taps.stride != 0 && problem.rows > 1)};
  const std::int64_t wanted = std::min(blocks, (stretches + block_groups - 1) / block_groups);
  return device::launch(direct_kernel<C, kOutputs, kPacked>, dim3(static_cast<unsigned>(wanted)), dim3(kDirectThreads),
                        direct_shared_bytes(shape, taps, sizeof(C)), stream, problem, tiles);
}

}  // namespace

cudaError_t direct(Direct const& problem, Type compute, DirectShape shape, std::int64_t blocks, cudaStream_t stream) {
  return visit_compute(compute, [&]<class C>(std::type_identity<C>) {
    constexpr int many = direct_outputs(sizeof(C)), few = direct_few_outputs(sizeof(C));
    if (shape.outputs == few) return launch_direct<C, few, true>(problem, shape, blocks, stream);
    return shape.lanes < 32 ? launch_direct<C, many, true>(problem, shape, blocks, stream)
                            : launch_direct<C, many, false>(problem, shape, blocks, stream);
  });
}

cudaError_t check_code() {
  cudaFuncAttributes attributes;
  void (*const kernel)(Direct, DirectTiles) = direct_kernel<float, direct_outputs(sizeof(float)), false>;
  return cudaFuncGetAttributes(&attributes, reinterpret_cast<void const*>(kernel));
}

}  // namespace gpuconv::kernels

#include "direct.cuh"

#include <algorithm>

namespace gpuconv::kernels {
namespace {

/// A group asks for its row and its place in it once per stretch.
constexpr double kLongestStretch = 8, kStretchesPerGroup = 2;

template <class C, int kOutputs, bool kPacked>
cudaError_t launch_direct(Direct const& problem, Tile tile, std::int64_t blocks, cudaStream_t stream) {
  constexpr int pack = Pack<C>::size;
  const std::int64_t taps = problem.taps_count;
  Output const& out = problem.operands.out;
  Loops const& loops = problem.operands.loops;
  Part const& part = problem.operands.part;
  // Tiles start early where the output is not aligned: some of them as early as may be, where its rows lie differently.
  const bool alike = part.rows == 1 || (out.outer % pack == 0 && out.inner % pack == 0);
  const int early = alike ? misalignment<C>(out.data, out.offset(loops, part.row)) : pack - 1;
  const std::int64_t width = tile.lanes * std::int64_t{kOutputs}, block_groups = kDirectThreads / 32 * tile.groups;
  const std::int64_t row_tiles = (part.outputs + early + width - 1) / width;
  // Long stretches, but several for every group, and all of a row about as long.
  const double group_tiles =
      static_cast<double>(row_tiles) * static_cast<double>(part.rows) / static_cast<double>(blocks * block_groups);
  const auto longest = static_cast<std::int64_t>(std::clamp(group_tiles / kStretchesPerGroup, 1.0, kLongestStretch));
  const std::int64_t row_stretches = (row_tiles + longest - 1) / longest, stretches = part.rows * row_stretches;
  const std::int64_t last_piece = (taps - 1) / kDirectTaps<C> * kDirectTaps<C>;
  const DirectTiles tiles{
      .tile = tile,
      .room = direct_room(taps, sizeof(C)),
      .pitch = direct_pitch(tile, taps, type_of<C>),
      .stretch = static_cast<int>((row_tiles + row_stretches - 1) / row_stretches),
      .row_stretches = row_stretches,
      .stretches = stretches,
      .last_piece = last_piece,
      .last_count = static_cast<int>(taps - last_piece),
      .new_taps = last_piece > 0 || ((loops.outer.filter_moves || loops.inner.filter_moves) && part.rows > 1)};
  const std::int64_t wanted = std::min(blocks, (stretches + block_groups - 1) / block_groups);
  return device::launch(direct_kernel<C, kOutputs, kPacked>, dim3(static_cast<unsigned>(wanted)), dim3(kDirectThreads),
                        direct_shared_bytes(tile, taps, type_of<C>), stream, problem, tiles);
}

}  // namespace

cudaError_t direct(Direct const& problem, Type compute, Tile tile, std::int64_t blocks, cudaStream_t stream) {
  return visit_compute(compute, [&]<class C>(std::type_identity<C>) {
    constexpr int many = direct_outputs(sizeof(C)), few = direct_few_outputs(sizeof(C));
    if (tile.outputs == few) return launch_direct<C, few, true>(problem, tile, blocks, stream);
    return tile.lanes < 32 ? launch_direct<C, many, true>(problem, tile, blocks, stream)
                           : launch_direct<C, many, false>(problem, tile, blocks, stream);
  });
}

cudaError_t check_code() {
  cudaFuncAttributes attributes;
  void (*const kernel)(Direct, DirectTiles) = direct_kernel<float, direct_outputs(sizeof(float)), false>;
  return cudaFuncGetAttributes(&attributes, reinterpret_cast<void const*>(kernel));
}

}  // namespace gpuconv::kernels

#include "direct_half.cuh"

#include <algorithm>
#include <type_traits>

namespace gpuconv::kernels {
namespace {

/// A group asks for its row and its place in it once per stretch.
constexpr double kLongestStretch = 8, kStretchesPerGroup = 2;

/// `C`: what is computed in. `Stored`: what outputs are aligned as.
template <class C, class Stored>
cudaError_t launch_direct(void (*kernel)(Direct, DirectTiles), Direct const& problem, Tile tile, std::int64_t blocks,
                          cudaStream_t stream) {
  constexpr int pack = Pack<Stored>::size;
  const std::int64_t taps = problem.taps_count;
  Output const& out = problem.operands.out;
  Loops const& loops = problem.operands.loops;
  Part const& part = problem.operands.part;
  // Tiles start early where the output is not aligned: some of them as early as may be, where its rows lie differently.
  const bool alike = part.rows == 1 || (out.outer % pack == 0 && out.inner % pack == 0);
  const int early = alike ? misalignment<Stored>(out.data, out.offset(loops, part.row)) : pack - 1;
  const std::int64_t width = tile.width(), block_groups = kDirectThreads / 32 * tile.groups;
  const std::int64_t row_tiles = (part.outputs + early + width - 1) / width;
  const std::int64_t rows = part.rows * problem.parts();
  // Long stretches, but several for every group, and all of a row about as long.
  const double group_tiles =
      static_cast<double>(row_tiles) * static_cast<double>(rows) / static_cast<double>(blocks * block_groups);
  const auto longest = static_cast<std::int64_t>(std::clamp(group_tiles / kStretchesPerGroup, 1.0, kLongestStretch));
  const std::int64_t row_stretches = (row_tiles + longest - 1) / longest, stretches = rows * row_stretches;
  const std::int64_t last_piece = (taps - 1) / kDirectTaps<C> * kDirectTaps<C>;
  const DirectTiles tiles{.tile = tile,
                          .room = direct_room(taps, sizeof(C)),
                          .pitch = direct_pitch(tile, taps, problem.terms(), type_of<C>),
                          .stretch = static_cast<int>((row_tiles + row_stretches - 1) / row_stretches),
                          .row_stretches = row_stretches,
                          .stretches = stretches,
                          .last_piece = last_piece,
                          .last = problem.terms() == 1 ? last_piece : 2 * last_piece + kDirectTaps<C>,
                          .last_count = static_cast<int>(taps - last_piece),
                          .in_pieces = direct_totals(tile, taps, problem.terms(), type_of<C>) > 0,
                          .new_taps = last_piece > 0 || problem.filter_parts > 1 ||
                                      ((loops.outer.filter_moves || loops.inner.filter_moves) && part.rows > 1)};
  const std::int64_t wanted = std::min(blocks, (stretches + block_groups - 1) / block_groups);
  return device::launch(kernel, dim3(static_cast<unsigned>(wanted)), dim3(kDirectThreads),
                        direct_shared_bytes(tile, taps, problem.terms(), type_of<C>), stream, problem, tiles);
}

/// Calls f(type, outputs per lane, whether packed), all three constants, for the kernel that works on tiles like
/// `tile`.
template <class F>
cudaError_t with_kernel(Type compute, Tile tile, F f) {
  return visit_compute(compute, [&]<class C>(std::type_identity<C> type) {
    constexpr std::integral_constant<int, direct_outputs(sizeof(C))> many;
    constexpr std::integral_constant<int, direct_few_outputs(sizeof(C))> few;
    if (tile.outputs == few) return f(type, few, std::true_type());
    return tile.lanes < 32 ? f(type, many, std::true_type()) : f(type, many, std::false_type());
  });
}

/// The type of the rows that direct_half_kernel takes, if these are such rows: calls f(type) for it, else g().
template <class F, class G>
cudaError_t with_halves(Direct const& problem, Type compute, Tile tile, F f, G g) {
  Input const& signal = problem.operands.signal;
  Output const& out = problem.operands.out;
  const bool whole = tile.outputs == kHalfOutputs && tile.lanes == 32 && problem.taps_count <= kDirectTaps<float>;
  if (compute != Type::float32 || !whole) return g();
  if (signal.is_array_of<float16>() && out.is_array_of<float16>()) return f(std::type_identity<float16>());
  if (signal.is_array_of<bfloat16>() && out.is_array_of<bfloat16>()) return f(std::type_identity<bfloat16>());
  return g();
}

}  // namespace

cudaError_t load_direct(Type compute, Tile tile) {
  if (compute == Type::float32)
    for (void (*const kernel)(Direct, DirectTiles) : {direct_half_kernel<float16>, direct_half_kernel<bfloat16>})
      if (const cudaError_t error = device::load(kernel); error != cudaSuccess) return error;
  return with_kernel(compute, tile, []<class C>(std::type_identity<C>, auto outputs, auto packed) {
    return device::load(direct_kernel<C, decltype(outputs)::value, decltype(packed)::value>);
  });
}

cudaError_t direct(Direct const& problem, Type compute, Tile tile, std::int64_t blocks, cudaStream_t stream) {
  const auto halves = [&]<class H>(std::type_identity<H>) {
    return launch_direct<float, H>(direct_half_kernel<H>, problem, tile, blocks, stream);
  };
  return with_halves(problem, compute, tile, halves, [&] {
    return with_kernel(compute, tile, [&]<class C>(std::type_identity<C>, auto outputs, auto packed) {
      return launch_direct<C, C>(direct_kernel<C, decltype(outputs)::value, decltype(packed)::value>, problem, tile,
                                 blocks, stream);
    });
  });
}

cudaError_t check_code() {
  cudaFuncAttributes attributes;
  void (*const kernel)(Direct, DirectTiles) = direct_kernel<float, direct_outputs(sizeof(float)), false>;
  return cudaFuncGetAttributes(&attributes, reinterpret_cast<void const*>(kernel));
}

}  // namespace gpuconv::kernels

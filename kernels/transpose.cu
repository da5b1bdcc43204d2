#include "transpose.cuh"

#include <algorithm>
#include <bit>

namespace gpuconv::kernels {
namespace {

template <class F>
cudaError_t visit_bytes(int bytes, F f) {
  switch (bytes) {
    case 1:
      return f(std::uint8_t{});
    case 2:
      return f(std::uint16_t{});
    case 4:
      return f(std::uint32_t{});
    case 8:
      return f(std::uint64_t{});
    default:
      return f(Pack<std::uint64_t>{});
  }
}

}  // namespace

cudaError_t load_transpose(int bytes) {
  return visit_bytes(bytes, []<class E>(E) { return device::load(transpose_kernel<E>); });
}

cudaError_t transpose(Transpose const& t, int bytes, cudaStream_t stream) {
  return visit_bytes(bytes, [&]<class E>(E) {
    const std::int64_t rows = std::min<std::int64_t>(kMostTileRows, std::bit_ceil(static_cast<std::uint64_t>(t.rows)));
    const std::int64_t columns = TransposeTile<E>::kElements / rows;
    const std::int64_t row_tiles = (t.rows + rows - 1) / rows, column_tiles = (t.columns + columns - 1) / columns;
    const std::int64_t tiles = row_tiles * column_tiles;
    return device::launch(transpose_kernel<E>, dim3(static_cast<unsigned>(t.groups * tiles)), dim3(kTransposeThreads),
                          0, stream, t, static_cast<int>(rows), static_cast<unsigned>(row_tiles),
                          static_cast<unsigned>(tiles));
  });
}

}  // namespace gpuconv::kernels

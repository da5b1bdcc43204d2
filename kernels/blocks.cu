#include "blocks.cuh"

#include <algorithm>

namespace gpuconv::kernels {
namespace {

/// A grid for `rows` slots or filters of `columns` elements, of `most` blocks or a few more.
dim3 grid_for(std::int64_t columns, std::int64_t rows, int most) {
  constexpr std::int64_t each = 4 * kBlockThreads;  // a few elements a thread
  constexpr std::int64_t limit = 65535;             // of a grid along y
  const std::int64_t y = std::clamp<std::int64_t>(rows, 1, std::min<std::int64_t>(most, limit));
  const std::int64_t x = std::clamp<std::int64_t>((columns + each - 1) / each, 1, (most + y - 1) / y);
  return {static_cast<unsigned>(x), static_cast<unsigned>(y)};
}

template <class... Parameters, class... Arguments>
cudaError_t enqueue(void (*kernel)(Parameters...), dim3 grid, cudaStream_t stream, Arguments... arguments) {
  return device::launch(kernel, grid, dim3(kBlockThreads), 0, stream, arguments...);
}

}  // namespace

cudaError_t convert_filters(Input const& filter, std::int64_t count, Filters const& filters, Type compute, int grid,
                            cudaStream_t stream) {
  return visit_compute(compute, [&]<class C>(std::type_identity<C>) {
    return enqueue(convert_filters_kernel<C>, grid_for(filters.columns, count, grid), stream, filter, count, filters);
  });
}

cudaError_t gather_blocks(BlockWork const& w, cudaStream_t stream) {
  return visit_floating(w.compute, [&]<class C>(std::type_identity<C>) {
    return enqueue(gather_blocks_kernel<C>, grid_for(w.cut.size, w.chunk.slots, w.grid), stream, w);
  });
}

cudaError_t keep_spectra(BlockWork const& w, cudaStream_t stream) {
  return visit_floating(w.compute, [&]<class C>(std::type_identity<C>) {
    return enqueue(keep_spectra_kernel<C>, grid_for(w.cut.size / 2 + 1, w.chunk.count, w.grid), stream, w);
  });
}

cudaError_t multiply_spectra(BlockWork const& w, cudaStream_t stream) {
  return visit_floating(w.compute, [&]<class C>(std::type_identity<C>) {
    return enqueue(multiply_spectra_kernel<C>, grid_for(w.cut.size / 2 + 1, w.chunk.count, w.grid), stream, w);
  });
}

cudaError_t store_blocks(BlockWork const& w, cudaStream_t stream) {
  return visit_floating(w.compute, [&]<class C>(std::type_identity<C>) {
    return enqueue(store_blocks_kernel<C>, grid_for(w.cut.step, w.chunk.count, w.grid), stream, w);
  });
}

cudaError_t repair_blocks(BlockWork const& w, cudaStream_t stream) {
  return visit_floating(w.compute, [&]<class C>(std::type_identity<C>) {
    return enqueue(repair_blocks_kernel<C>, grid_for(w.cut.step, w.chunk.count, w.grid), stream, w);
  });
}

}  // namespace gpuconv::kernels

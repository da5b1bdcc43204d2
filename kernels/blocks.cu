#include "blocks.cuh"

#include <algorithm>

namespace gpuconv::kernels {
namespace {

/// A grid for `rows` slots or filters of `columns` elements, of `most` blocks or a few more.
dim3 grid_for(std::int64_t columns, std::int64_t rows, int most) {
  constexpr std::int64_t each = 4 * kBlockThreads;  // a few elements per thread
  constexpr std::int64_t limit = 65535;             // of a grid along y
  const std::int64_t y = std::clamp<std::int64_t>(rows, 1, std::min<std::int64_t>(most, limit));
  const std::int64_t x = std::clamp<std::int64_t>((columns + each - 1) / each, 1, (most + y - 1) / y);
  return {static_cast<unsigned>(x), static_cast<unsigned>(y)};
}

template <class... Parameters, class... Arguments>
cudaError_t enqueue(void (*kernel)(Parameters...), dim3 grid, cudaStream_t stream, Arguments... arguments) {
  return device::launch(kernel, grid, dim3(kBlockThreads), 0, stream, arguments...);
}

/// The first error of loading the kernels.
template <class... Kernels>
cudaError_t load_all(Kernels... kernels) {
  cudaError_t error = cudaSuccess;
  ((error = error == cudaSuccess ? device::load(kernels) : error), ...);
  return error;
}

}  // namespace

cudaError_t load_convert_filters(Type compute) {
  return visit_compute(compute,
                       [&]<class C>(std::type_identity<C>) { return device::load(convert_filters_kernel<C>); });
}

cudaError_t load_blocks(Type compute) {
  return visit_floating(compute, [&]<class C>(std::type_identity<C>) {
    return load_all(measure_blocks_kernel<C, BlockWork>, find_signs_kernel<C>, gather_blocks_kernel<C, BlockWork>,
                    keep_spectra_kernel<C>, multiply_spectra_kernel<C>, store_blocks_kernel<C, BlockWork>,
                    repair_blocks_kernel<C>);
  });
}
cudaError_t load_image_blocks(Type compute) {
  return visit_floating(compute, [&]<class C>(std::type_identity<C>) {
    return load_all(measure_blocks_kernel<C, ImageBlockWork>, gather_blocks_kernel<C, ImageBlockWork>,
                    keep_spectra_kernel<C>, multiply_spectra_kernel<C>, store_blocks_kernel<C, ImageBlockWork>);
  });
}

cudaError_t convert_filters(Input const& filter, std::int64_t count, Filters const& filters, Type compute, int grid,
                            cudaStream_t stream) {
  return visit_compute(compute, [&]<class C>(std::type_identity<C>) {
    Input lines = detail::in_parts(filter);
    lines.inner = lines.line;
    return enqueue(convert_filters_kernel<C>, grid_for(filters.columns, count * filters.parts * filters.lines, grid),
                   stream, lines, count, filters);
  });
}

namespace {

template <class W>
cudaError_t measure(W const& w, cudaStream_t stream) {
  return visit_floating(w.compute, [&]<class C>(std::type_identity<C>) {
    return enqueue(measure_blocks_kernel<C, W>, grid_for(w.cut.size, w.chunk.count, w.grid), stream, w);
  });
}
template <class W>
cudaError_t gather(W const& w, cudaStream_t stream) {
  return visit_floating(w.compute, [&]<class C>(std::type_identity<C>) {
    return enqueue(gather_blocks_kernel<C, W>, grid_for(w.cut.size, w.chunk.slots, w.grid), stream, w);
  });
}
template <class W>
cudaError_t store(W const& w, std::int64_t outputs, cudaStream_t stream) {
  return visit_floating(w.compute, [&]<class C>(std::type_identity<C>) {
    return enqueue(store_blocks_kernel<C, W>, grid_for(outputs, w.chunk.count, w.grid), stream, w);
  });
}

}  // namespace

cudaError_t measure_blocks(BlockWork const& w, cudaStream_t stream) { return measure(w, stream); }
cudaError_t measure_blocks(ImageBlockWork const& w, cudaStream_t stream) { return measure(w, stream); }
cudaError_t gather_blocks(BlockWork const& w, cudaStream_t stream) { return gather(w, stream); }
cudaError_t gather_blocks(ImageBlockWork const& w, cudaStream_t stream) { return gather(w, stream); }
cudaError_t store_blocks(BlockWork const& w, cudaStream_t stream) { return store(w, w.cut.step, stream); }
cudaError_t store_blocks(ImageBlockWork const& w, cudaStream_t stream) {
  return store(w, w.cut.step * w.step_lines(), stream);
}

cudaError_t keep_spectra(BlockWork const& w, cudaStream_t stream) {
  return visit_floating(w.compute, [&]<class C>(std::type_identity<C>) {
    return enqueue(keep_spectra_kernel<C>, grid_for(w.bins(), w.chunk.count, w.grid), stream, w);
  });
}

cudaError_t multiply_spectra(BlockWork const& w, cudaStream_t stream) {
  return visit_floating(w.compute, [&]<class C>(std::type_identity<C>) {
    return enqueue(multiply_spectra_kernel<C>, grid_for(w.bins(), w.chunk.count, w.grid), stream, w);
  });
}

cudaError_t repair_blocks(BlockWork const& w, cudaStream_t stream) {
  return visit_floating(w.compute, [&]<class C>(std::type_identity<C>) {
    // A thread has 64 samples or outputs at a time.
    const dim3 grid = grid_for(w.cut.size / 16, w.chunk.count, w.grid);
    const cudaError_t error = enqueue(find_signs_kernel<C>, grid, stream, w);
    return error != cudaSuccess ? error : enqueue(repair_blocks_kernel<C>, grid, stream, w);
  });
}

std::int64_t repair_words(std::int64_t size, std::int64_t taps, int signal_parts, int filter_parts) {
  return BlockSets<std::int64_t>{nullptr, nullptr, size, taps, signal_parts, filter_parts}.word_count();
}
std::int64_t repair_levels(std::int64_t size, std::int64_t taps, int signal_parts, int filter_parts) {
  return BlockSets<std::int64_t>{nullptr, nullptr, size, taps, signal_parts, filter_parts}.level_count();
}

}  // namespace gpuconv::kernels

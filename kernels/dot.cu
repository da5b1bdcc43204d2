#include "dot.cuh"

#include <algorithm>

namespace gpuconv::kernels {
namespace {

dim3 grid_for(std::int64_t items, std::int64_t most) {
  constexpr std::int64_t warps = kDotThreads / 32;
  return dim3(static_cast<unsigned>(std::min(most, (items + warps - 1) / warps)));
}

}  // namespace

cudaError_t load_dot(Type compute) {
  return visit_compute(compute, []<class C>(std::type_identity<C>) {
    const cudaError_t error = device::load(dot_kernel<C>);
    return error == cudaSuccess ? device::load(add_pieces_kernel<C>) : error;
  });
}

cudaError_t dot(Dot const& d, Type compute, std::int64_t blocks, cudaStream_t stream) {
  Part const& part = d.operands.part;
  const std::int64_t pieces = d.pieces();
  const std::int64_t row_items = (part.outputs + kDotOutputs - 1) / kDotOutputs * d.parts() * pieces;
  const DotItems items{part.rows * row_items, static_cast<unsigned>(pieces), static_cast<unsigned>(row_items)};
  const DotItems outputs{part.rows * part.outputs * d.parts(), items.pieces, items.row_items};
  return visit_compute(compute, [&]<class C>(std::type_identity<C>) {
    const cudaError_t error =
        device::launch(dot_kernel<C>, grid_for(items.count, blocks), dim3(kDotThreads), 0, stream, d, items);
    if (error != cudaSuccess || pieces == 1) return error;
    return device::launch(add_pieces_kernel<C>, grid_for(outputs.count, blocks), dim3(kDotThreads), 0, stream, d,
                          outputs);
  });
}

}  // namespace gpuconv::kernels

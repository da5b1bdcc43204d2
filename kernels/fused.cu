#include "fused.cuh"

#include <utility>

namespace gpuconv::kernels {
namespace {

// Calls f(kernel) for the one of the type's kernels that works on blocks of `shape`.
template <class C, class F>
cudaError_t with_kernel_of(FusedShape const& shape, F f) {
  cudaError_t error = cudaErrorInvalidValue;
  [&]<int... I>(std::integer_sequence<int, I...>) {
    ((shape.points == fused_shape<C>(I).points && (error = f(fused_kernel<C, I>), true)) || ...);
  }
  (std::make_integer_sequence<int, static_cast<int>(fused_shapes(type_of<C>).size())>{});
  return error;
}

template <class F>
cudaError_t with_kernel(Type compute, FusedShape const& shape, F f) {
  return visit_floating(compute, [&]<class C>(std::type_identity<C>) { return with_kernel_of<C>(shape, f); });
}

}  // namespace

cudaError_t prepare_fused(Type compute, FusedShape const& shape) {
  return with_kernel(compute, shape, [&](auto kernel) {
    const cudaError_t error = device::load(kernel);
    return error == cudaSuccess ? device::allow_dynamic_shared(kernel, fused_shared_bytes(compute, shape)) : error;
  });
}

cudaError_t fused(Fused const& problem, Type compute, FusedShape const& shape, cudaStream_t stream) {
  const auto groups = static_cast<unsigned>(shape.groups());
  return with_kernel(compute, shape, [&](auto kernel) {
    return device::launch(kernel, dim3((problem.blocks + groups - 1) / groups),
                          dim3(static_cast<unsigned>(shape.block_threads())), fused_shared_bytes(compute, shape),
                          stream, problem);
  });
}

}  // namespace gpuconv::kernels

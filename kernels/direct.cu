#include "direct.cuh"

#include <algorithm>

namespace gpuconv::kernels {
namespace {

template <class C, int kOutputs>
cudaError_t launch_direct(Direct const& problem, DirectShape shape, std::int64_t blocks, cudaStream_t stream) {
  const std::int64_t outputs = std::int64_t{shape.threads} * shape.outputs;
  const std::int64_t tiles = (problem.length + Pack<C>::size - 1 + outputs - 1) / outputs;
  const std::size_t shared = sizeof(C) * static_cast<std::size_t>(direct_shared<C>(shape, problem.taps.columns));
  // In two steps: rows * tiles may overflow.
  const std::int64_t wanted = tiles > blocks / problem.rows ? blocks : problem.rows * tiles;
  return device::launch(direct_kernel<C, kOutputs>, dim3(static_cast<unsigned>(std::max<std::int64_t>(wanted, 1))),
                        dim3(static_cast<unsigned>(shape.threads)), shared, stream, problem);
}

}  // namespace

cudaError_t direct(Direct const& problem, Type compute, DirectShape shape, std::int64_t blocks, cudaStream_t stream) {
  return visit_compute(compute, [&]<class C>(std::type_identity<C>) {
    constexpr int many = direct_outputs(sizeof(C)), few = direct_few_outputs(sizeof(C));
    return shape.outputs == many ? launch_direct<C, many>(problem, shape, blocks, stream)
                                 : launch_direct<C, few>(problem, shape, blocks, stream);
  });
}

cudaError_t check_code() {
  cudaFuncAttributes attributes;
  void (*const kernel)(Direct) = direct_kernel<float, direct_outputs(sizeof(float))>;
  return cudaFuncGetAttributes(&attributes, reinterpret_cast<void const*>(kernel));
}

}  // namespace gpuconv::kernels

// FFT convolution of whole rows on the GPU: one cuFFT transform a row, for filters about as long as the signal.
#include "block_method.hpp"
#include "cost.hpp"

namespace gpuconv::detail {
namespace {

// ---- which problems it takes -------------------------------------------------------------------------------------
std::string refusal(Geometry const& g) { return refuse_cufft(g); }

// ---- what it costs -----------------------------------------------------------------------------------------------
double seconds(Geometry const& g, Resources const& r) {
  return total_seconds(g, r, block_seconds(g, whole_row_blocks(g), current_device()));
}

// ---- how it is made and runs -------------------------------------------------------------------------------------
std::unique_ptr<Executor> make(Geometry const& g, Resources const& r) {
  return make_cuda_executor(g, r, [](Geometry const& part, CudaDevice const& device, DeviceAllocator* allocator) {
    return make_block_method(part, whole_row_blocks(part), device, allocator);
  });
}

// ---- how it prints itself ----------------------------------------------------------------------------------------
std::string parameters(Geometry const& g, Resources const& r) {
  return "blocks of " + std::to_string(whole_row_blocks(g).size) + " by cuFFT, one a row" + cuda_text(r);
}

}  // namespace

const Solver cuda_fft{Device::cuda, Method::fft, true, refusal, seconds, make, parameters};

}  // namespace gpuconv::detail

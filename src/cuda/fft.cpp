// FFT convolution of whole rows on the GPU: one cuFFT transform per row, for filters about as long as the signal.
#include "cost.hpp"
#include "cufft_blocks.hpp"
#include "images.hpp"
#include "pieces.hpp"

namespace gpuconv::detail {
namespace {

std::unique_ptr<Executor> make(Work const& w, Resources const& r, Parameters const& p) {
  return make_cufft_blocks(w, p, current_device(), r.allocator);
}

// Neither operand is cut: it is all the same which of them is the longer one.
Answer consider(Work const& w, Resources const& r) {
  if (w.has_lines()) return consider_device_whole_images(w, r);
  if (const Refusal refusal = refuse_cufft(w)) return {.refusal = refusal};
  CudaDevice const& device = current_device();
  const Work at_once = work_at_once(w, r);
  return {.seconds = total_seconds(w, r, cufft_seconds(w, whole_row_cut(w), device)),
          .parameters = {.blocks = Parameters::Blocks::whole_rows_by_cufft,
                         .cut = whole_row_cut(at_once),
                         .rows = at_once.rows()},
          .make = make};
}

}  // namespace

const Solver cuda_fft{
    .device = Device::cuda, .method = Method::fft, .automatic = true, .answer = consider, .takes_lines = true};

}  // namespace gpuconv::detail

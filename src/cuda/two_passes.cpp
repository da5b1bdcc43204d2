#include "two_passes.hpp"

#include "filters.hpp"
#include "images.hpp"

#include "../core/float_environment.hpp"
#include "../core/separable.hpp"
#include "../problem.hpp"

#include <algorithm>
#include <cstring>

namespace gpuconv::detail {
namespace {

// Outputs of a line that a warp of the image kernel has.
std::int64_t tile_width(Type compute) { return 32 * 16 / static_cast<std::int64_t>(size_of(compute)); }

// ---- columns and rows --------------------------------------------------------------------------------------------
/// The columns and rows of an executor's filters, on the device. Whether a filter has them is known there alone, as
/// marks that the image kernel reads: so neither arrays in device memory nor graphs need to wait for the host.
class Factors {
 public:
  Factors(Work const& w, CudaDevice const& device, DeviceAllocator* allocator)
      : compute_(w.compute_type()),
        count_(w.filters()),
        lines_(w.lines.filter),
        taps_(w.axis.filter),
        columns_at_(2 * array_of<kernels::Magnitudes>(count_) + aligned_bytes(sizeof(kernels::SlotFacts))),
        rows_at_(columns_at_ + elements(lines_)),
        bytes_(rows_at_ + elements(taps_)),
        host_(static_cast<std::size_t>(bytes_ + elements(lines_ * taps_))),
        memory_(bytes_, device, allocator) {
    std::memset(host_.data(), 0, host_.bytes());
  }

  std::size_t bytes() const { return memory_.bytes() + host_.bytes(); }

  /// Enqueues a look at the filters, whose taps `filters` has on the device: they are copied to the host, and columns,
  /// rows and marks back from there.
  void set(kernels::Filters const& filters, std::int64_t count, Stream stream) {
    const auto taps = static_cast<std::size_t>(count * lines_ * taps_) * size_of(compute_);
    check_cuda(cudaMemcpyAsync(at(host_.data(), bytes_), filters.taps, taps, cudaMemcpyDeviceToHost, stream.handle()),
               "cudaMemcpyAsync");
    check_cuda(cudaLaunchHostFunc(
                   stream.handle(), [](void* self) { static_cast<Factors*>(self)->find(); }, this),
               "cudaLaunchHostFunc");
    check_cuda(cudaMemcpyAsync(memory_.data(), host_.data(), memory_.bytes(), cudaMemcpyHostToDevice, stream.handle()),
               "cudaMemcpyAsync");
  }

  void const* columns() { return at(memory_.data(), columns_at_); }
  void const* rows() { return at(memory_.data(), rows_at_); }
  /// Marks of all that is convolved with filters that are products, or that are not.
  kernels::MarkedBlocks marked(bool products) {
    return {.facts = facts(memory_.data()),
            .magnitudes = marks(memory_.data(), products),
            .columns = INT64_MAX,
            .lines = INT64_MAX,
            .across = 0,  // one block for all images, which has no mark of its own
            .down = 0};
  }

 private:
  template <class T>
  static double array_of(std::int64_t count) {
    return aligned_bytes(static_cast<double>(count) * sizeof(T));
  }
  double elements(std::int64_t of_filter) const {
    return aligned_bytes(static_cast<double>(count_) * static_cast<double>(of_filter) *
                         static_cast<double>(size_of(compute_)));
  }
  static char* at(char* memory, double bytes) { return memory + static_cast<std::size_t>(bytes); }
  // Where the marks of filters are that are products, or that are not: as if those had taps that are not finite.
  kernels::Magnitudes* marks(char* memory, bool products) const {
    return reinterpret_cast<kernels::Magnitudes*>(at(memory, products ? 0 : array_of<kernels::Magnitudes>(count_)));
  }
  kernels::SlotFacts* facts(char* memory) const {
    return reinterpret_cast<kernels::SlotFacts*>(at(memory, 2 * array_of<kernels::Magnitudes>(count_)));
  }

  // On a thread of CUDA's.
  void find() noexcept {
    const FloatEnvironment environment;
    visit_compute(compute_, [&]<class C>(std::type_identity<C>) {
      C const* const filters = reinterpret_cast<C const*>(at(host_.data(), bytes_));
      C* const columns = reinterpret_cast<C*>(at(host_.data(), columns_at_));
      C* const rows = reinterpret_cast<C*>(at(host_.data(), rows_at_));
      for (std::int64_t f = 0; f < count_; ++f) {
        const bool product =
            factorise(filters + f * lines_ * taps_, lines_, taps_, columns + f * lines_, rows + f * taps_);
        marks(host_.data(), true)[f].not_finite = product ? 1 : 0;
        marks(host_.data(), false)[f].not_finite = product ? 0 : 1;
      }
    });
  }

  Type compute_;
  std::int64_t count_, lines_, taps_;
  double columns_at_, rows_at_, bytes_;  // in the memory of both; behind that the host has the filters' taps
  PinnedMemory host_;
  PlanMemory memory_;  // destroyed first, when nothing is enqueued any more
};

// ---- the executor ------------------------------------------------------------------------------------------------
class TwoPassesOnDevice final : public Executor {
 public:
  TwoPassesOnDevice(Work const& w, std::int64_t budget, CudaDevice const& device, DeviceAllocator* allocator)
      : work_(w),
        along_(along_lines(w)),
        across_(across_lines(w)),
        strip_(passes_strip(w, budget)),
        device_(device),
        filters_(w, device, allocator),
        factors_(w, device, allocator) {
    check_cuda(kernels::load_image(w.compute_type()), "cudaFuncGetAttributes");
  }

  std::size_t own_bytes() const override { return filters_.bytes() + factors_.bytes(); }
  std::size_t scratch_bytes() const override {
    return static_cast<std::size_t>(saturating_multiply(saturating_multiply(strip_.images, image()),
                                                        static_cast<std::int64_t>(size_of(work_.compute_type()))));
  }

  void set_filter(Input const& filter, std::int64_t count, Means const& means) override {
    filters_.set(filter, count, means);
    factors_.set(filters_.view(), count, means.stream);
  }

  void run(Input const& signal, Output const& out, Part const& part, Means const& means) override {
    // Where outputs are kept with a step, a strip begins at one that is.
    const std::int64_t end = part.row + part.rows, step = rounded_up(strip_.outputs, out.every);
    for (Part some = part; some.row < end; some.row += some.rows) {
      some.rows = std::min(strip_.images, end - some.row);
      for (std::int64_t line = 0; line < work_.lines.outputs; line += strip_.lines)
        for (std::int64_t o = 0; o < part.outputs; o += step) {
          some.first = part.first + o, some.outputs = std::min(strip_.outputs, part.outputs - o);
          convolve(signal, at_line(advanced(out, o / out.every * out.stride), line), some, line, means);
        }
    }
    kernels::Image others =
        sums_of_images(work_, {in_parts(signal), in_parts(out), work_.loops, part}, filters_.view().taps);
    others.marked = factors_.marked(false);
    enqueue_sums(others, work_, device_, means.stream);
  }

 private:
  // Elements between the passes, of an image.
  std::int64_t image() const { return saturating_multiply(work_.lines.met_by(strip_.lines), strip_.outputs); }

  // Outputs of a part in a strip's lines from `line` on. `out`: where the first of them goes.
  void convolve(Input const& signal, Output const& out, Part const& part, std::int64_t line, Means const& means) {
    const std::int64_t lines = std::min(strip_.lines, work_.lines.outputs - line), filters = work_.loops.inner.count;
    Work along = along_, across = across_;
    along.lines.first += line * work_.lines.step;
    along.lines.outputs = across.lines.signal = work_.lines.met_by(lines);
    across.lines.outputs = lines;

    const Output between = advanced(Output{.data = means.scratch,
                                           .type = work_.compute_type(),
                                           .outer = filters * image(),
                                           .inner = image(),
                                           .line = strip_.outputs},
                                    -part.row * image());
    enqueue(sums_of_images(along, {signal, between, work_.loops, part}, factors_.rows()), means.stream);

    const Input sums{.data = between.data,
                     .type = between.type,
                     .outer = between.outer,
                     .inner = between.inner,
                     .line = between.line};
    const Part all{.row = part.row, .rows = part.rows, .samples = part.outputs, .first = 0, .outputs = part.outputs};
    enqueue(sums_of_images(across, {sums, out, work_.loops, all}, factors_.columns()), means.stream);
  }
  void enqueue(kernels::Image pass, Stream stream) {
    pass.marked = factors_.marked(true);
    enqueue_sums(pass, work_, device_, stream);
  }

  Work work_, along_, across_;
  PassesStrip strip_;
  CudaDevice const& device_;
  DeviceFilters filters_;
  Factors factors_;
};

}  // namespace

PassesStrip passes_strip(Work const& w, std::int64_t budget) {
  const std::int64_t width = tile_width(w.compute_type()), all = w.lines.outputs, step = w.lines.step;
  const std::int64_t elements = budget / static_cast<std::int64_t>(size_of(w.compute_type()));
  const std::int64_t reach = std::max<std::int64_t>(w.lines.filter, kernels::kImageTileLines);
  const std::int64_t least = std::min(all, (reach + step - 1) / step);
  const std::int64_t fitting = rounded_down(elements / w.lines.met_by(least), width);
  PassesStrip out{.images = 1, .lines = least, .outputs = std::min(std::max(fitting, width), w.axis.outputs)};
  if (out.outputs < w.axis.outputs) return out;
  out.outputs = rounded_up(w.axis.outputs, width);  // lines begin where a warp's accesses do
  const std::int64_t lines = (elements / out.outputs - w.lines.filter) / step + 1;
  if (lines < all) {
    out.lines =
        std::max(least, lines > kernels::kImageTileLines ? rounded_down(lines, kernels::kImageTileLines) : lines);
    return out;
  }
  out.lines = all;
  out.images = std::clamp<std::int64_t>(elements / (w.lines.met_by(all) * out.outputs), 1, w.rows());
  return out;
}

std::unique_ptr<Executor> make_two_passes(Work const& w, std::int64_t budget, CudaDevice const& device,
                                          DeviceAllocator* allocator) {
  return std::make_unique<TwoPassesOnDevice>(w, budget, device, allocator);
}

}  // namespace gpuconv::detail

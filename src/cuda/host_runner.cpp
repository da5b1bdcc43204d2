// Plans on the GPU for arrays in host memory: a pipeline of pieces, each staged in pinned memory, so that transfers in
// both directions and the work overlap, and batches need not fit into device memory.
#include "host_runner.hpp"

#include "copy.hpp"
#include "filters.hpp"
#include "host_copy.hpp"
#include "pieces.hpp"

#include "../core/thread_pool.hpp"

#include <algorithm>
#include <vector>

namespace gpuconv::detail {
namespace {

constexpr int kLanes = 3;  // pieces under way: one comes, one is worked on, one goes

std::int64_t bytes_of(Type type) { return static_cast<std::int64_t>(size_of(type)); }

class HostRunner final : public Runner {
 public:
  HostRunner(Work const& w, Resources const& r, Answer const& offer)
      : device_(current_device()), allocator_(r.allocator), threads_(r.most_threads()), pieces_(pieces_of(w)) {
    executor_ = offer.executor(work_of_pieces(w, pieces_), r);
    const auto in_bytes = static_cast<std::size_t>(pieces_.rows * pieces_.samples * bytes_of(w.signal_type));
    const auto out_bytes =
        static_cast<std::size_t>(pieces_.rows * filters_of(w) * pieces_.outputs * bytes_of(w.result_type));
    const double in = aligned_bytes(static_cast<double>(in_bytes)), out = aligned_bytes(static_cast<double>(out_bytes));
    out_at_ = static_cast<std::size_t>(in);
    scratch_at_ = static_cast<std::size_t>(in + out);
    const double lane_bytes = in + out + static_cast<double>(executor_->scratch_bytes());
    // An executor that prepares signals in every run has room for those of one.
    const std::int64_t most = offer.parameters.exchanged ? 1 : kLanes;
    lanes_.resize(static_cast<std::size_t>(std::min(most, pieces_.count)));
    for (Lane& lane : lanes_) {
      lane.memory = PlanMemory(lane_bytes, device_, r.allocator);
      lane.in = PinnedMemory(in_bytes);
      lane.out = PinnedMemory(out_bytes);
    }
    start_workers(threads_);
  }

  void set_filter(HostInput filter) override {
    const OnDevice on(device_.index);
    const BesideCaptures beside;
    drained_if_it_fails([&] {
      const Stream stream = lanes_[0].stream.get();
      const UploadedFilter uploaded(filter, stream, allocator_);
      executor_->set_filter(filter_of(uploaded.access()), work.filters(),
                            {lanes_[0].memory.data() + scratch_at_, stream});
      check_cuda(cudaStreamSynchronize(stream.handle()), "cudaStreamSynchronize");
    });
  }

  void execute(HostInput signal, HostOutput out) override {
    const OnDevice on(device_.index);
    const BesideCaptures beside;
    drained_if_it_fails([&] {
      const auto lanes = static_cast<std::int64_t>(lanes_.size());
      for (std::int64_t i = 0; i < pieces_.count + lanes; ++i) {
        Lane& lane = lanes_[static_cast<std::size_t>(i % lanes)];
        if (i >= lanes) finish(lane, i - lanes, out);
        if (i < pieces_.count) start(lane, i, signal);
      }
    });
  }

  std::size_t workspace_bytes() const override {
    std::size_t sum = executor_->own_bytes();
    for (Lane const& lane : lanes_) sum += lane.memory.bytes() + lane.in.bytes() + lane.out.bytes();
    return sum;
  }

 private:
  struct Lane {
    PlanMemory memory;  // samples, outputs, scratch
    PinnedMemory in, out;
    OwnStream stream;  // destroyed first, after its work
  };

  // No error leaves work behind that the next call would meet.
  template <class F>
  void drained_if_it_fails(F enqueue) const {
    try {
      enqueue();
    } catch (...) {
      for (Lane const& lane : lanes_) static_cast<void>(cudaStreamSynchronize(lane.stream.get()));
      throw;
    }
  }

  static std::int64_t filters_of(Work const& w) { return w.loops.inner.count; }  // for each row of the signal

  struct Span {
    std::int64_t row, rows;        // of the signal
    std::int64_t output, outputs;  // of each row; of images of all lines
    std::int64_t sample, samples;  // that those need
  };

  Span span_of(std::int64_t piece) const {
    Axis const& axis = work.axis;
    Span s{};
    s.row = piece / pieces_.segments * pieces_.rows;
    s.rows = std::min(pieces_.rows, work.loops.outer.count - s.row);
    s.output = piece % pieces_.segments * pieces_.outputs;
    s.outputs = std::min(pieces_.outputs, work.outputs() - s.output);
    if (pieces_.segments == 1) return s.samples = work.samples(), s;
    const std::int64_t k = axis.first + s.output * axis.step;  // index within the full convolution
    const std::int64_t end = k + (s.outputs - 1) * axis.step + 1;
    s.sample = k - axis.filter + 1;
    if (work.extension.is_zero()) {  // without the samples that are not there, but at least one
      s.sample = std::clamp<std::int64_t>(s.sample, 0, axis.signal - 1);
      s.samples = std::max<std::int64_t>(1, std::min(axis.signal, end) - s.sample);
    } else {
      s.samples = end - s.sample;
    }
    return s;
  }

  // Samples [first, first + count) of a row that goes on beyond its ends.
  void copy_extended(HostInput const& signal, std::int64_t row, std::int64_t first, std::int64_t count,
                     char* to) const {
    const std::int64_t size = work.axis.signal, element = bytes_of(work.signal_type);
    char const* const from = static_cast<char const*>(signal.data()) + row * signal.stride() * element;
    const std::int64_t step = signal.element_stride();
    const auto beyond = [&](std::int64_t begin, std::int64_t end) {
      visit_part(work.signal_type, [&]<class P>(std::type_identity<P>) {
        const int parts = parts_of(work.signal_type);
        const P constant[2] = {static_cast<P>(work.extension.constant), P{}};
        for (std::int64_t i = begin; i < end; ++i) {
          const std::int64_t at = extended_index(work.extension.boundary, first + i, size);
          P const* const sample = at < 0 ? constant : reinterpret_cast<P const*>(from) + at * step * parts;
          std::copy_n(sample, parts, reinterpret_cast<P*>(to) + i * parts);
        }
      });
    };
    const std::int64_t begin = std::clamp<std::int64_t>(-first, 0, count), end = std::clamp(size - first, begin, count);
    beyond(0, begin);
    if (begin < end)  // else the row is far away
      copy_on_host({to + begin * element, 0, element}, {from + (first + begin) * step * element, 0, step * element}, 1,
                   end - begin, element, threads_);
    beyond(end, count);
  }

  void start(Lane& lane, std::int64_t piece, HostInput const& signal) {
    const Span s = span_of(piece);
    const std::int64_t element = bytes_of(work.signal_type), width = s.samples * element;
    const bool extended = pieces_.segments > 1 && !work.extension.is_zero();
    if (extended) {
      copy_extended(signal, s.row, s.sample, s.samples, static_cast<char*>(lane.in.data()));
    } else {
      const std::int64_t step = signal.element_stride(), lines = work.lines.signal;
      const char* const from =
          static_cast<char const*>(signal.data()) + (s.row * signal.stride() + s.sample * step) * element;
      copy_on_host({lane.in.data(), width, width / lines, element},
                   {from, signal.stride() * element, signal.line_stride() * element, step * element},
                   {s.rows, lines, s.samples / lines}, element, threads_);
    }

    cudaStream_t stream = lane.stream.get();
    char* const memory = lane.memory.data();
    copy_rows({memory, width}, {lane.in.data(), width}, s.rows, width, cudaMemcpyHostToDevice, stream);
    // A piece's rows are those of the whole work, from s.row on.
    Input in = advanced(
        Input{.data = memory, .type = work.signal_type, .outer = s.samples, .line = s.samples / work.lines.signal},
        -s.row * s.samples);
    if (!extended) in = signal_of(in);
    const std::int64_t filters = filters_of(work), out_row = s.row * filters, out_rows = s.rows * filters;
    const Output out = out_of(advanced(Output{.data = memory + out_at_,
                                              .type = work.result_type,
                                              .outer = s.outputs,
                                              .line = s.outputs / work.lines.outputs},
                                       -out_row * s.outputs));
    const Part part{.row = out_row,
                    .rows = out_rows,
                    .samples = s.samples / work.lines.signal,
                    .first = work.axis.first + s.output * work.axis.step - s.sample,
                    .outputs = s.outputs / work.lines.outputs};
    executor_->run(in, out, part, {memory + scratch_at_, Stream(stream)});
    const std::int64_t result = s.outputs * bytes_of(work.result_type);
    copy_rows({lane.out.data(), result}, {memory + out_at_, result}, out_rows, result, cudaMemcpyDeviceToHost, stream);
  }

  void finish(Lane& lane, std::int64_t piece, HostOutput const& out) {
    if (piece >= pieces_.count) return;
    check_cuda(cudaStreamSynchronize(lane.stream.get()), "cudaStreamSynchronize");
    const Span s = span_of(piece);
    const std::int64_t element = bytes_of(work.result_type), width = s.outputs * element;
    const std::int64_t filters = filters_of(work), step = out.element_stride(), lines = work.lines.outputs;
    char* const to = static_cast<char*>(out.data()) + (s.row * filters * out.stride() + s.output * step) * element;
    copy_on_host({to, out.stride() * element, out.line_stride() * element, step * element},
                 {lane.out.data(), width, width / lines, element}, {s.rows * filters, lines, s.outputs / lines},
                 element, threads_);
  }

  CudaDevice const& device_;
  DeviceAllocator* allocator_;
  int threads_;
  Pieces pieces_;
  std::unique_ptr<Executor> executor_;
  std::size_t out_at_ = 0, scratch_at_ = 0;  // in a lane's memory
  std::vector<Lane> lanes_;
};

}  // namespace

std::unique_ptr<Runner> make_host_runner(Work const& w, Resources const& r, Answer const& offer) {
  return std::make_unique<HostRunner>(w, r, offer);
}

}  // namespace gpuconv::detail

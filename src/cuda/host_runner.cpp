// Plans on the GPU for arrays in host memory: a pipeline of pieces, each staged in pinned memory, so that transfers in
// both directions and the work overlap, and batches need not fit into device memory.
#include "host_runner.hpp"

#include "copy.hpp"
#include "filters.hpp"
#include "pieces.hpp"

#include "../core/thread_pool.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace gpuconv::detail {
namespace {

constexpr int kLanes = 3;                     // pieces under way: one comes, one is worked on, one goes
constexpr std::int64_t kCopyBytes = 1 << 20;  // that a thread copies at a time

std::int64_t bytes_of(Type type) { return static_cast<std::int64_t>(size_of(type)); }

/// Copies rows of bytes within host memory.
void copy_on_host(ByteRows<void> to, ByteRows<void const> from, std::int64_t rows, std::int64_t width, int threads) {
  const std::int64_t together = std::clamp<std::int64_t>(kCopyBytes / width, 1, rows);  // rows of a task
  const std::int64_t parts = (width + kCopyBytes - 1) / kCopyBytes;                     // of a row
  const auto task = [&](std::int64_t i, int) {
    const std::int64_t begin = i / parts * together, end = std::min(rows, begin + together);
    const std::int64_t at = i % parts * kCopyBytes, bytes = std::min(kCopyBytes, width - at);
    for (std::int64_t r = begin; r < end; ++r)
      std::memcpy(static_cast<char*>(to.data) + r * to.stride + at,
                  static_cast<char const*>(from.data) + r * from.stride + at, static_cast<std::size_t>(bytes));
  };
  const std::int64_t tasks = parts * ((rows + together - 1) / together);
  parallel_for(tasks, static_cast<int>(std::min<std::int64_t>(threads, tasks)), task);
}

class HostRunner final : public Runner {
 public:
  HostRunner(Work const& w, Resources const& r, Answer const& offer)
      : device_(current_device()), allocator_(r.allocator), threads_(r.most_threads()), pieces_(pieces_of(w)) {
    executor_ = offer.make(work_of_pieces(w, pieces_), r, offer.parameters);
    const auto in_bytes = static_cast<std::size_t>(pieces_.rows * pieces_.samples * bytes_of(w.signal_type));
    const auto out_bytes = static_cast<std::size_t>(pieces_.rows * pieces_.outputs * bytes_of(w.result_type));
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
    drained_if_it_fails([&] {
      const Stream stream = lanes_[0].stream.get();
      const UploadedFilter uploaded(filter, stream, allocator_);
      executor_->set_filter(uploaded.access(), work.filters(), {lanes_[0].memory.data() + scratch_at_, stream});
      check_cuda(cudaStreamSynchronize(stream.handle()), "cudaStreamSynchronize");
    });
  }

  void execute(HostInput signal, HostOutput out) override {
    const OnDevice on(device_.index);
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

  struct Span {
    std::int64_t row, rows;
    std::int64_t output, outputs;  // of each row
    std::int64_t sample, samples;  // that those need
  };

  Span span_of(std::int64_t piece) const {
    Axis const& axis = work.axis;
    Span s{};
    s.row = piece / pieces_.segments * pieces_.rows;
    s.rows = std::min(pieces_.rows, work.rows() - s.row);
    s.output = piece % pieces_.segments * pieces_.outputs;
    s.outputs = std::min(pieces_.outputs, axis.outputs - s.output);
    if (pieces_.segments == 1) return s.samples = axis.signal, s;
    const std::int64_t k = axis.first + s.output;  // index within the full convolution
    s.sample = std::max<std::int64_t>(0, k - axis.filter + 1);
    s.samples = std::min(axis.signal, k + s.outputs) - s.sample;
    return s;
  }

  void start(Lane& lane, std::int64_t piece, HostInput const& signal) {
    const Span s = span_of(piece);
    const std::int64_t element = bytes_of(work.signal_type), width = s.samples * element;
    const char* const from = static_cast<char const*>(signal.data()) + (s.row * signal.stride() + s.sample) * element;
    copy_on_host({lane.in.data(), width}, {from, signal.stride() * element}, s.rows, width, threads_);

    cudaStream_t stream = lane.stream.get();
    char* const memory = lane.memory.data();
    copy_rows({memory, width}, {lane.in.data(), width}, s.rows, width, cudaMemcpyHostToDevice, stream);
    // A piece's rows are those of the whole work, from s.row on.
    const Input in = advanced(Input{.data = memory, .type = work.signal_type, .outer = s.samples}, -s.row * s.samples);
    const Output out =
        advanced(Output{.data = memory + out_at_, .type = work.result_type, .outer = s.outputs}, -s.row * s.outputs);
    const Part part{.row = s.row,
                    .rows = s.rows,
                    .samples = s.samples,
                    .first = work.axis.first + s.output - s.sample,
                    .outputs = s.outputs};
    executor_->run(in, out, part, {memory + scratch_at_, Stream(stream)});
    const std::int64_t result = s.outputs * bytes_of(work.result_type);
    copy_rows({lane.out.data(), result}, {memory + out_at_, result}, s.rows, result, cudaMemcpyDeviceToHost, stream);
  }

  void finish(Lane& lane, std::int64_t piece, HostOutput const& out) {
    if (piece >= pieces_.count) return;
    check_cuda(cudaStreamSynchronize(lane.stream.get()), "cudaStreamSynchronize");
    const Span s = span_of(piece);
    const std::int64_t element = bytes_of(work.result_type), width = s.outputs * element;
    char* const to = static_cast<char*>(out.data()) + (s.row * out.stride() + s.output) * element;
    copy_on_host({to, out.stride() * element}, {lane.out.data(), width}, s.rows, width, threads_);
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

// Plans on the GPU for arrays in host memory: a pipeline of pieces, each staged in pinned memory, so that transfers in
// both directions and the work overlap, and batches need not fit into device memory.
#include "copy.hpp"
#include "method.hpp"

#include "../cpu/thread_pool.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace gpuconv::detail {
namespace {

constexpr int kLanes = 3;                                     // pieces under way: one comes, one is worked on, one goes
constexpr std::int64_t kPieceBytes = std::int64_t{16} << 20;  // in and out: pinning memory takes its time
constexpr std::int64_t kPartOfMemory = 64;    // pieces are no larger than one such part of what the device has
constexpr std::int64_t kCopyBytes = 1 << 20;  // that a thread copies at a time
constexpr std::int64_t kLeastOutputs = 1024;

std::int64_t bytes_of(Type type) { return static_cast<std::int64_t>(size_of(type)); }

/// How the batch is cut: pieces of whole rows or, where not even one row fits, of a row's outputs.
struct Cut {
  std::int64_t rows;      // of a piece
  std::int64_t outputs;   // of a row, in a piece
  std::int64_t samples;   // of a row that those need, at most
  std::int64_t segments;  // of a row
  std::int64_t count;     // pieces
};

std::int64_t piece_bytes() {
  std::size_t free = 0, total = 0;
  check_cuda(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  // Not of what is free: where rows are cut, and so their bits, must not depend on what else the device is doing.
  return std::min(kPieceBytes, static_cast<std::int64_t>(total) / kPartOfMemory);
}

Cut cut(Geometry const& g, std::int64_t budget) {
  const std::int64_t in = bytes_of(g.signal_type), out = bytes_of(g.result_type);
  if (const std::int64_t row = g.signal * in + g.length * out; row <= budget) {
    const std::int64_t rows = std::clamp<std::int64_t>(budget / row, 1, g.batch);
    return {rows, g.length, g.signal, 1, (g.batch + rows - 1) / rows};
  }
  // At least as many outputs as taps, or pieces would mostly consist of what neighbours have too.
  const std::int64_t fitting = (budget - (g.filter - 1) * in) / (in + out);
  const std::int64_t outputs = std::min(g.length, std::max({fitting, g.filter, kLeastOutputs}));
  const std::int64_t segments = (g.length + outputs - 1) / outputs;
  return {1, outputs, std::min(g.signal, outputs + g.filter - 1), segments, saturating_multiply(g.batch, segments)};
}

/// The problem that the method is made for: any piece of the batch.
Geometry part_of(Geometry const& g, Cut const& c) {
  Geometry part = g;
  part.batch = c.rows;
  if (c.segments > 1) {
    part.signal = c.outputs + g.filter - 1;  // room for a window of every output
    part.first = g.filter - 1;
    part.length = c.outputs;
  }
  return part;
}

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

class HostExecutor final : public Executor {
 public:
  HostExecutor(Geometry const& g, Resources const& r, MakeMethod const& make)
      : g_(g), device_(current_device()), allocator_(r.allocator), cut_(cut(g, piece_bytes())) {
    threads = r.threads;
    method_ = make(part_of(g, cut_), device_, r.allocator);
    const auto in_bytes = static_cast<std::size_t>(cut_.rows * cut_.samples * bytes_of(g.signal_type));
    const auto out_bytes = static_cast<std::size_t>(cut_.rows * cut_.outputs * bytes_of(g.result_type));
    const double in = aligned_bytes(static_cast<double>(in_bytes)), out = aligned_bytes(static_cast<double>(out_bytes));
    out_at_ = static_cast<std::size_t>(in);
    scratch_at_ = static_cast<std::size_t>(in + out);
    const double lane_bytes = in + out + static_cast<double>(method_->scratch_bytes());
    lanes_.resize(static_cast<std::size_t>(std::min<std::int64_t>(kLanes, cut_.count)));
    for (Lane& lane : lanes_) {
      lane.memory = PlanMemory(lane_bytes, device_, r.allocator);
      lane.in = PinnedMemory(in_bytes);
      lane.out = PinnedMemory(out_bytes);
    }
    start_workers(threads);
  }

  void set_filter(HostInput filter) override {
    const OnDevice on(device_.index);
    drained_if_it_fails([&] {
      cudaStream_t stream = lanes_[0].stream.get();
      const UploadedFilter uploaded(filter, stream, allocator_);
      method_->set_filter(uploaded.input(), lanes_[0].memory.data() + scratch_at_, stream);
      check_cuda(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
    });
  }

  void execute(HostInput signal, HostOutput out) override {
    const OnDevice on(device_.index);
    drained_if_it_fails([&] {
      const auto lanes = static_cast<std::int64_t>(lanes_.size());
      for (std::int64_t i = 0; i < cut_.count + lanes; ++i) {
        Lane& lane = lanes_[static_cast<std::size_t>(i % lanes)];
        if (i >= lanes) finish(lane, i - lanes, out);
        if (i < cut_.count) start(lane, i, signal);
      }
    });
  }

  std::size_t workspace_bytes() const override {
    std::size_t sum = method_->own_bytes();
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
  void drained_if_it_fails(F work) const {
    try {
      work();
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
    Span s{};
    s.row = piece / cut_.segments * cut_.rows;
    s.rows = std::min(cut_.rows, g_.batch - s.row);
    s.output = piece % cut_.segments * cut_.outputs;
    s.outputs = std::min(cut_.outputs, g_.length - s.output);
    if (cut_.segments == 1) return s.samples = g_.signal, s;
    const std::int64_t k = g_.first + s.output;  // index within the full convolution
    s.sample = std::max<std::int64_t>(0, k - g_.filter + 1);
    s.samples = std::min(g_.signal, k + s.outputs) - s.sample;
    return s;
  }

  void start(Lane& lane, std::int64_t piece, HostInput const& signal) {
    const Span s = span_of(piece);
    const std::int64_t element = bytes_of(g_.signal_type), width = s.samples * element;
    const char* const from = static_cast<char const*>(signal.data()) + (s.row * signal.stride() + s.sample) * element;
    copy_on_host({lane.in.data(), width}, {from, signal.stride() * element}, s.rows, width, threads);

    cudaStream_t stream = lane.stream.get();
    char* const memory = lane.memory.data();
    copy_rows({memory, width}, {lane.in.data(), width}, s.rows, width, cudaMemcpyHostToDevice, stream);
    const Piece part{.first_row = s.row, .rows = s.rows, .first = g_.first + s.output - s.sample, .length = s.outputs};
    method_->run({memory, g_.signal_type, s.samples, s.samples}, {memory + out_at_, g_.result_type, s.outputs}, part,
                 memory + scratch_at_, stream);
    const std::int64_t result = s.outputs * bytes_of(g_.result_type);
    copy_rows({lane.out.data(), result}, {memory + out_at_, result}, s.rows, result, cudaMemcpyDeviceToHost, stream);
  }

  void finish(Lane& lane, std::int64_t piece, HostOutput const& out) {
    if (piece >= cut_.count) return;
    check_cuda(cudaStreamSynchronize(lane.stream.get()), "cudaStreamSynchronize");
    const Span s = span_of(piece);
    const std::int64_t element = bytes_of(g_.result_type), width = s.outputs * element;
    char* const to = static_cast<char*>(out.data()) + (s.row * out.stride() + s.output) * element;
    copy_on_host({to, out.stride() * element}, {lane.out.data(), width}, s.rows, width, threads);
  }

  Geometry g_;
  CudaDevice const& device_;
  DeviceAllocator* allocator_;
  Cut cut_;
  std::unique_ptr<CudaMethod> method_;
  std::size_t out_at_ = 0, scratch_at_ = 0;  // in a lane's memory
  std::vector<Lane> lanes_;
};

}  // namespace

std::unique_ptr<Executor> make_host_executor(Geometry const& g, Resources const& r, MakeMethod const& make) {
  return std::make_unique<HostExecutor>(g, r, make);
}

}  // namespace gpuconv::detail

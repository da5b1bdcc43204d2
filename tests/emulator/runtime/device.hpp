// The device behind the stand-in runtime: its memory and its streams. Nothing here is a CUDA call; those are in the
// .cpp files beside this one.
//
// Streams are lazy: work is executed when somebody waits for it, the latest moment that CUDA's contract allows. To
// ThreadSanitizer each stream is a thread of its own, ordered after the call that enqueued, after events that it waited
// for, and before whoever waits for it: so it sees a missing wait even where the order happened to be right.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "../control.hpp"
#include "../simt/agent.hpp"

struct CUstream_st;
struct CUevent_st;

namespace standin {

using StreamPointer = std::shared_ptr<CUstream_st>;

/// Everything that was enqueued in the stream up to some moment.
struct Point {
  StreamPointer stream;
  std::int64_t ticket = 0;
};

struct Operation {
  std::function<void()> work;          ///< the device's part; may be empty
  std::function<void()> before;        ///< bookkeeping just before it, the host's part; may be empty
  std::vector<Point> prerequisites{};  ///< what other streams have to do first
};

struct Allocation {
  std::size_t bytes = 0;
  bool on_device = false;
  bool ready = true;       ///< false until the stream that allocates gets there
  bool elsewhere = false;  ///< on a second device
  bool freed = false;      ///< in the order of a stream that has not got there
};

}  // namespace standin

/// The work that was enqueued while a stream was captured.
struct CUgraph_st {
  std::vector<standin::Operation> operations{};
};
struct CUgraphExec_st : CUgraph_st {};

struct CUstream_st {
  std::unique_ptr<CUgraph_st> captured{};  ///< null while the stream is not captured
  unsigned flags = 0;
  int priority = 0;
  std::deque<std::unique_ptr<const standin::Operation>> queue{};
  std::int64_t enqueued = 0, completed = 0;
  simt::Agent agent{};  ///< who does the work, to the race detector
  /// Work that has been executed. The agent has read it, so it is freed by whoever has waited for the stream.
  std::vector<std::unique_ptr<const standin::Operation>> done{};

  bool waits_for_default_stream() const { return (flags & cudaStreamNonBlocking) == 0; }
};

struct CUevent_st {
  unsigned flags = 0;
  bool recorded = false;
  standin::Point point{};
  std::shared_ptr<double> milliseconds{};  ///< when the device came to it
};

namespace standin {

class Device {
 public:
  static Device& instance();

  std::recursive_mutex mutex;  ///< held by whoever calls anything below

  // ---- memory (memory.cpp) ----
  static constexpr std::size_t alignment = 256;
  /// Null where the device, or for pinned memory the machine, has no more.
  void* allocate(std::size_t bytes, bool on_device);
  void free(void* p);
  /// The same in the stream's order.
  void* allocate(std::size_t bytes, const StreamPointer& stream);
  bool free(void* p, const StreamPointer& stream);  ///< false if it has been freed
  /// The allocation that holds all these bytes, which may be none at its end; null if there is none.
  const Allocation* find(const void* p, std::size_t bytes) const;
  /// The allocation that begins there.
  const Allocation* find_start(const void* p) const;
  bool is_device_memory(const void* p, std::size_t bytes) const;
  void move_elsewhere(const void* p);

  // ---- streams (streams.cpp) ----
  StreamPointer create_stream(unsigned flags, int priority);
  void destroy_stream(cudaStream_t handle);
  /// Null if there is no such stream. 0 and cudaStreamLegacy are the default stream; cudaStreamPerThread is, too.
  StreamPointer stream(cudaStream_t handle) const;
  /// The default stream, for what is no use of it by a call.
  const StreamPointer& default_stream() const { return default_stream_; }
  void enqueue(const StreamPointer& stream, Operation operation);
  Point now(const StreamPointer& stream) const { return {stream, stream->enqueued}; }
  static bool is_complete(const Point& point) { return point.stream->completed >= point.ticket; }
  /// Whether the device has come to the point. If not, one operation is executed: who asks in a loop gets there.
  bool reached(const Point& point);
  /// Executes up to the point; the calling thread then comes after it.
  void wait(const Point& point);
  /// The same for all of a stream's work; for the default stream also that of streams which it waits for.
  void wait_for_stream(const StreamPointer& stream);
  void wait_for_all();

  std::set<CUevent_st*> events;
  std::map<const void*, std::size_t> dynamic_shared;  ///< what kernels have opted in to
  std::set<const void*> loaded;                       ///< kernels

  // ---- controls (control.cpp) ----
  Machine machine = Machine::present;
  std::size_t memory_bytes = default_memory_bytes;
  std::size_t used_bytes = 0;
  int multiprocessors = default_multiprocessors;
  bool pageable_access = false, memory_pools = true, capture_elsewhere = false;
  std::int64_t broken_captures = 0, lazy_launches = 0;
  std::int64_t plans = 0;  ///< live ones of cuFFT
  std::map<std::string, std::int64_t, std::less<>> calls;
  std::int64_t calls_until_failure = 0;
  std::string failing_name;
  int failing_error = 0;

  static constexpr std::size_t default_memory_bytes = std::size_t{1} << 30;
  static constexpr int default_multiprocessors = 4;

 private:
  friend std::int64_t standin::live_allocations();
  friend std::int64_t standin::live_handles();
  friend std::int64_t standin::pending_operations();
  class Turn;

  static void come_after(const StreamPointer& stream);
  void execute_until(const Point& point);
  void execute_next(const StreamPointer& stream);
  void release_memory(void* p, std::size_t bytes) const;

  std::map<const char*, Allocation> allocations_;
  StreamPointer default_stream_ = std::make_shared<CUstream_st>();
  std::map<cudaStream_t, StreamPointer> handles_;
  /// Destroyed ones, too, while they have work; the default stream first.
  std::vector<StreamPointer> streams_{default_stream_};
  int turns_ = 0;
};

/// Whether the call breaks another thread's capture. Noted.
bool breaks_capture(Device& device, std::string_view name);
/// The same of a call on the stream.
bool breaks_capture(Device& device, cudaStream_t stream);

/// Notes the call. What it has to answer instead of doing its work: 0, or the machine's error, or the one that a test
/// has asked for. A call whose likely error is 0 cannot be made to fail.
int refusal(Device& device, const char* name, int likely_error, int without_driver, int without_device);

/// A call of the runtime: noted, perhaps made to fail, its error kept as the thread's last error.
cudaError_t keep_error(cudaError_t error);
template <class Body>
cudaError_t call(const char* name, cudaError_t likely_error, Body body) {
  Device& device = Device::instance();
  const std::lock_guard lock(device.mutex);
  const int refused = refusal(device, name, likely_error, cudaErrorInsufficientDriver, cudaErrorNoDevice);
  if (refused == 0 && breaks_capture(device, name)) return keep_error(cudaErrorStreamCaptureUnsupported);
  return keep_error(refused != 0 ? static_cast<cudaError_t>(refused) : body(device));
}

}  // namespace standin

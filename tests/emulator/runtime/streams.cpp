// When enqueued work is executed, and what orders it: see device.hpp.
#include <algorithm>
#include <utility>

#include "../simt/sanitizers.hpp"
#include "../simt/scheduler.hpp"
#include "device.hpp"
#include "turn.hpp"

namespace standin {

Device& Device::instance() {
  static Device& device = *new Device;  // never destroyed: static objects may own device memory
  return device;
}

StreamPointer Device::create_stream(unsigned flags, int priority) {
  auto stream = std::make_shared<CUstream_st>();
  stream->flags = flags;
  stream->priority = priority;
  handles_[stream.get()] = stream;
  streams_.push_back(stream);
  return stream;
}

void Device::destroy_stream(cudaStream_t handle) { handles_.erase(handle); }

StreamPointer Device::stream(cudaStream_t handle) const {
  if (handle == nullptr || handle == cudaStreamLegacy || handle == cudaStreamPerThread) return default_stream_;
  const auto it = handles_.find(handle);
  return it == handles_.end() ? nullptr : it->second;
}

void Device::enqueue(const StreamPointer& stream, Operation operation) {
  if (stream->captured) return stream->captured->operations.push_back(std::move(operation));
  const auto require = [&operation](const StreamPointer& other) {
    if (other->enqueued != 0) operation.prerequisites.push_back({other, other->enqueued});
  };
  if (stream == default_stream_) {
    for (const StreamPointer& other : streams_)
      if (other != stream && other->waits_for_default_stream()) require(other);
  } else if (stream->waits_for_default_stream()) {
    require(default_stream_);
  }
  stream->queue.push_back(std::make_unique<const Operation>(std::move(operation)));
  stream->agent.handover();
  ++stream->enqueued;
}

void Device::execute_next(const StreamPointer& stream) {
  const Operation& operation = *stream->done.emplace_back(std::move(stream->queue.front()));
  stream->queue.pop_front();
  for (const Point& point : operation.prerequisites) execute_until(point);
  if (operation.before) operation.before();
  std::vector<simt::Agent*> others;
  for (const Point& point : operation.prerequisites) others.push_back(&point.stream->agent);
  stream->agent.work(operation.work, others);
  ++stream->completed;
  if (!simt::under_tsan()) stream->done.clear();
}

void Device::execute_until(const Point& point) {
  while (!is_complete(point)) execute_next(point.stream);
}

/// The calling thread comes after all that the stream has done.
void Device::come_after(const StreamPointer& stream) {
  stream->agent.come_after();
  stream->done.clear();
}

bool Device::reached(const Point& point) {
  if (!is_complete(point)) {
    const Turn turn(*this);
    execute_next(point.stream);
    return false;
  }
  come_after(point.stream);
  return true;
}

void Device::wait(const Point& point) {
  {
    const Turn turn(*this);
    execute_until(point);
  }
  come_after(point.stream);
}

void Device::wait_for_stream(const StreamPointer& stream) {
  if (stream == default_stream_) enqueue(stream, {});  // waits for the others as any work in it does
  wait(now(stream));
}

void Device::wait_for_all() {
  {
    const Turn turn(*this);
    std::vector<StreamPointer> busy;
    const auto idle = [](const StreamPointer& stream) { return stream->queue.empty(); };
    std::copy_if(streams_.begin(), streams_.end(), std::back_inserter(busy), std::not_fn(idle));
    while (!busy.empty()) {  // streams take turns at random: what nothing orders may come in any order
      const std::size_t drawn = simt::random_below(static_cast<std::uint32_t>(busy.size()));
      if (!idle(busy[drawn])) execute_next(busy[drawn]);
      if (idle(busy[drawn])) busy.erase(busy.begin() + static_cast<std::ptrdiff_t>(drawn));
    }
  }
  for (const StreamPointer& stream : streams_) come_after(stream);
  std::erase_if(streams_, [this](const StreamPointer& stream) {
    return stream != default_stream_ && !handles_.contains(stream.get());
  });
}

}  // namespace standin

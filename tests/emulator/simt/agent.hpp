// Somebody who does work that others hand over: a stream. To ThreadSanitizer, where it is linked, the agent is a thread
// with a stack of its own; otherwise the work is simply done.
#pragma once

#include "fiber.hpp"

#include <functional>
#include <vector>

namespace simt {

class Agent {
 public:
  Agent() = default;
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  ~Agent();

  /// Comes after everything that was done before the calling thread's last handover() and before what the others did so
  /// far. The task, which may be empty, stays as it is until somebody has come after it.
  void work(const std::function<void()>& task, const std::vector<Agent*>& others);
  /// Orders the agent's next work after what the calling thread has done.
  void handover();
  /// Orders the calling thread after all that the agent has done.
  void come_after();

 private:
  [[noreturn]] static void main(void* self);

  Fiber fiber_{};
  const std::function<void()>* task_ = nullptr;
  const std::vector<Agent*>* others_ = nullptr;
  char clock_ = 0;  ///< its address stands for what the agent and those who hand over have done
};

/// The identity of the host thread that lets the calling agent work, or of the calling thread itself: whoever looks at
/// the runtime's own records does so as it.
void* host_identity();

}  // namespace simt

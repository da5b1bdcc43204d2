#include "agent.hpp"

#include "sanitizers.hpp"

namespace simt {
namespace {

thread_local void* host = nullptr;  // while an agent works

}  // namespace

Agent::~Agent() {
  if (fiber_.context) destroy_fiber(fiber_);
}

void Agent::work(const std::function<void()>& task, const std::vector<Agent*>& others) {
  if (!under_tsan()) {
    if (task) task();
    return;
  }
  task_ = &task;
  others_ = &others;
  host = identity();
  resume(fiber_);
  host = nullptr;
}

void Agent::main(void* self) {
  Agent& agent = *static_cast<Agent*>(self);
  fiber_began();
  for (;;) {
    acquire(&agent.clock_);
    for (Agent* other : *agent.others_) acquire(&other->clock_);
    if (*agent.task_) (*agent.task_)();
    release(&agent.clock_);
    suspend(agent.fiber_);
  }
}

void Agent::handover() {
  // Not made later: whoever makes a fiber orders it after itself.
  if (under_tsan() && !fiber_.context) make_fiber(fiber_, main, this);
  release(&clock_);
}
void Agent::come_after() { acquire(&clock_); }

void* host_identity() { return host ? host : identity(); }

}  // namespace simt

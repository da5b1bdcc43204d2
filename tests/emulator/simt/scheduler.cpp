// Compiled without sanitizers in every build: see sanitizers.hpp.
#include "scheduler.hpp"

#include "agent.hpp"
#include "async_copies.hpp"
#include "builtins.hpp"
#include "fiber.hpp"
#include "sanitizers.hpp"
#include "shared_memory.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace simt {
namespace {

constexpr unsigned max_threads = 1024;
// Shared memory that the race detector's view of blocks keeps alive within a launch.
constexpr std::size_t max_retired_bytes = 64 << 20;

enum class State { ready, at_block_barrier, at_warp_barrier, done };
enum class Meeting { barrier, exchange, ballot };

struct Thread : Fiber {
  uint3 index{};
  State state = State::done;
  unsigned resumed = 0;  ///< times in its block
  Site site{};
  Meeting meeting{};
  unsigned source = 0;      ///< of an exchange
  std::uint64_t value = 0;  ///< what the thread brings to a meeting, then what it takes from it
  AsyncCopies copies;
};

/// The threads that wait for one another. Its two addresses stand for it in turn to the race detector, so that the
/// threads of one generation have left an address before those of the next but one come to it.
struct Barrier {
  unsigned mask = 0;     ///< of a warp's barrier: who is meant
  unsigned arrived = 0;  ///< of a warp's barrier the lanes, of the block's the number
  unsigned generation = 0;
  std::array<char, 2> sync{};
  void* address() { return &sync[generation % 2]; }
};

struct Warp {
  unsigned live = 0;
  unsigned masks = 0;
  std::array<Barrier, warp_size> barriers;  ///< one a mask; masks of waiting lanes are disjoint, so there are enough
};

/// Fibers for the threads of a block. To the race detector two teams take blocks in turn: nothing orders what
/// neighbouring blocks do, and no block is charged with its predecessor's use of a stack.
struct Team {
  std::unique_ptr<Thread[]> threads = std::make_unique<Thread[]>(max_threads);
  std::array<Warp, max_threads / warp_size> warps;
  Barrier block;
  char begin = 0, end = 0;  ///< released by the launcher before a block, by threads that return
};

struct Scheduler {
  std::array<Team, 2> teams;
  Team* team = nullptr;
  Thread* current = nullptr;
  const Launch* launch = nullptr;
  unsigned threads = 0;  ///< of a block
  unsigned live = 0;
  std::vector<Thread*> ready;
  SharedMemory* shared = nullptr;  ///< of the launch
  std::uint64_t random = 1;
  Statistics statistics{};

  unsigned current_index() const { return static_cast<unsigned>(current - team->threads.get()); }
  Warp& current_warp() { return team->warps[current_index() / warp_size]; }
  Thread* lanes() { return current - current_index() % warp_size; }
};

// Never destroyed: kernels may run until the program ends.
Scheduler& scheduler() {
  static Scheduler& instance = *[] {
    auto* made = new Scheduler;
    const char* seed = std::getenv("GPUCONV_EMULATOR_SEED");
    made->ready.reserve(max_threads);
    made->random = (seed ? std::strtoull(seed, nullptr, 10) : 1) * 0x9e3779b97f4a7c15u | 1;
    return made;
  }();
  return instance;
}
Scheduler& s = scheduler();

void wake(Thread& thread) {
  thread.state = State::ready;
  s.ready.push_back(&thread);
}

bool same_place(Site a, Site b) { return a.line == b.line && (a.file == b.file || std::strcmp(a.file, b.file) == 0); }

// ---- block barriers ---------------------------------------------------------------------------------------------

/// Wakes the block if all threads that have not returned wait at the barrier.
void complete_block_barrier() {
  Barrier& barrier = s.team->block;
  if (s.live == 0 || barrier.arrived != s.live) return;
  const Thread* first = nullptr;
  std::uint64_t yes = 0;
  for (unsigned i = 0; i < s.threads; ++i) {
    const Thread& thread = s.team->threads[i];
    if (thread.state != State::at_block_barrier) continue;
    if (!first) first = &thread;
    if (!same_place(thread.site, first->site)) {
      threadIdx = thread.index;
      fail(thread.site, "divergent __syncthreads: other threads of the block wait at another one");
    }
    yes += thread.value;
  }
  for (unsigned i = 0; i < s.threads; ++i) {
    Thread& thread = s.team->threads[i];
    if (thread.state != State::at_block_barrier) continue;
    thread.value = std::uint64_t{barrier.arrived} << 32 | yes;
    wake(thread);
  }
  barrier.arrived = 0;
  ++barrier.generation;
}

// ---- meetings of a warp's lanes ---------------------------------------------------------------------------------

Barrier& barrier_for(Warp& warp, unsigned mask) {
  Barrier* unused = nullptr;
  for (unsigned i = 0; i < warp.masks; ++i) {
    if (warp.barriers[i].mask == mask) return warp.barriers[i];
    if (warp.barriers[i].arrived == 0) unused = &warp.barriers[i];
  }
  if (warp.masks < warp.barriers.size()) unused = &warp.barriers[warp.masks++];
  unused->mask = mask;
  return *unused;
}

/// Gives every lane that has arrived what it came for.
void hand_out(Thread* lanes, unsigned arrived, Meeting meeting) {
  std::array<std::uint64_t, warp_size> values{};
  unsigned votes = 0;
  for (unsigned i = 0; i < warp_size; ++i) {
    if ((arrived >> i & 1) == 0) continue;
    values[i] = lanes[i].value;
    if (values[i] != 0) votes |= 1u << i;
  }
  for (unsigned i = 0; i < warp_size; ++i) {
    if ((arrived >> i & 1) == 0) continue;
    Thread& lane = lanes[i];
    if (meeting == Meeting::ballot) lane.value = votes;
    if (meeting != Meeting::exchange) continue;
    if ((arrived >> lane.source & 1) == 0) {
      threadIdx = lane.index;
      fail(lane.site, "a shuffle reads a lane that takes no part in it");
    }
    lane.value = values[lane.source];
  }
}

/// Wakes the lanes at a barrier if all that it is for, and that have not returned, wait there.
void complete_warp_barrier(Warp& warp, Thread* lanes, Barrier& barrier) {
  if (barrier.arrived == 0 || barrier.arrived != (barrier.mask & warp.live)) return;
  const unsigned arrived = std::exchange(barrier.arrived, 0);
  const Thread* first = nullptr;
  for (unsigned i = 0; i < warp_size; ++i) {
    if ((arrived >> i & 1) == 0) continue;
    const Thread& lane = lanes[i];
    if (!first) first = &lane;
    if (lane.meeting != first->meeting || (lane.meeting != Meeting::barrier && !same_place(lane.site, first->site))) {
      threadIdx = lane.index;
      fail(lane.site, "divergent warp: lanes of the same mask meet at another place");
    }
  }
  if (first->meeting != Meeting::barrier) hand_out(lanes, arrived, first->meeting);
  ++barrier.generation;
  for (unsigned i = 0; i < warp_size; ++i)
    if ((arrived >> i & 1) != 0) wake(lanes[i]);
}

void meet(Site site, unsigned mask, Meeting meeting) {
  Thread& self = *s.current;
  const unsigned lane = s.current_index() % warp_size;
  if ((mask >> lane & 1) == 0) fail(site, "the mask leaves out the calling lane");
  Warp& warp = s.current_warp();
  Barrier& barrier = barrier_for(warp, mask);
  void* const address = barrier.address();
  release(address);
  self.state = State::at_warp_barrier;
  self.site = site;
  self.meeting = meeting;
  barrier.arrived |= 1u << lane;
  complete_warp_barrier(warp, s.lanes(), barrier);
  suspend(self);
  acquire(address);
}

// ---- blocks -----------------------------------------------------------------------------------------------------

[[noreturn]] void thread_main(void*) {
  fiber_began();
  for (;;) {
    acquire(&s.team->begin);
    s.launch->thread();
    s.current->copies.wait(0, true);
    release(&s.team->end);
    s.current->state = State::done;
    suspend(*s.current);
  }
}

void begin_block() {
  Team& team = *s.team;
  s.shared->begin_block(s.launch->shared_bytes);
  s.live = s.threads;
  s.ready.clear();
  for (unsigned i = 0; i < s.threads; ++i) {
    Thread& thread = team.threads[i];
    if (!thread.context) make_fiber(thread, thread_main, nullptr);
    thread.resumed = 0;
    thread.index = make_uint3(i % blockDim.x, i / blockDim.x % blockDim.y, i / (blockDim.x * blockDim.y));
    wake(thread);
  }
  for (unsigned first = 0; first < s.threads; first += warp_size) {
    const unsigned lanes = std::min(s.threads - first, warp_size);
    team.warps[first / warp_size].live = full_mask >> (warp_size - lanes);
  }
  release(&team.begin);
}

[[noreturn]] void report_deadlock() {
  const Thread* at_block = nullptr;
  const Thread* at_warp = nullptr;
  for (unsigned i = 0; i < s.threads; ++i) {
    const Thread& thread = s.team->threads[i];
    if (thread.state == State::at_block_barrier && !at_block) at_block = &thread;
    if (thread.state == State::at_warp_barrier && !at_warp) at_warp = &thread;
  }
  if (at_block && at_warp)
    std::fprintf(stderr, "simt: %s:%d: deadlock: others wait here at __syncthreads\n", at_block->site.file,
                 at_block->site.line);
  threadIdx = at_warp->index;
  fail(at_warp->site, "deadlock: waits for lanes of its warp that do not come");
}

/// The running thread has returned: whoever waits for the threads that are left need not wait for it.
void finish(Thread& thread) {
  Warp& warp = s.current_warp();
  warp.live &= ~(1u << s.current_index() % warp_size);
  --s.live;
  complete_block_barrier();
  Thread* const lanes = &thread - s.current_index() % warp_size;
  for (unsigned i = 0; i < warp.masks; ++i) complete_warp_barrier(warp, lanes, warp.barriers[i]);
}

void run_block() {
  begin_block();
  while (s.live != 0) {
    if (s.ready.empty()) report_deadlock();
    Thread*& drawn = s.ready[random_below(static_cast<std::uint32_t>(s.ready.size()))];
    s.current = std::exchange(drawn, s.ready.back());
    s.ready.pop_back();
    threadIdx = s.current->index;
    ++s.current->resumed;
    resume(*s.current);
    ++s.statistics.switches;
    if (s.current->state == State::done) finish(*s.current);
  }
  if (!s.shared->fences_are_intact()) fail({"shared memory", 0}, "the block wrote beyond the ends of an array");
  ++s.statistics.blocks;
  s.statistics.threads += s.threads;
}

/// Blocks that come next run after all blocks so far.
void join_blocks() {
  for (Team& team : s.teams) acquire(&team.end);
  s.shared->free_retired();
}

/// To the race detector, memory is given back by the stream that took it.
void free_copies() {
  for (Team& team : s.teams)
    for (unsigned i = 0; i < s.threads; ++i) team.threads[i].copies = {};
}

}  // namespace

void fail(Site site, const char* what) {
  std::fprintf(stderr, "simt: %s:%d: %s; block (%u,%u,%u), thread (%u,%u,%u)\n", site.file, site.line, what, blockIdx.x,
               blockIdx.y, blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z);
  std::abort();
}

void run(const Launch& launch) {
  SharedMemory shared;
  s.shared = &shared;
  s.launch = &launch;
  s.threads = launch.block.x * launch.block.y * launch.block.z;
  gridDim = launch.grid;
  blockDim = launch.block;
  std::vector<std::uint64_t> order(std::uint64_t{gridDim.x} * gridDim.y * gridDim.z);
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[random_below(static_cast<std::uint32_t>(std::min<std::size_t>(i, full_mask)))]);
  std::size_t turn = 0;
  for (const std::uint64_t block : order) {
    blockIdx =
        make_uint3(static_cast<unsigned>(block % gridDim.x), static_cast<unsigned>(block / gridDim.x % gridDim.y),
                   static_cast<unsigned>(block / gridDim.x / gridDim.y));
    s.team = &s.teams[under_tsan() ? turn++ % 2 : 0];
    run_block();
    if (s.shared->retired_bytes() > max_retired_bytes) join_blocks();
  }
  join_blocks();
  if (under_tsan()) free_copies();
  s.shared = nullptr;
  s.launch = nullptr;
  ++s.statistics.launches;
}

void set_seed(std::uint64_t seed) { s.random = seed * 0x9e3779b97f4a7c15u | 1; }

std::uint32_t random_below(std::uint32_t limit) {
  s.random ^= s.random << 13;
  s.random ^= s.random >> 7;
  s.random ^= s.random << 17;
  return static_cast<std::uint32_t>((s.random * 0x2545f4914f6cdd1du >> 32) * limit >> 32);
}

Statistics statistics() { return s.statistics; }

Running running() { return {s.launch, s.launch ? s.current->resumed : 0}; }
bool is_shared_memory(const void* p, std::size_t bytes) { return s.shared && s.shared->contains(p, bytes); }

Votes sync_block(Site site, bool predicate) {
  Thread& self = *s.current;
  Barrier& barrier = s.team->block;
  void* const address = barrier.address();
  release(address);
  self.state = State::at_block_barrier;
  self.site = site;
  self.value = predicate;
  ++barrier.arrived;
  complete_block_barrier();
  suspend(self);
  acquire(address);
  return {static_cast<unsigned>(self.value >> 32), static_cast<unsigned>(self.value)};
}

void sync_warp(Site site, unsigned mask) { meet(site, mask, Meeting::barrier); }

std::uint64_t exchange(Site site, unsigned mask, std::uint64_t value, unsigned source) {
  s.current->value = value;
  s.current->source = source;
  meet(site, mask, Meeting::exchange);
  return s.current->value;
}

unsigned ballot(Site site, unsigned mask, bool predicate) {
  s.current->value = predicate;
  meet(site, mask, Meeting::ballot);
  return static_cast<unsigned>(s.current->value);
}

unsigned active_mask() { return s.current_warp().live; }
unsigned lane() { return s.current_index() % warp_size; }

void* dynamic_shared() { return s.shared->dynamic(); }

void* static_shared(const void* declaration, std::size_t bytes, std::size_t alignment) {
  void* data = nullptr;
  {
    const As launcher(resumer_identity());  // who gives the memory back, too
    data = s.shared->declared(declaration, bytes, alignment);
    release(&s.team->begin);
  }
  acquire(&s.team->begin);
  return data;
}

void copy_async(Site site, void* to, const void* from, std::size_t bytes, std::size_t zero_fill) {
  const auto from_device_memory = [&] {
    const As launching_thread(host_identity());  // whose records they are
    return is_device_memory(from, bytes - zero_fill);
  };
  const As launcher(resumer_identity());
  const auto aligned = [bytes](const void* p) { return reinterpret_cast<std::uintptr_t>(p) % bytes == 0; };
  if (bytes != 4 && bytes != 8 && bytes != 16) fail(site, "asynchronous copies move 4, 8 or 16 bytes");
  if (zero_fill > bytes) fail(site, "an asynchronous copy fills more with zeros than it writes");
  if (!aligned(to) || !aligned(from)) fail(site, "an asynchronous copy is not aligned to its size");
  if (!s.shared->contains(to, bytes)) fail(site, "an asynchronous copy does not go to shared memory of its block");
  if (!from_device_memory()) fail(site, "an asynchronous copy does not come from device memory");
  s.current->copies.add({to, from, bytes, zero_fill});
  if (simt_copy_issued) simt_copy_issued(__builtin_return_address(0), to, from, bytes, zero_fill);
}

void copy_commit() {
  const As launcher(resumer_identity());
  s.current->copies.commit();
}

void copy_wait(std::size_t groups_left) { s.current->copies.wait(groups_left, false); }

}  // namespace simt

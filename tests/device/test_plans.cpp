// What holds for plans on arrays in device memory: which calls they take, whose memory they use, in which order they
// work.
#include "support/scale.hpp"
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <new>
#include <set>

namespace gpuconv::test {
namespace {

// Neither memory can be passed for the other.
static_assert(!std::is_convertible_v<std::vector<float>&, DeviceInput>);
static_assert(!std::is_convertible_v<float*, DeviceInput>);
static_assert(!std::is_convertible_v<HostView<float>, DeviceInput>);
static_assert(!std::is_convertible_v<HostInput, DeviceInput>);
static_assert(!std::is_convertible_v<DeviceView<float>, HostInput>);
static_assert(!std::is_convertible_v<DeviceBuffer<float>&, HostInput>);
static_assert(std::is_convertible_v<DeviceBuffer<float>&, DeviceInput>);
static_assert(std::is_convertible_v<DeviceBuffer<float>&, DeviceOutput>);
static_assert(std::is_convertible_v<DeviceBuffer<float> const&, DeviceInput>);
static_assert(!std::is_convertible_v<DeviceBuffer<float> const&, DeviceOutput>);
static_assert(!std::is_convertible_v<DeviceView<float const>, DeviceOutput>);
static_assert(!std::is_copy_constructible_v<DeviceBuffer<float>> && std::is_nothrow_move_constructible_v<Plan>);

constexpr Problem kProblem{.signal = 3000, .filter = 65, .batch = 3, .mode = Mode::same};

// Whether the device reads and writes any memory of the host (HMM): then no pointer to it is refused.
bool reaches_host_memory() {
  int device = 0, reaches = 0;
  EXPECT_EQ(cudaGetDevice(&device), cudaSuccess);
  EXPECT_EQ(cudaDeviceGetAttribute(&reaches, cudaDevAttrPageableMemoryAccess, device), cudaSuccess);
  return reaches != 0;
}

class DevicePlans : public SolverTest {
 protected:
  Options on_device() const {
    Options o = options();
    o.memory = Memory::device;
    return o;
  }

  void expect_right(Plan& plan, Workload const& w, DeviceBytes scratch = {}, Stream stream = {}) const {
    const DeviceArray signal(w.signal), filter(w.filter);
    Outcome outcome{Array(result_type(w.problem), w.problem.batch, plan.output_length()), plan.describe(),
                    plan.method(), plan.block()};
    DeviceArray out(outcome.out);
    plan.set_filter(filter.input(), stream, scratch);
    plan.execute(signal.input(), out.output(), stream, scratch);
    synchronize(stream);
    out.copy_to(outcome.out);
    EXPECT_TRUE(Oracle(w).accepts(outcome));
  }
};

TEST_P(DevicePlans, AreRight) {
  Rng rng = test_rng();
  const Workload w = random_workload(kProblem, rng);
  Plan plan(kProblem, on_device());
  EXPECT_EQ(plan.device(), Device::cuda);
  EXPECT_EQ(plan.method(), solver()->method);
  expect_right(plan, w);
  expect_right(plan, random_workload(kProblem, rng));
}

// Around a tile's outputs and a run's, the ring of the register window, the taps in shared memory at a
// time.
TEST_P(DevicePlans, EdgesOfWarpsTilesAndPieces) {
  Rng rng = test_rng();
  const std::int64_t most = (solver()->method == Method::direct ? 1 << 20 : 1 << 17) / kSlowdown;  // multiply-adds
  for (Type const type : {Type::float32, Type::float64, Type::int16})
    for (std::int64_t const edge : {1, 32, 64, 128, 640, 1024, 5120, 46080})
      for (std::int64_t const filter : {1, 2, 3, 4, 5, 6, 11, 12, 13, 23, 24, 25, 255, 256, 257, 511, 512, 513, 1025}) {
        if (edge * filter > most) continue;
        for (std::int64_t const signal : {edge - 1, edge, edge + 1}) {
          const Problem p{.signal = std::max<std::int64_t>(signal, 1), .filter = filter, .type = type};
          if (!takes(p)) continue;
          const Layout moved{.offset = pick(rng, 0, 7)};
          ASSERT_TRUE(is_right(random_workload(p, rng, {moved, {}, {}}), on_device(), {.offset = pick(rng, 0, 7)}));
        }
      }
}

TEST_P(DevicePlans, TakeFiltersFromHostMemory) {
  Rng rng = test_rng();
  for (Filters const filters : {Filters::shared, Filters::per_row}) {
    Problem problem = kProblem;
    problem.filters = filters;
    const Workload w = random_workload(problem, rng, {.signal = {}, .filter = {.offset = 1, .gap = 3}, .out = {}});
    Plan plan(problem, on_device());
    const DeviceArray signal(w.signal);
    Outcome outcome{Array(Type::float32, 3, plan.output_length()), plan.describe(), plan.method(), plan.block()};
    DeviceArray out(outcome.out);
    plan.set_filter(w.filter.input(), Stream{});
    plan.execute(signal.input(), out.output(), Stream{});
    out.copy_to(outcome.out);
    EXPECT_TRUE(Oracle(w).accepts(outcome));
  }
}

// Taps in device memory are not read: nobody waits for them.
TEST_P(DevicePlans, KnowWhetherSumsCanWrapWhereTheTapsOrTheTypesTell) {
  const Problem wide{.signal = 9, .filter = 3, .type = Type::int32},
      narrow{.signal = 9, .filter = 3, .type = Type::int16};
  if (!takes(wide)) return;
  const auto of = [&](Problem const& p, auto const& taps) {
    Plan plan(p, on_device());
    EXPECT_THROW(static_cast<void>(plan.wrapping()), InvalidArgument);
    plan.set_filter(taps, Stream{});
    return plan.wrapping();
  };
  const std::vector<std::int32_t> small{1, -1, 1}, large(3, INT32_MAX);
  EXPECT_EQ(of(wide, small), Wrapping::never);
  EXPECT_EQ(of(wide, large), Wrapping::possible);
  DeviceBuffer<std::int32_t> there(3);
  copy(small, there);
  EXPECT_EQ(of(wide, there), Wrapping::unknown);
  const DeviceBuffer<std::int16_t> any(3);
  EXPECT_EQ(of(narrow, any), Wrapping::never);
}

TEST_P(DevicePlans, RefuseCallsForTheOtherMemory) {
  Rng rng = test_rng();
  const Workload w = random_workload(kProblem, rng);
  const DeviceArray signal(w.signal), filter(w.filter);
  Array result(Type::float32, 3, 3000);
  DeviceArray out(result);

  Plan on_device_memory(kProblem, on_device());
  on_device_memory.set_filter(w.filter.input());  // a filter may come from either
  EXPECT_THROW(on_device_memory.execute(w.signal.input(), result.output()), InvalidArgument);

  Options host = options();
  host.memory = Memory::host;
  Plan on_host_memory(kProblem, host);
  EXPECT_THROW(on_host_memory.set_filter(filter.input(), Stream{}), InvalidArgument);
  EXPECT_THROW(on_host_memory.set_filter(w.filter.input(), Stream{}), InvalidArgument);
  on_host_memory.set_filter(w.filter.input());
  EXPECT_THROW(on_host_memory.execute(signal.input(), out.output(), Stream{}), InvalidArgument);
}

TEST_P(DevicePlans, RefuseHostPointers) {
  if (reaches_host_memory()) GTEST_SKIP() << "this device reaches the host's memory";
  Rng rng = test_rng();
  const Workload w = random_workload(kProblem, rng);
  const DeviceArray signal(w.signal), filter(w.filter);
  Array result(Type::float32, 3, 3000);
  DeviceArray out(result);
  const auto pretend = [](Array const& a) { return DeviceInput(a.input().data(), a.type(), a.shape()); };
  Plan plan(kProblem, on_device());
  EXPECT_THROW(plan.set_filter(pretend(w.filter), Stream{}), InvalidArgument);
  EXPECT_THROW(plan.execute(signal.input(), out.output(), Stream{}), InvalidArgument) << "there is no filter";
  plan.set_filter(filter.input(), Stream{});
  EXPECT_THROW(plan.execute(pretend(w.signal), out.output(), Stream{}), InvalidArgument);
  EXPECT_THROW(plan.execute(signal.input(), {result.output().data(), Type::float32, result.shape()}, Stream{}),
               InvalidArgument);
  plan.execute(signal.input(), out.output(), Stream{});
}

TEST_P(DevicePlans, RefuseWrongShapesTypesAndOverlaps) {
  Rng rng = test_rng();
  const Workload w = random_workload(kProblem, rng);
  const DeviceArray signal(w.signal), filter(w.filter);
  Plan plan(kProblem, on_device());
  plan.set_filter(filter.input(), Stream{});
  DeviceBuffer<float> out(3 * 3000);
  const auto rows = [](std::int64_t columns) { return Rows{.rows = 3, .columns = columns}; };
  EXPECT_THROW(plan.execute(signal.input(), DeviceView(out.data(), rows(2999)), Stream{}), InvalidArgument);
  EXPECT_THROW(plan.execute(signal.input(), {out.data(), Type::float64, rows(3000)}, Stream{}), InvalidArgument);
  EXPECT_THROW(plan.execute(DeviceView(out.data(), rows(3000)), DeviceView(out.data(), rows(3000)), Stream{}),
               InvalidArgument);
  EXPECT_THROW(plan.set_filter(DeviceView(out.data(), 66), Stream{}), InvalidArgument);
}

TEST_P(DevicePlans, WorkInTheCallersScratchMemory) {
  Rng rng = test_rng();
  Options o = on_device();
  const std::size_t own = Plan(kProblem, o).workspace_bytes();
  o.caller_scratch = true;
  Plan plan(kProblem, o);
  const std::size_t needed = plan.scratch_bytes();
  EXPECT_EQ(plan.workspace_bytes() + needed, own);
  const Workload w = random_workload(kProblem, rng);
  DeviceBuffer<std::uint8_t> memory(static_cast<std::int64_t>(needed) + 256);
  expect_right(plan, w, {memory.data(), needed});
  if (needed == 0) return;
  const DeviceArray filter(w.filter);
  EXPECT_THROW(plan.set_filter(filter.input(), Stream{}), InvalidArgument) << "none was given";
  EXPECT_THROW(plan.set_filter(filter.input(), Stream{}, {memory.data(), needed - 1}), InvalidArgument);
  EXPECT_THROW(plan.set_filter(filter.input(), Stream{}, {memory.data() + 1, needed}), InvalidArgument);
  std::vector<std::uint8_t> host(needed + 256);
  void* const aligned = reinterpret_cast<void*>((reinterpret_cast<std::uintptr_t>(host.data()) + 255) / 256 * 256);
  if (!reaches_host_memory()) {
    EXPECT_THROW(plan.set_filter(filter.input(), Stream{}, {aligned, needed}), InvalidArgument);
  }
  expect_right(plan, w, {memory.data(), needed + 256});
}

TEST_P(DevicePlans, RefuseScratchMemoryTheyDoNotWant) {
  Plan plan(kProblem, on_device());
  DeviceBuffer<float> filter(65), memory(1 << 16);
  EXPECT_THROW(plan.set_filter(filter, Stream{}, {memory.data(), 1 << 18}), InvalidArgument);
}

// ---- allocators ---------------------------------------------------------------------------------------------------

// Hands out CUDA's memory and keeps count; refuses the n-th request.
class Counting final : public DeviceAllocator {
 public:
  explicit Counting(int refuse = 0) : refuse_(refuse) {}
  void* allocate(std::size_t bytes, Stream stream) override {
    if (++requests_ == refuse_) throw std::bad_alloc();
    void* const memory = detail::allocate_device(bytes, stream, nullptr);
    live_.insert({memory, bytes});
    return memory;
  }
  void deallocate(void* memory, std::size_t bytes, Stream stream) noexcept override {
    EXPECT_EQ(live_.erase({memory, bytes}), 1u);
    detail::deallocate_device(memory, bytes, stream, nullptr);
  }
  int requests() const { return requests_; }
  std::size_t live_bytes() const {
    std::size_t sum = 0;
    for (auto const& [memory, bytes] : live_) sum += bytes;
    return sum;
  }

 private:
  int refuse_, requests_ = 0;
  std::set<std::pair<void*, std::size_t>> live_;
};

TEST_P(DevicePlans, TakeAllMemoryFromTheAllocator) {
  Rng rng = test_rng();
  const Workload w = random_workload(kProblem, rng);
  Counting allocator;
  {
    Options o = on_device();
    o.allocator = &allocator;
    Plan plan(kProblem, o);
    EXPECT_EQ(allocator.live_bytes(), plan.workspace_bytes());
    expect_right(plan, w);
    plan.set_filter(w.filter.input(), Stream{});
    EXPECT_EQ(allocator.live_bytes(), plan.workspace_bytes()) << "a copy of the filter is left over";
  }
  EXPECT_EQ(allocator.live_bytes(), 0u);
}

TEST_P(DevicePlans, LeakNothingWhereTheAllocatorRefuses) {
  for (Memory const memory : {Memory::device, Memory::host}) {
    int requests = 1;
    for (int refuse = 1; refuse <= requests; ++refuse) {
      Counting allocator(refuse);
      Options o = options();
      o.memory = memory;
      o.allocator = &allocator;
      const auto make_and_set = [&] {
        Plan plan(kProblem, o);
        const std::vector<float> taps(65, 1.0f);
        if (memory == Memory::device) plan.set_filter(taps, Stream{});
        else plan.set_filter(taps);
      };
      EXPECT_THROW(make_and_set(), OutOfMemory) << "request " << refuse;
      EXPECT_EQ(allocator.live_bytes(), 0u) << "request " << refuse;
      Counting counts;  // how many there are in all
      o.allocator = &counts;
      make_and_set();
      requests = counts.requests();
    }
    EXPECT_GE(requests, 2);
  }
}

TEST_P(DevicePlans, RefuseMoreThanTheDeviceHas) {
  const Problem huge{.signal = 1000, .filter = std::int64_t{1} << 38};
  if (!takes(huge)) return;
  try {
    Plan plan(huge, on_device());
    FAIL() << plan.describe();
  } catch (OutOfMemory const& error) {
    EXPECT_GE(error.bytes(), std::int64_t{1} << 40);
    EXPECT_NE(std::string(error.what()).find(std::to_string(error.bytes())), std::string::npos) << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Solvers, DevicePlans, testing::ValuesIn(cuda_solver_table()), solver_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DevicePlans);

// ---- buffers, copies, one-shot calls ------------------------------------------------------------------------------
class DeviceMemory : public testing::Test {
 protected:
  void SetUp() override {
    if (const DeviceInfo cuda = detail::cuda_device_info(); !cuda.available) GTEST_SKIP() << cuda.detail;
  }
};

TEST_F(DeviceMemory, cuda_BuffersMove) {
  DeviceBuffer<double> a(10), b;
  double* const memory = a.data();
  b = std::move(a);
  EXPECT_EQ(b.data(), memory);
  EXPECT_EQ(b.size(), 10);
  DeviceBuffer<double> c(std::move(b));
  EXPECT_EQ(c.data(), memory);
  EXPECT_EQ(b.data(), nullptr);
  EXPECT_EQ(b.size(), 0);
  c = DeviceBuffer<double>(3);
  EXPECT_EQ(c.size(), 3);
}

TEST_F(DeviceMemory, cuda_BuffersOfNoSize) {
  EXPECT_EQ(DeviceBuffer<float>(0).data(), nullptr);
  EXPECT_THROW(DeviceBuffer<float>(-1), InvalidArgument);
  EXPECT_THROW(DeviceBuffer<double>(INT64_MAX), InvalidArgument);
  EXPECT_THROW(DeviceBuffer<double>(INT64_MAX / 16), OutOfMemory);
}

TEST_F(DeviceMemory, cuda_CopiesThereAndBack) {
  Rng rng = test_rng();
  for (Layout const layout : {Layout{}, Layout{.offset = 3, .gap = 5}}) {
    Array from(Type::int16, 4, 100, layout), to(Type::int16, 4, 100, {.offset = 1, .gap = 2});
    fill_random(from, rng);
    DeviceBuffer<std::int16_t> memory(4 * 111);
    const DeviceView view(memory.data(), {.rows = 4, .columns = 100, .stride = 111});
    copy(from.input(), view);
    copy(DeviceInput(view), to.output());
    for (std::int64_t r = 0; r < 4; ++r) EXPECT_TRUE(std::ranges::equal(from.bytes(r), to.bytes(r)));
    EXPECT_TRUE(to.guards_intact());
  }
}

TEST_F(DeviceMemory, cuda_CopiesCheckTheirArguments) {
  DeviceBuffer<float> device(10);
  std::vector<float> host(10), shorter(9);
  std::vector<int> others(10);
  EXPECT_THROW(copy(shorter, device), InvalidArgument);
  EXPECT_THROW(copy(others, device), InvalidArgument);
  EXPECT_THROW(copy(device, shorter), InvalidArgument);
  EXPECT_THROW(copy(HostView<float>(nullptr, 10), device), InvalidArgument);
  EXPECT_THROW(copy(host, DeviceView(device.data(), {.rows = 3, .columns = 5, .stride = 2})), InvalidArgument);
  copy(host, device);
}

TEST_F(DeviceMemory, cuda_OneShotCalls) {
  const std::vector<float> signal{1, 2, 3, 4, 5}, filter{1, 1, 1};
  DeviceBuffer<float> x(5), h(3), y(7), same(5);
  copy(signal, x);
  copy(filter, h);
  convolve(x, h, y);
  std::vector<float> full(7), middle(5);
  copy(y, full);
  EXPECT_EQ(full, (std::vector<float>{1, 3, 6, 9, 12, 9, 5}));
  convolve(x, h, same, Same::matlab);
  copy(same, middle);
  EXPECT_EQ(middle, (std::vector<float>{3, 6, 9, 12, 9}));
  EXPECT_THROW(convolve(x, h, y, Mode::same), InvalidArgument);
  EXPECT_THROW(convolve(x, h, y, {.device = Device::cpu}), InvalidArgument);
}

TEST_F(DeviceMemory, cuda_ExplainLeavesOutTheCpu) {
  const std::string lines = explain(kProblem, {.memory = Memory::device});
  EXPECT_NE(lines.find("cuda direct"), std::string::npos) << lines;
  EXPECT_NE(lines.find("cpu  direct       no: the arrays are in device memory"), std::string::npos) << lines;
  EXPECT_THROW(Plan(kProblem, {.method = Method::reference, .memory = Memory::device}), Unsupported);
  EXPECT_THROW(Plan(kProblem, {.caller_scratch = true}), InvalidArgument);
}

// The pointer class of a program that owns device memory in another way.
struct Pointer {
  float* pointer;
  float* get() const { return pointer; }
};
struct Vector {
  Pointer data() { return {memory.data()}; }
  std::size_t size() const { return static_cast<std::size_t>(memory.size()); }
  DeviceBuffer<float> memory{5};
};

TEST_F(DeviceMemory, cuda_ContainersWithFancyPointers) {
  Vector x, y;
  DeviceBuffer<float> h(1);
  copy(std::vector<float>{1, 2, 3, 4, 5}, x);
  copy(std::vector<float>{2}, h);
  convolve(x, h, y);
  std::vector<float> out(5);
  copy(y, out);
  EXPECT_EQ(out, (std::vector<float>{2, 4, 6, 8, 10}));
}

}  // namespace
}  // namespace gpuconv::test

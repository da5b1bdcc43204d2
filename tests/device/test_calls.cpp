// What the library asks of CUDA and cuFFT, as the stand-ins count it: execute neither allocates nor waits; whichever
// call fails, a typed error comes out, nothing leaks, and the next call works.
#include "support/pictures.hpp"
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include "control.hpp"

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <functional>

namespace gpuconv::test {
namespace {

constexpr Problem kProblem{.signal = 500, .filter = 17, .batch = 3, .mode = Mode::same};

class Calls : public testing::TestWithParam<SolverPointer> {
 protected:
  void SetUp() override {
    static_cast<void>(detail::cuda_device_info());  // devices are asked once
    ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    allocations_ = standin::live_allocations();
    handles_ = standin::live_handles();
    standin::reset();
  }
  void TearDown() override {
    standin::reset();
    expect_no_leak();
  }
  void expect_no_leak() const {
    ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);  // memory freed in a stream's order is freed when it gets there
    EXPECT_EQ(standin::live_allocations(), allocations_);
    EXPECT_EQ(standin::live_handles(), handles_);
  }
  Options options(Memory memory) const {
    return {.method = GetParam()->method, .device = Device::cuda, .memory = memory};
  }

 private:
  std::int64_t allocations_ = 0, handles_ = 0;
};

TEST_P(Calls, ExecuteNeitherAllocatesNorWaits) {
  Rng rng = test_rng();
  const Workload w = random_workload(kProblem, rng);
  {
    const DeviceArray signal(w.signal), filter(w.filter);
    Array result(Type::float32, 3, 500);
    DeviceArray out(result);
    Plan plan(kProblem, options(Memory::device));
    plan.set_filter(filter.input(), Stream{});
    standin::reset();
    plan.execute(signal.input(), out.output(), Stream{});
    EXPECT_GT(standin::calls("cudaLaunchKernelExC"), 0);
    EXPECT_EQ(standin::allocation_calls(), 0);
    EXPECT_EQ(standin::synchronizing_calls(), 0);
    plan.set_filter(filter.input(), Stream{});
    EXPECT_EQ(standin::allocation_calls(), 0) << "set_filter from device memory";
    EXPECT_EQ(standin::synchronizing_calls(), 0) << "set_filter from device memory";
    synchronize({});
  }
  expect_no_leak();
}

// Once for all images, and once back.
TEST_P(Calls, ColumnsOfImagesAreMovedByOneKernel) {
  const Problem problem{
      .signal = 5, .filter = 1, .batch = 7, .mode = Mode::same, .lines = {.signal = 200, .filter = 17}};
  Options o = options(Memory::device);
  std::int64_t launches[2];
  const DeviceBuffer<float> signal(7 * 200 * 5), filter(17);
  DeviceBuffer<float> out(7 * 200 * 5);
  for (bool const across : {false, true}) {
    o.across = across;
    Plan plan(problem, o);
    plan.set_filter(DeviceView(filter.data(), Images{.lines = 17, .columns = 1}), Stream{});
    standin::reset();
    const Images images{.images = 7, .lines = 200, .columns = 5};
    plan.execute(DeviceView(signal.data(), images), DeviceView(out.data(), images), Stream{});
    launches[across] = standin::calls("cudaLaunchKernelExC");
    synchronize({});
  }
  EXPECT_EQ(launches[1], launches[0] + 2);
}

TEST_P(Calls, RowsAcrossMemoryAreMovedInThePlansOwnMemoryByLoadedKernels) {
  Options o = options(Memory::device);
  o.across = true;
  {
    const DeviceBuffer<float> signal(3 * 500), filter(17);
    DeviceBuffer<float> out(3 * 500);
    Plan plan(kProblem, o);
    plan.set_filter(filter, Stream{});
    standin::reset();
    const std::int64_t lazy = standin::lazy_launches();
    const Rows columns{.rows = 3, .columns = 500, .stride = 1, .element_stride = 3};
    const Rows behind_each_other{.rows = 3, .columns = 500};
    plan.execute(DeviceView(signal.data(), behind_each_other), DeviceView(out.data(), behind_each_other), Stream{});
    const std::int64_t launches = standin::calls("cudaLaunchKernelExC");
    plan.execute(DeviceView(signal.data(), columns), DeviceView(out.data(), columns), Stream{});
    EXPECT_EQ(standin::calls("cudaLaunchKernelExC"), 2 * launches + 2);
    EXPECT_EQ(standin::lazy_launches(), lazy);
    EXPECT_EQ(standin::allocation_calls(), 0);
    EXPECT_EQ(standin::synchronizing_calls(), 0);
    synchronize({});
  }
  expect_no_leak();
}

TEST_P(Calls, ExecuteOnHostArraysDoesNotAllocate) {
  Rng rng = test_rng();
  const Workload w = random_workload(kProblem, rng);
  Array out(Type::float32, 3, 500);
  Plan plan(kProblem, options(Memory::host));
  plan.set_filter(w.filter.input());
  standin::reset();
  plan.execute(w.signal.input(), out.output());
  EXPECT_EQ(standin::allocation_calls(), 0);
  EXPECT_EQ(standin::pending_operations(), 0) << "the arrays are free when the call returns";
}

// ---- machines that differ -----------------------------------------------------------------------------------------

// Without peer access a kernel would meet a fault that ends the process.
TEST_P(Calls, RefuseMemoryOfAnotherDevice) {
  Rng rng = test_rng();
  const Workload w = random_workload(kProblem, rng);
  const DeviceArray signal(w.signal), filter(w.filter);
  Array result(Type::float32, 3, 500);
  DeviceArray out(result);
  Plan plan(kProblem, options(Memory::device));
  plan.set_filter(filter.input(), Stream{});
  plan.execute(signal.input(), out.output(), Stream{});
  synchronize({});
  const auto refuses = [&](auto call) {
    try {
      call();
      ADD_FAILURE() << "accepted";
    } catch (InvalidArgument const& error) {
      EXPECT_NE(std::string(error.what()).find("in memory of device 1"), std::string::npos) << error.what();
    }
  };
  standin::move_to_other_device(signal.input().data());
  refuses([&] { plan.execute(signal.input(), out.output(), Stream{}); });
  standin::move_to_other_device(filter.input().data());
  refuses([&] { plan.set_filter(filter.input(), Stream{}); });
}

TEST_P(Calls, TakeHostPointersWhereTheDeviceReachesThem) {
  Rng rng = test_rng();
  const Workload w = random_workload(kProblem, rng);
  const auto pretend = [](Array const& a) { return DeviceInput(a.input().data(), a.type(), a.shape()); };
  Outcome outcome{Array(Type::float32, 3, 500), "", GetParam()->method};
  standin::set_pageable_access(true);
  Plan plan(kProblem, options(Memory::device));
  outcome.plan = plan.describe(), outcome.block = plan.block();
  plan.set_filter(pretend(w.filter), Stream{});
  plan.execute(pretend(w.signal), {outcome.out.output().data(), Type::float32, outcome.out.shape()}, Stream{});
  synchronize({});
  EXPECT_TRUE(Oracle(w).accepts(outcome));
}

// A filter longer than the signal is kept as it is: from whatever memory the device reaches.
TEST_P(Calls, TakeLongFiltersFromPinnedMemory) {
  const Problem p{.signal = 17, .filter = 500, .mode = Mode::full};
  Rng rng = test_rng();
  const Workload w = random_workload(p, rng);
  const DeviceArray signal(w.signal);
  Outcome outcome{Array(Type::float32, 1, 516), "", GetParam()->method};
  DeviceArray out(outcome.out);
  float* pinned = nullptr;
  ASSERT_EQ(cudaMallocHost(reinterpret_cast<void**>(&pinned), 500 * sizeof(float)), cudaSuccess);
  std::ranges::copy(w.filter.row<float>(0), pinned);
  {
    Plan plan(p, options(Memory::device));
    outcome.plan = plan.describe(), outcome.block = plan.block();
    plan.set_filter(DeviceView<float const>(pinned, 500), Stream{});
    plan.execute(signal.input(), out.output(), Stream{});
    out.copy_to(outcome.out);
  }
  EXPECT_TRUE(Oracle(w).accepts(outcome));
  EXPECT_EQ(cudaFreeHost(pinned), cudaSuccess);
}

TEST_P(Calls, NeedNoMemoryPools) {
  Rng rng = test_rng();
  const Workload w = random_workload(kProblem, rng);
  standin::set_memory_pools(false);
  for (Memory const memory : {Memory::host, Memory::device}) {
    EXPECT_TRUE(is_right(w, options(memory)));
    expect_no_leak();
  }
  standin::set_device_memory(100);
  EXPECT_THROW(DeviceBuffer<float>(1000), OutOfMemory);
}

// ---- captures -----------------------------------------------------------------------------------------------------

// A kernel that is loaded by its first launch would be so within the capture.
TEST_P(Calls, KernelsAreLoadedWhenThePlanIsMade) {
  Rng rng = test_rng();
  for (Type const type : {Type::float32, Type::float64, Type::int16, Type::complex64, Type::complex128})
    for (Problem p : {kProblem, Problem{.signal = 20000, .filter = 33}, Problem{.signal = 40, .filter = 700},
                      Problem{.signal = 3000, .filter = 2999, .mode = Mode::valid}}) {
      p.type = type;
      if (!takes(GetParam(), p)) continue;
      const Workload w = random_workload(p, rng);
      const DeviceArray signal(w.signal), filter(w.filter);
      standin::unload_kernels();
      Plan plan(p, options(Memory::device));
      Array result(result_type(p), p.batch, plan.output_length());
      DeviceArray out(result);
      const std::int64_t before = standin::lazy_launches();
      plan.set_filter(filter.input(), Stream{});
      plan.execute(signal.input(), out.output(), Stream{});
      synchronize({});
      EXPECT_EQ(standin::lazy_launches(), before) << plan.describe();
    }
}

TEST_P(Calls, PlansAreMadeUsedAndDestroyedWhileAnotherThreadCaptures) {
  Rng rng = test_rng();
  const Workload w = random_workload(kProblem, rng);
  Outcome outcome{Array(Type::float32, 3, 500), "", GetParam()->method};
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
  {
    const DeviceArray signal(w.signal);
    DeviceArray out(outcome.out);
    standin::set_capture_elsewhere(true);
    {
      Plan plan(kProblem, options(Memory::device));
      outcome.plan = plan.describe(), outcome.block = plan.block();
      plan.set_filter(w.filter.input(), stream);
      plan.execute(signal.input(), out.output(), stream);
    }  // waits for the work
    EXPECT_EQ(standin::broken_captures(), 0);
    EXPECT_EQ(standin::pending_operations(), 0);
    {
      Plan plan(kProblem, options(Memory::host));
      plan.set_filter(w.filter.input());
      Array result(Type::float32, 3, 500);
      plan.execute(w.signal.input(), result.output());
    }
    EXPECT_EQ(standin::broken_captures(), 0);
    standin::set_capture_elsewhere(false);
    out.copy_to(outcome.out);
  }
  EXPECT_TRUE(Oracle(w).accepts(outcome));
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
}

// Memory that may be in use is not given back to an application, which would use it again.
TEST_P(Calls, KeepAnAllocatorsMemoryWhereTheWaitForTheDeviceFails) {
  class Counting final : public DeviceAllocator {
   public:
    void* allocate(std::size_t bytes, Stream) override {
      void* memory = nullptr;
      if (cudaMalloc(&memory, bytes) != cudaSuccess) throw std::bad_alloc();
      given.push_back(memory);
      return memory;
    }
    void deallocate(void* memory, std::size_t, Stream) noexcept override { std::erase(given, memory); }
    std::vector<void*> given;
  } allocator;
  std::vector<void*> all;
  {
    Options o = options(Memory::device);
    o.allocator = &allocator;
    Plan plan(kProblem, o);
    all = allocator.given;
    ASSERT_FALSE(all.empty());
    standin::fail_call(1, "cudaDeviceSynchronize", cudaErrorIllegalAddress);
  }
  EXPECT_EQ(allocator.given.size(), 1u) << "that whose wait failed, and no other";
  for (void* memory : all) EXPECT_EQ(cudaFree(memory), cudaSuccess);
}

// ---- failing calls ------------------------------------------------------------------------------------------------

// Runs `work` with the first call failing, then the second and so on, until one run has no call left that could fail.
// Destructors cannot tell: `work` calls what it is given before they run.
void fail_each_call(std::function<void(std::function<void()> const& done)> const& work,
                    std::function<void()> const& after) {
  std::int64_t n = 1;
  for (;; ++n) {
    ASSERT_LT(n, 2000) << "failing calls go on for ever";
    standin::fail_call(n);
    bool failed = false, not_before_the_end = false;
    try {
      work([&] { not_before_the_end = standin::failure_pending(); });
    } catch (CudaError const& error) {
      failed = true;
      EXPECT_NE(error.code(), 0) << error.what();
      EXPECT_NE(std::string(error.what()).find("cuda"), std::string::npos) << error.what();
    } catch (CufftError const& error) {
      failed = true;
      EXPECT_NE(error.code(), 0) << error.what();
    } catch (OutOfMemory const&) {
      failed = true;
    } catch (Unsupported const& error) {  // the machine seems to have no device, while it is asked
      failed = true;
      EXPECT_NE(std::string(error.what()).find("cuda"), std::string::npos) << error.what();
    }
    const bool pending = standin::failure_pending();
    standin::reset();
    EXPECT_TRUE(failed || not_before_the_end) << "call " << n << " failed and nobody said so";
    after();
    if (pending || testing::Test::HasFailure()) break;
  }
  EXPECT_GT(n, 5);
}

TEST_P(Calls, EachMayFailOnHostArrays) {
  Rng rng = test_rng();
  const Workload w = random_workload(kProblem, rng);
  const auto work = [&](auto done) {
    Array out(Type::float32, 3, 500);
    Plan plan(kProblem, options(Memory::host));
    plan.set_filter(w.filter.input());
    plan.execute(w.signal.input(), out.output());
    done();
  };
  fail_each_call(work, [&] {
    expect_no_leak();
    EXPECT_TRUE(is_right(w, options(Memory::host)));
  });
}

TEST_P(Calls, EachMayFailOnDeviceArrays) {
  Rng rng = test_rng();
  for (Type const type : {Type::float32, Type::complex64}) {
    Problem problem = kProblem;
    problem.type = type;
    const Workload w = random_workload(problem, rng);
    const auto work = [&](auto done) {
      Plan plan(problem, options(Memory::device));
      Array result(type, 3, 500);
      DeviceArray signal(w.signal), out(result);
      plan.set_filter(w.filter.input(), Stream{});
      plan.execute(signal.input(), out.output(), Stream{});
      out.copy_to(result);
      done();
    };
    fail_each_call(work, [&] {
      expect_no_leak();
      EXPECT_TRUE(is_right(w, options(Memory::device)));
    });
  }
}

// The same plan goes on after an error.
TEST_P(Calls, PlansWorkAfterAnError) {
  Rng rng = test_rng();
  const Workload w = random_workload(kProblem, rng);
  Outcome outcome{Array(Type::float32, 3, 500), "", GetParam()->method};
  Plan plan(kProblem, options(Memory::host));
  outcome.plan = plan.describe(), outcome.block = plan.block();
  plan.set_filter(w.filter.input());
  fail_each_call([&](auto done) { plan.execute(w.signal.input(), outcome.out.output()), done(); },
                 [&] {
                   plan.execute(w.signal.input(), outcome.out.output());
                   EXPECT_TRUE(Oracle(w).accepts(outcome));
                 });
}

TEST_P(Calls, LeaveTheApplicationsLastErrorAlone) {
  Rng rng = test_rng();
  const Workload w = random_workload(kProblem, rng);
  ASSERT_NE(cudaSetDevice(12), cudaSuccess);  // the application's own error
  EXPECT_TRUE(is_right(w, options(Memory::device)));
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidDevice);
}

TEST_P(Calls, NoDriver) {
  for (auto const machine : {standin::Machine::no_driver, standin::Machine::no_device}) {
    standin::set_machine(machine);
    const DeviceInfo cuda = detail::cuda_device_info();
    EXPECT_FALSE(cuda.available);
    EXPECT_FALSE(cuda.detail.empty());
    for (Memory const memory : {Memory::host, Memory::device}) try {
        Plan plan(kProblem, options(memory));
        ADD_FAILURE() << plan.describe();
      } catch (Unsupported const& error) {
        EXPECT_EQ(error.what(), "device cuda: " + cuda.detail);
      }
    EXPECT_THROW(DeviceBuffer<float>(10), Unsupported);
    EXPECT_EQ(Plan({.signal = 1 << 22, .filter = 1000}).device(), Device::cpu);
    standin::set_machine(standin::Machine::present);
  }
}

TEST_P(Calls, SmallProblemsNeverAskForTheDevice) {
  const std::vector<float> signal(1000, 1.0f), filter(20, 1.0f);
  convolve(signal, filter);
  EXPECT_EQ(standin::calls(), 0);
}

// Without a forced device, a GPU that has no memory left is no reason to fail.
TEST(AutomaticDevice, cuda_FallsBackToTheCpu) {
  const Problem p{.signal = 1 << 22, .filter = 1 << 20};
  ASSERT_TRUE(detail::cuda_device_info().available);
  EXPECT_EQ(Plan(p).device(), Device::cuda) << explain(p);
  standin::set_device_memory(1 << 20);
  EXPECT_EQ(Plan(p).device(), Device::cpu);
  EXPECT_THROW(Plan(p, {.device = Device::cuda}), OutOfMemory);
  standin::reset();
}

TEST(AutomaticDevice, cuda_EstimatesPutFirstWhatAPlanTakes) {
  for (std::int64_t const signal : {1000, 1 << 20, 1 << 22})
    for (std::int64_t const filter : {10, 1 << 16}) {
      const Problem p{.signal = signal, .filter = filter};
      const auto all = estimates(p);
      ASSERT_EQ(all.size(), detail::solvers().size());
      const Plan plan(p);
      EXPECT_EQ(all.front().device, plan.device()) << explain(p);
      EXPECT_EQ(all.front().method, plan.method()) << explain(p);
    }
}

// ---- host arrays in pieces ----------------------------------------------------------------------------------------
class Pieces : public Calls {};

TEST_P(Pieces, BatchesLargerThanTheDevice) {
  Rng rng = test_rng();
  standin::set_device_memory(std::size_t{2} << 20);  // pieces of 32 KiB
  for (Filters const filters : {Filters::shared, Filters::per_row}) {
    const Problem p{.signal = 3000, .filter = 33, .batch = 150, .filters = filters, .mode = Mode::same};
    ASSERT_GT(p.signal * p.batch * 8, 2 << 20);
    EXPECT_TRUE(is_right(random_workload(p, rng, {.signal = {.offset = 1, .gap = 3}, .filter = {}, .out = {}}),
                         options(Memory::host), {.offset = 2, .gap = 1}));
  }
}

TEST_P(Pieces, RowsLargerThanAPiece) {
  Rng rng = test_rng();
  standin::set_device_memory(std::size_t{4} << 20);  // pieces of 64 KiB
  for (Mode const mode : {Mode::full, Mode::same, Mode::valid})
    for (std::int64_t const filter : {1, 2, 700}) {
      const Problem p{.signal = 40000, .filter = filter, .batch = 2, .filters = Filters::per_row, .mode = mode};
      EXPECT_TRUE(is_right(random_workload(p, rng), options(Memory::host)));
    }
  const Problem swapped{.signal = 200, .filter = 40000, .mode = Mode::full};
  EXPECT_TRUE(is_right(random_workload(swapped, rng), options(Memory::host)));
}

// Pieces at the ends of a row bring what is beyond them along; those before and behind all samples have none.
TEST_P(Pieces, OfRowsThatAreExtendedAndOfWindows) {
  Rng rng = test_rng();
  standin::set_device_memory(std::size_t{4} << 20);
  for (Boundary const boundary : {Boundary::zero, Boundary::constant, Boundary::mirror, Boundary::wrap})
    for (std::int64_t const step : {1, 3}) {
      Problem p{.signal = 20000, .filter = 300, .batch = 2, .operation = Operation::correlate, .boundary = boundary};
      p.constant = 0.5;
      p.window = Slice{-12000, 44000 / step, step};
      EXPECT_TRUE(is_right(random_workload(p, rng), options(Memory::host)));
    }
}

TEST_P(Pieces, ExecuteOnHostArraysFailsInAnyPiece) {
  Rng rng = test_rng();
  standin::set_device_memory(std::size_t{4} << 20);
  const Problem p{.signal = 3000, .filter = 5, .batch = 8, .mode = Mode::valid};
  const Workload w = random_workload(p, rng);
  Plan plan(p, options(Memory::host));
  plan.set_filter(w.filter.input());
  Array out(Type::float32, 8, plan.output_length());
  fail_each_call([&](auto done) { plan.execute(w.signal.input(), out.output()), done(); },
                 [&] { plan.execute(w.signal.input(), out.output()); });
  EXPECT_TRUE(Oracle(w).accepts({out, plan.describe(), plan.method(), plan.block()}));
}

// ---- images in two passes -----------------------------------------------------------------------------------------
// The host looks at their filters, in the stream's order.
class TwoPassesCalls : public Calls {
 protected:
  static constexpr Problem kImages{.signal = 140,
                                   .filter = 17,
                                   .mode = Mode::same,
                                   .same = Same::scipy,
                                   .lines = {.signal = 40, .filter = 15, .separable = true}};
};

TEST_P(TwoPassesCalls, NeitherAllocateNorWaitNorLoadKernels) {
  Rng rng = test_rng();
  {
    Scene s(kImages, rng);
    make_product(s, 0, rng);
    const auto x = s.signal.upload(), h = s.filter.upload();
    auto y = s.out.upload();
    standin::unload_kernels();
    Plan plan(kImages, options(Memory::device));
    EXPECT_NE(plan.describe().find("two passes"), std::string::npos);
    standin::reset();
    const std::int64_t lazy = standin::lazy_launches();
    plan.set_filter(s.filter.input(h), Stream{});
    plan.execute(s.signal.input(x), s.out.output(y), Stream{});
    EXPECT_EQ(standin::allocation_calls(), 0);
    EXPECT_EQ(standin::synchronizing_calls(), 0);
    EXPECT_EQ(standin::lazy_launches(), lazy);
    s.out.download(y);
    EXPECT_TRUE(is_right(s, false));
  }
  expect_no_leak();
}

// Launches of one graph with a filter that is a product, and with one that is not.
TEST_P(TwoPassesCalls, FiltersMayBeSetWithinAGraph) {
  Rng rng = test_rng();
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
  {
    Scene s(kImages, rng);
    const auto x = s.signal.upload(), h = s.filter.upload();
    auto y = s.out.upload();
    Plan plan(kImages, options(Memory::device));
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t runnable = nullptr;
    ASSERT_EQ(cudaStreamSynchronize(nullptr), cudaSuccess);
    ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    plan.set_filter(s.filter.input(h), stream);
    plan.execute(s.signal.input(x), s.out.output(y), stream);
    ASSERT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
    ASSERT_EQ(cudaGraphInstantiate(&runnable, graph, 0), cudaSuccess);
    for (const bool product : {false, true, false}) {
      if (product) make_product(s, 0, rng);
      else s.filter.fill(rng);
      const auto other = s.filter.upload();
      ASSERT_EQ(cudaMemcpy(const_cast<std::uint8_t*>(h.data()), other.data(), static_cast<std::size_t>(h.size()),
                           cudaMemcpyDeviceToDevice),
                cudaSuccess);
      ASSERT_EQ(cudaStreamSynchronize(nullptr), cudaSuccess);
      ASSERT_EQ(cudaGraphLaunch(runnable, stream), cudaSuccess);
      ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
      s.out.download(y);
      EXPECT_TRUE(is_right(s, false)) << product;
    }
    EXPECT_EQ(cudaGraphExecDestroy(runnable), cudaSuccess);
    EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
  }
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
  expect_no_leak();
}

TEST_P(TwoPassesCalls, EachMayFail) {
  Rng rng = test_rng();
  for (const Memory memory : {Memory::host, Memory::device}) {
    Scene s(kImages, rng);
    make_product(s, 0, rng);
    const auto work = [&](auto done) { s.run(options(memory)), done(); };
    fail_each_call(work, [&] {
      expect_no_leak();
      s.run(options(memory));
      EXPECT_TRUE(is_right(s, false));
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Solvers, TwoPassesCalls, testing::Values(&detail::cuda_direct), solver_name);
INSTANTIATE_TEST_SUITE_P(Solvers, Calls, testing::ValuesIn(cuda_solver_table()), solver_name);
INSTANTIATE_TEST_SUITE_P(Solvers, Pieces, testing::ValuesIn(cuda_solver_table()), solver_name);

}  // namespace
}  // namespace gpuconv::test

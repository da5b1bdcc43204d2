// Few outputs of many taps on a GPU: what does not show in results alone.
#include "support/executors.hpp"
#include "support/scale.hpp"
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include <gtest/gtest.h>

#include <string>

namespace gpuconv::test {
namespace {

using namespace detail;

class DeviceDots : public testing::Test {
 protected:
  void SetUp() override {
    if (const DeviceInfo cuda = cuda_device_info(); !cuda.available) GTEST_SKIP() << cuda.detail;
  }
  static Work work_of(std::int64_t taps, std::int64_t outputs, std::int64_t rows = 1) {
    return {.axis = {.signal = taps + outputs - 1, .filter = taps, .first = taps - 1, .outputs = outputs},
            .loops = {.outer = {.count = rows, .signal_moves = true, .filter_moves = true}, .inner = {}}};
  }
  static double seconds(Work const& w) { return cuda_direct.consider(w, {.memory = Memory::device}).seconds; }
};

// As many rows at once as sums of pieces have room.
TEST_F(DeviceDots, RowsInRoundsAreTheSame) {
  constexpr Solver rounds{Device::cuda, Method::direct, true, [](Work const& w, Resources const& r) {
                            Answer answer = cuda_direct.consider(w, r);
                            answer.parameters.rows = 2;
                            return answer;
                          }};
  Rng rng = test_rng();
  for (std::int64_t const taps : {800, 1024, 1025, 3000}) {
    const Work w = work_of(taps, 6, 5);
    Operand signal(Type::float32, 5, w.axis.signal), filter(Type::float32, 5, taps), all(Type::float32, 5, 6),
        some(Type::float32, 5, 6);
    for (Operand* o : {&signal, &filter})
      for (std::int64_t r = 0; r < 5; ++r)
        for (std::int64_t i = 0; i < o->columns(); ++i)
          *reinterpret_cast<float*>(o->at(r, i)) = static_cast<float>(pick(rng, -1000, 1000)) / 7;
    run_work(cuda_direct, w, signal, filter, all);
    run_work(rounds, w, signal, filter, some);
    EXPECT_EQ(all.elements(), some.elements()) << taps;
  }
}

TEST_F(DeviceDots, ChooseNotByTheBatch) {
  for (std::int64_t const taps : {127, 128, 1000, 5000, 100000})
    for (std::int64_t const outputs : {1, 2, 8, 40, 256, 257}) {
      const bool one = cuda_direct.consider(work_of(taps, outputs), {.memory = Memory::device}).parameters.dots;
      EXPECT_EQ(one, outputs <= taps / 128 && outputs <= 256);
      EXPECT_EQ(cuda_direct.consider(work_of(taps, outputs, 5000), {.memory = Memory::device}).parameters.dots, one);
    }
}

// A few launches and the memory's time, and in proportion where that is most of it.
TEST_F(DeviceDots, AreEstimatedByTheirProducts) {
  EXPECT_LT(seconds(work_of(1 << 20, 1)), 1e-4);
  EXPECT_GT(seconds(work_of(1 << 20, 1)), 1e-6);
  for (std::int64_t const outputs : {1, 16, 250}) {
    const double few = seconds(work_of(1 << 26, outputs)), many = seconds(work_of(1 << 29, outputs));
    EXPECT_GT(many, 6 * few) << outputs;
    EXPECT_LT(many, 9 * few) << outputs;
  }
  EXPECT_GT(seconds(work_of(4096, 1, 100'000)), 8 * seconds(work_of(4096, 1, 10'000)));
  const Options on_device{.memory = Memory::device};
  const Problem one{.signal = 1 << 20, .filter = 1 << 20, .mode = Mode::valid};
  EXPECT_EQ(Plan(one, on_device).method(), Method::direct);
  EXPECT_NE(explain(one, on_device).find("dot products, about"), std::string::npos) << explain(one, on_device);
}

// Sums of pieces are in scratch memory, of the plan or of the caller.
TEST_F(DeviceDots, ScratchMemoryIsAskedForWhereThereArePieces) {
  Options options{.method = Method::direct, .memory = Memory::device, .caller_scratch = true};
  const auto scratch = [&](std::int64_t taps) {
    return Plan({.signal = taps, .filter = taps, .mode = Mode::valid}, options).scratch_bytes();
  };
  EXPECT_EQ(scratch(1024), 0U);
  EXPECT_EQ(scratch(1025), 2 * sizeof(float));
  EXPECT_EQ(scratch(10240), 10 * sizeof(float));
}

}  // namespace
}  // namespace gpuconv::test

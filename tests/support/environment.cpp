// Prints the seed and the SIMD target of every run, and skips all tests, visibly, where the target that GPUCONV_SIMD
// names is one that this machine lacks.
#include "support/random.hpp"
#include "support/simd.hpp"

#include <gpuconv/info.hpp>

#include <gtest/gtest.h>

#include <cstdio>

namespace gpuconv::test {
namespace {

class Suite final : public testing::Environment {
 public:
  void SetUp() override {
    std::printf("GPUCONV_TEST_SEED=%llu, SIMD target %.*s\n", static_cast<unsigned long long>(suite_seed()),
                static_cast<int>(simd_target().size()), simd_target().data());
    std::fflush(stdout);
    if (!machine_has(forced_target())) GTEST_SKIP() << "this machine has no " << forced_target();
  }
};

[[maybe_unused]] testing::Environment* const suite = testing::AddGlobalTestEnvironment(new Suite);

}  // namespace
}  // namespace gpuconv::test

// Prints the seed and the SIMD target of every run, and skips all tests, visibly, where the target that GPUCONV_SIMD
// names is one that this machine lacks.
#include "support/random.hpp"
#include "support/simd.hpp"

#include <gpuconv/info.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

namespace gpuconv::test {
namespace {

class Suite final : public testing::Environment {
 public:
  void SetUp() override {
    std::printf("GPUCONV_TEST_SEED=%llu, SIMD target %.*s\n", static_cast<unsigned long long>(suite_seed()),
                static_cast<int>(simd_target().size()), simd_target().data());
    if (!machine_has(forced_target())) {
      // GoogleTest reports tests that are skipped here as passed; CTest looks for this line.
      std::printf("[  SKIPPED ] this machine has no %s\n", std::getenv("GPUCONV_SIMD"));
      GTEST_SKIP();
    }
    std::fflush(stdout);
  }
};

[[maybe_unused]] testing::Environment* const suite = testing::AddGlobalTestEnvironment(new Suite);

}  // namespace
}  // namespace gpuconv::test

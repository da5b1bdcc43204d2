// Data and copies of bench/, which have to leave the cache where they are said to.
#include "support/copy.hpp"
#include "support/data.hpp"

#include <gtest/gtest.h>

using namespace gpuconv;
using namespace gpuconv::bench;

TEST(DataOfAProblem, LargeOnesRotatePastTheCacheAndSmallOnesStay) {
  EXPECT_EQ(Data({.signal = 100, .filter = 5}).sets(), 1U);
  Data large({.signal = 1 << 20, .filter = 5});
  EXPECT_GE(static_cast<std::int64_t>(large.sets()) * (std::int64_t{8} << 20), 2 * cache_bytes());
  EXPECT_NE(large.signal(0).data(), large.signal(1).data());
}

TEST(StreamingCopy, RunsOnSeveralThreadsAndRoundsUpToWholePieces) {
  Copy copy(1, 2);
  EXPECT_GT(copy.bytes(), 1);
  for (int i = 0; i < 3; ++i) copy.run(2);
}

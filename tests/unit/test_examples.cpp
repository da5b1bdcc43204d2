// Small examples whose results NumPy gives.
#include <gpuconv/gpuconv.hpp>

#include <gmock/gmock.h>

using gpuconv::convolve;
using gpuconv::Mode;
using testing::ElementsAre;

TEST(Examples, FullSameValidAsNumPy) {
  const std::vector<int> x{1, 2, 3, 4, 5}, h{1, 1, 1};
  EXPECT_THAT(convolve(x, h), ElementsAre(1, 3, 6, 9, 12, 9, 5));
  EXPECT_THAT(convolve(x, h, Mode::same), ElementsAre(3, 6, 9, 12, 9));
  EXPECT_THAT(convolve(x, h, Mode::valid), ElementsAre(6, 9, 12));
}

TEST(Examples, AFilterOfTwoDigits) {
  EXPECT_THAT(convolve(std::vector{1, 2, 3, 4}, std::vector{1, 10}, Mode::valid), ElementsAre(12, 23, 34));
}

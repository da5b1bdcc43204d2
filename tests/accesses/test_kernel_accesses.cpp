// What kernels do to memory that the predictions leave out. Moving rows that lie across memory: whole sectors on both
// sides, no lanes that meet in a bank. Images: the same, and no sample comes more often than tiles overlap.
#include "accesses.hpp"
#include "device_array.hpp"
#include "launch.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace gpuconv::kernels {
namespace {

constexpr std::uint64_t kSector = 32;

struct Shape {
  std::int64_t rows, columns;
};

// Moves whole rows of elements of so many bytes from across memory, or back there, and checks where they are.
accesses::Kernel count(Shape shape, int bytes, bool from_across) {
  const auto elements = static_cast<std::size_t>(shape.rows * shape.columns), size = static_cast<std::size_t>(bytes);
  std::vector<std::uint8_t> numbers(elements * size);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<std::uint8_t>(i * 131 + i / 251);
  const simt_test::DeviceArray<std::uint8_t> from(numbers);
  const simt_test::DeviceArray<std::uint8_t> to(numbers.size());
  Transpose t{};
  t.from = from.data(), t.to = to.data();
  t.rows = shape.rows, t.columns = t.size = shape.columns, t.groups = 1;
  t.from_across = from_across;
  (from_across ? t.from_row : t.to_row) = 1, (from_across ? t.from_element : t.to_element) = shape.rows;
  (from_across ? t.to_row : t.from_row) = shape.columns, (from_across ? t.to_element : t.from_element) = 1;

  accesses::start();
  EXPECT_EQ(transpose(t, bytes, nullptr), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(nullptr), cudaSuccess);
  const auto counted = accesses::stop();
  EXPECT_EQ(counted.size(), 1U);

  const std::vector<std::uint8_t> moved = to.download();
  for (std::int64_t r = 0; r < shape.rows; ++r)
    for (std::int64_t i = 0; i < shape.columns; ++i)
      for (std::int64_t b = 0; b < bytes; ++b) {
        const auto at = [&](std::int64_t row, std::int64_t element) {
          return static_cast<std::size_t>((r * row + i * element) * bytes + b);
        };
        EXPECT_EQ(moved[at(t.to_row, t.to_element)], numbers[at(t.from_row, t.from_element)]);
      }
  return counted.begin()->second;
}

std::uint64_t sectors(accesses::Kernel const& kernel, bool written) {
  std::uint64_t sum = 0;
  for (auto const& [kind, counts] : kernel.counts)
    if (!kind.shared && kind.write == written) sum += counts.sectors;
  return sum;
}

TEST(RowsAcrossMemory, AreMovedByWholeSectorsAndWithoutBankConflicts) {
  for (int const bytes : {1, 2, 4, 8, 16})
    for (std::int64_t const rows : {2, 4, 8, 16, 32, 64})
      for (bool const from_across : {true, false}) {
        const Shape shape{rows, 4096 / rows * 2};
        const accesses::Kernel kernel = count(shape, bytes, from_across);
        const auto least = static_cast<std::uint64_t>(shape.rows * shape.columns * bytes) / kSector;
        EXPECT_EQ(sectors(kernel, false), least) << bytes << " bytes, " << rows << " rows, read";
        EXPECT_EQ(sectors(kernel, true), least) << bytes << " bytes, " << rows << " rows, written";
        for (auto const& [kind, counts] : kernel.counts) {
          if (!kind.shared) continue;
          EXPECT_EQ(counts.wavefronts, counts.ideal_wavefronts)
              << bytes << " bytes, " << rows << " rows, " << (kind.write ? "written" : "read");
        }
      }
}

TEST(RowsAcrossMemory, NoNumberOfRowsOrElementsIsSpecial) {
  for (int const bytes : {1, 2, 4, 8, 16})
    for (std::int64_t const rows : {1, 3, 31, 33})
      for (std::int64_t const columns : {1, 5, 63, 129, 300}) count({rows, columns}, bytes, (rows + columns) % 4 == 0);
}

// ---- images
// ----------------------------------------------------------------------------------------------------------
TEST(Images, TilesAreLoadedAndStoredByWholeSectorsAndWithoutBankConflicts) {
  constexpr std::int64_t kLines = 2 * kImageTileLines, kColumns = 256, kTileColumns = 128;
  struct FilterShape {
    std::int64_t lines, taps;
  };
  for (auto const& [filter_lines, taps] : {FilterShape{3, 3}, {5, 5}, {15, 15}, {16, 32}, {2, 9}}) {
    const std::vector<float> ones(static_cast<std::size_t>((kLines + filter_lines) * kColumns * 2), 1.0F);
    const simt_test::DeviceArray<float> signal(ones), filter(ones);
    const simt_test::DeviceArray<float> out(static_cast<std::size_t>(kLines * kColumns));
    const std::int64_t signal_lines = kLines + filter_lines - 1, columns = kColumns + taps - 1;
    const Image problem{
        .operands = {.signal = {.data = signal.data(), .line = 2 * kColumns},
                     .out = {.data = out.data(), .line = kColumns},
                     .loops = {},
                     .part = {.row = 0, .rows = 1, .samples = columns, .first = taps - 1, .outputs = kColumns}},
        .taps = filter.data(),
        .filter_lines = filter_lines,
        .taps_count = taps,
        .signal_parts = 1,
        .filter_parts = 1,
        .signal_lines = signal_lines,
        .first_line = filter_lines - 1,
        .output_lines = kLines,
        .line_step = 1};
    accesses::start();
    EXPECT_EQ(image(problem, Type::float32, 100, nullptr), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(nullptr), cudaSuccess);
    const auto counted = accesses::stop();
    ASSERT_EQ(counted.size(), 1U);
    for (const float sum : out.download()) ASSERT_EQ(sum, static_cast<float>(filter_lines * taps));

    accesses::Kernel const& kernel = counted.begin()->second;
    const std::string what = std::to_string(filter_lines) + " x " + std::to_string(taps);
    EXPECT_EQ(sectors(kernel, true), static_cast<std::uint64_t>(kLines * kColumns) * 4 / kSector) << what;
    // Each access of a warp may begin and end within a sector; taps are few.
    const std::int64_t tiles = kLines / kImageTileLines * (kColumns / kTileColumns);
    const std::int64_t line_sectors = (kTileColumns + taps + 2 + 31) / 32 * 5;
    const std::int64_t most = tiles * ((kImageTileLines + filter_lines - 1) * line_sectors + 2 * filter_lines * taps);
    EXPECT_LE(sectors(kernel, false), static_cast<std::uint64_t>(most)) << what;
    for (auto const& [kind, counts] : kernel.counts)
      if (kind.shared && kind.bytes == 16) {
        EXPECT_EQ(counts.wavefronts, counts.ideal_wavefronts) << what << (kind.write ? ", written" : ", read");
      }
  }
}

}  // namespace
}  // namespace gpuconv::kernels

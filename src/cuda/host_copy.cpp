#include "host_copy.hpp"

#include "../core/thread_pool.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace gpuconv::detail {
namespace {

constexpr std::int64_t kTaskBytes = 1 << 20;  // that a thread copies at a time

// Rows whose elements lie next to each other on both sides.
void copy_bytes(ElementRows<void> to, ElementRows<void const> from, std::int64_t rows, std::int64_t width,
                int threads) {
  const std::int64_t together = std::clamp<std::int64_t>(kTaskBytes / width, 1, rows);  // rows of a task
  const std::int64_t parts = (width + kTaskBytes - 1) / kTaskBytes;                     // of a row
  const auto task = [&](std::int64_t i, int) {
    const std::int64_t begin = i / parts * together, end = std::min(rows, begin + together);
    const std::int64_t at = i % parts * kTaskBytes, bytes = std::min(kTaskBytes, width - at);
    for (std::int64_t r = begin; r < end; ++r)
      std::memcpy(static_cast<char*>(to.data) + r * to.stride + at,
                  static_cast<char const*>(from.data) + r * from.stride + at, static_cast<std::size_t>(bytes));
  };
  const std::int64_t tasks = parts * ((rows + together - 1) / together);
  parallel_for(tasks, static_cast<int>(std::min<std::int64_t>(threads, tasks)), task);
}

// A task takes a tile: of a matrix whose columns are convolved, either side has whole cache lines in it.
template <std::size_t kBytes>
void copy_elements(ElementRows<void> to, ElementRows<void const> from, std::int64_t rows, std::int64_t columns,
                   int threads) {
  constexpr std::int64_t kTileRows = 64, kTileColumns = 256;
  const std::int64_t across = (columns + kTileColumns - 1) / kTileColumns;
  const auto task = [&](std::int64_t i, int) {
    const std::int64_t r0 = i / across * kTileRows, r1 = std::min(rows, r0 + kTileRows);
    const std::int64_t c0 = i % across * kTileColumns, c1 = std::min(columns, c0 + kTileColumns);
    for (std::int64_t r = r0; r < r1; ++r)
      for (std::int64_t c = c0; c < c1; ++c)
        std::memcpy(static_cast<char*>(to.data) + r * to.stride + c * to.element_stride,
                    static_cast<char const*>(from.data) + r * from.stride + c * from.element_stride, kBytes);
  };
  const std::int64_t tasks = across * ((rows + kTileRows - 1) / kTileRows);
  parallel_for(tasks, static_cast<int>(std::min<std::int64_t>(threads, tasks)), task);
}

}  // namespace

void copy_on_host(ElementRows<void> to, ElementRows<void const> from, std::int64_t rows, std::int64_t columns,
                  std::int64_t element, int threads) {
  if (rows == 0 || columns == 0) return;
  if (to.element_stride == element && from.element_stride == element)
    return copy_bytes(to, from, rows, columns * element, threads);
  switch (element) {
    case 1:
      return copy_elements<1>(to, from, rows, columns, threads);
    case 2:
      return copy_elements<2>(to, from, rows, columns, threads);
    case 4:
      return copy_elements<4>(to, from, rows, columns, threads);
    case 8:
      return copy_elements<8>(to, from, rows, columns, threads);
    default:
      return copy_elements<16>(to, from, rows, columns, threads);
  }
}

void copy_on_host(ElementImages<void> to, ElementImages<void const> from, ImageCount const& count, std::int64_t element,
                  int threads) {
  if (count.lines == 1)
    return copy_on_host({to.data, to.stride, to.element_stride}, {from.data, from.stride, from.element_stride},
                        count.images, count.columns, element, threads);
  for (std::int64_t i = 0; i < count.images; ++i)
    copy_on_host({static_cast<char*>(to.data) + i * to.stride, to.line_stride, to.element_stride},
                 {static_cast<char const*>(from.data) + i * from.stride, from.line_stride, from.element_stride},
                 count.lines, count.columns, element, threads);
}

}  // namespace gpuconv::detail

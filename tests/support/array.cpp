#include "support/array.hpp"

#include <algorithm>

namespace gpuconv::test {

Array::Array(Type type, std::int64_t rows, std::int64_t columns, Layout layout)
    : type_(type),
      shape_{.rows = rows, .columns = columns, .stride = columns + layout.gap},
      begin_(kGuard + static_cast<std::size_t>(layout.offset) * size_of(type)),
      storage_(begin_ + static_cast<std::size_t>(rows * *shape_.stride) * size_of(type) + kGuard, std::byte{0xFF}) {}

std::span<std::byte const> Array::bytes(std::int64_t r) const {
  const std::size_t size = size_of(type_);
  return {data() + static_cast<std::size_t>(r * *shape_.stride) * size,
          static_cast<std::size_t>(shape_.columns) * size};
}

testing::AssertionResult Array::guards_intact() const {
  const auto first_written = [&](std::size_t begin, std::size_t end) {
    const auto at = [&](std::size_t i) { return storage_.begin() + static_cast<std::ptrdiff_t>(i); };
    return static_cast<std::size_t>(std::find_if(at(begin), at(end), [](std::byte b) { return b != std::byte{0xFF}; }) -
                                    storage_.begin());
  };
  const auto check = [&](std::size_t begin, std::size_t end) -> std::ptrdiff_t {
    const std::size_t found = first_written(begin, end);
    return found == end ? -1 : static_cast<std::ptrdiff_t>(found);
  };
  const std::size_t row = static_cast<std::size_t>(shape_.columns) * size_of(type_);
  const std::size_t stride = static_cast<std::size_t>(*shape_.stride) * size_of(type_);
  std::size_t begin = 0;
  for (std::int64_t r = 0; r <= shape_.rows; ++r) {
    const std::size_t end = r == shape_.rows ? storage_.size() : begin_ + static_cast<std::size_t>(r) * stride;
    if (const std::ptrdiff_t at = check(begin, end); at >= 0)
      return testing::AssertionFailure() << "byte " << at - static_cast<std::ptrdiff_t>(begin_)
                                         << " was written, outside the rows (before row " << r << " of " << shape_.rows
                                         << ", " << row << " bytes each, " << stride << " bytes apart)";
    begin = end + row;
  }
  return testing::AssertionSuccess();
}

}  // namespace gpuconv::test

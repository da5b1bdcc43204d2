#include "copy.hpp"

#include "../text.hpp"
#include "runtime.hpp"

#include <gpuconv/error.hpp>

#include <algorithm>
#include <limits>

namespace gpuconv {
namespace detail {
namespace {

template <class Void>
ByteRows<Void> bytes_of(AnyRowsView<Void> const& v) {
  return {v.data(), v.stride() * static_cast<std::int64_t>(size_of(v.type()))};
}

void check_shapes(AnyRowsView<void const> const& from, AnyRowsView<void> const& to) {
  if (from.type() != to.type())
    throw InvalidArgument(text("copy from ", name(from.type()), " to ", name(to.type()), ": the types differ"));
  if (from.rows() != to.rows() || from.columns() != to.columns())
    throw InvalidArgument(text("copy from ", from.rows(), " x ", from.columns(), " to ", to.rows(), " x ", to.columns(),
                               ": the shapes differ"));
  if (static_cast<int>(from.type()) >= type_count) throw InvalidArgument("copy: unknown element type");
  if (from.element_stride() != 1 || to.element_stride() != 1)
    throw InvalidArgument("copy: the elements of a row have to follow each other");
  if (from.rows() < 0 || from.columns() < 0 || (to.rows() > 1 && to.stride() < to.columns()))
    throw InvalidArgument("copy: a negative shape, or rows that overlap where they are written");
  if (from.rows() * from.columns() > 0 && (!from.data() || !to.data())) throw InvalidArgument("copy: a null pointer");
}

void copy_views(AnyRowsView<void const> const& from, AnyRowsView<void> const& to, cudaMemcpyKind kind, Stream stream) {
  check_shapes(from, to);
  static_cast<void>(current_device());
  const std::int64_t width = from.columns() * static_cast<std::int64_t>(size_of(from.type()));
  copy_rows(bytes_of(to), bytes_of(from), from.rows(), width, kind, stream.handle());
  // Also towards the device: from pinned memory a copy would still be under way.
  synchronize(stream);
}

}  // namespace

void copy_rows(ByteRows<void> to, ByteRows<void const> from, std::int64_t rows, std::int64_t width, cudaMemcpyKind kind,
               cudaStream_t stream) {
  if (rows == 0 || width == 0) return;
  const auto bytes = [](std::int64_t n) { return static_cast<std::size_t>(n); };
  if (rows == 1 || (to.stride == width && from.stride == width)) {
    check_cuda(cudaMemcpyAsync(to.data, from.data, bytes(rows * width), kind, stream), "cudaMemcpyAsync");
  } else if (std::min(to.stride, from.stride) >= width &&
             std::max(to.stride, from.stride) <= std::numeric_limits<int>::max()) {
    check_cuda(cudaMemcpy2DAsync(to.data, bytes(to.stride), from.data, bytes(from.stride), bytes(width), bytes(rows),
                                 kind, stream),
               "cudaMemcpy2DAsync");
  } else {  // rows that overlap, or a stride beyond what the call takes
    for (std::int64_t r = 0; r < rows; ++r)
      check_cuda(cudaMemcpyAsync(static_cast<char*>(to.data) + r * to.stride,
                                 static_cast<char const*>(from.data) + r * from.stride, bytes(width), kind, stream),
                 "cudaMemcpyAsync");
  }
}

}  // namespace detail

void copy(HostInput from, DeviceOutput to, Stream stream) {
  detail::guarded([&] { detail::copy_views(from, to, cudaMemcpyHostToDevice, stream); });
}
void copy(DeviceInput from, HostOutput to, Stream stream) {
  detail::guarded([&] { detail::copy_views(from, to, cudaMemcpyDeviceToHost, stream); });
}

}  // namespace gpuconv

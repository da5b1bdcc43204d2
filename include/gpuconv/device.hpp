// Memory of a CUDA device, and streams, without any CUDA header: views, buffers, copies. A build without CUDA has all
// of it too; what would need a device throws Unsupported there.
#pragma once

#include <gpuconv/export.hpp>
#include <gpuconv/view.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

struct CUstream_st;  // cudaStream_t is a pointer to it
struct CUevent_st;   // and cudaEvent_t to this

namespace gpuconv {

/// A CUDA stream of the caller's: converts from cudaStream_t. The default is CUDA's legacy default stream.
class Stream {
 public:
  constexpr Stream(CUstream_st* handle = nullptr) noexcept : handle_(handle) {}
  constexpr CUstream_st* handle() const noexcept { return handle_; }

 private:
  CUstream_st* handle_;
};

/// Returns when everything enqueued on `stream` is done. Throws CudaError where some of it has failed.
GPUCONV_API void synchronize(Stream stream);

/// Whether what is enqueued on `stream` becomes part of a CUDA graph in place of being done. Throws CudaError,
/// Unsupported (no device).
GPUCONV_API bool is_captured(Stream stream);

/// A moment in a stream's work that other streams can wait for, on the device that is current when it is made: a
/// cudaEvent_t without times. Move-only.
class GPUCONV_API Event {
 public:
  /// Throws CudaError, Unsupported (no device).
  Event();
  Event(Event&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Event& operator=(Event&& other) noexcept {
    Event moved(std::move(other));
    std::swap(handle_, moved.handle_);
    return *this;
  }
  ~Event();

  /// From now on the moment is when all is done that is enqueued on `stream` by now. Throws CudaError.
  void record(Stream stream);
  /// What is enqueued on `stream` from now on comes after the moment; after nothing where none was recorded. Throws
  /// CudaError.
  void precede(Stream stream) const;

 private:
  CUevent_st* handle_ = nullptr;
};

/// The device, by CUDA's number, in whose memory the element at `data` is. Throws InvalidArgument for memory that CUDA
/// does not know, which is the host's; CudaError, Unsupported (no device).
GPUCONV_API int device_of(void const* data);

/// Makes a device, by CUDA's number, the calling thread's current one for as long as it exists.
class GPUCONV_API OnDevice {
 public:
  /// Throws CudaError, Unsupported (no CUDA in this build).
  explicit OnDevice(int index);
  OnDevice(OnDevice const&) = delete;
  OnDevice& operator=(OnDevice const&) = delete;
  ~OnDevice();

 private:
  int before_ = 0, index_;
};

/// Bytes of device memory, for a call to use as scratch.
struct DeviceBytes {
  void* data = nullptr;
  std::size_t size = 0;
};

/// Where device memory comes from: implement it to make gpuconv use an application's own pool. Both are called on the
/// thread that calls gpuconv, with the plan's device current.
class GPUCONV_API DeviceAllocator {
 public:
  virtual ~DeviceAllocator() = default;
  // A plan names the legacy default stream in both, whatever streams it is used in, and waits: for the memory when it
  // is made, for the device before it gives memory back.
  /// `bytes` (never 0) of memory, aligned to 256 bytes, usable by what is enqueued on `stream` from now on. Throws
  /// std::bad_alloc or a gpuconv::Error where it cannot.
  virtual void* allocate(std::size_t bytes, Stream stream) = 0;
  /// Takes back what `allocate` returned; it may be used again after what is enqueued on `stream` by now.
  virtual void deallocate(void* memory, std::size_t bytes, Stream stream) noexcept = 0;
};

template <Element T>
class DeviceBuffer;

namespace detail {

// An owner of device memory that hands out a fancy pointer, as thrust::device_vector does.
template <class R, class T>
concept DeviceContainer = requires(R& r) {
  { r.data().get() } -> std::convertible_to<T*>;
  { r.size() } -> std::convertible_to<std::size_t>;
};
template <class R>
using device_element_t = std::remove_pointer_t<decltype(std::declval<R&>().data().get())>;
template <class R>
concept ElementContainer = Element<device_element_t<R>> && DeviceContainer<R, device_element_t<R>>;

GPUCONV_API void* allocate_device(std::size_t bytes, Stream stream, DeviceAllocator* allocator);
GPUCONV_API void deallocate_device(void* memory, std::size_t bytes, Stream stream, DeviceAllocator* allocator) noexcept;

}  // namespace detail

/// A `[rows][columns]` array of `T` in the memory of a CUDA device, or `[images][lines][columns]`.
template <Element T>
class DeviceView : public detail::RowsView<T> {
 public:
  /// One row of `columns` elements. `data` is a device pointer.
  constexpr DeviceView(T* data, std::int64_t columns) noexcept : DeviceView(data, Rows{.columns = columns}) {}
  /// `shape.rows` rows; the caller guarantees that every row lies in valid device memory.
  constexpr DeviceView(T* data, Rows shape) noexcept : detail::RowsView<T>(data, shape) {}
  /// `shape.images` images; the caller guarantees that every line lies in valid device memory.
  template <std::same_as<Images> Shape>
  constexpr DeviceView(T* data, Shape shape) noexcept : detail::RowsView<T>(data, shape) {}
  /// One row: a whole buffer.
  DeviceView(DeviceBuffer<std::remove_const_t<T>>& buffer) noexcept : DeviceView(buffer.data(), buffer.size()) {}
  DeviceView(DeviceBuffer<std::remove_const_t<T>> const& buffer) noexcept requires std::is_const_v<T>
      : DeviceView(buffer.data(), buffer.size()) {}
  /// One row: a thrust::device_vector, or another container whose `data()` is a pointer with a `get()`.
  template <detail::DeviceContainer<T> R>
  constexpr DeviceView(R& container) noexcept
      : DeviceView(container.data().get(), static_cast<std::int64_t>(container.size())) {}
};

template <Element T>
DeviceView(DeviceBuffer<T>&) -> DeviceView<T>;
template <Element T>
DeviceView(DeviceBuffer<T> const&) -> DeviceView<T const>;
template <detail::ElementContainer R>
DeviceView(R&) -> DeviceView<detail::device_element_t<R>>;

/// A `DeviceView` whose element type is known at run time. `Void` is `void const` (what a call reads) or `void` (what
/// it writes).
template <class Void>
class AnyDeviceView : public detail::AnyRowsView<Void> {
 public:
  template <detail::SeenAs<Void> T>
  constexpr AnyDeviceView(DeviceView<T> view) noexcept : detail::AnyRowsView<Void>(view) {}
  /// One row: a whole buffer.
  template <Element T>
  AnyDeviceView(DeviceBuffer<T>& buffer) noexcept : AnyDeviceView(DeviceView<T>(buffer)) {}
  template <Element T>
  requires(std::is_const_v<Void>) AnyDeviceView(DeviceBuffer<T> const& buffer)
  noexcept : AnyDeviceView(DeviceView<T const>(buffer)) {}
  /// One row: a thrust::device_vector or the like.
  template <detail::ElementContainer R>
  requires detail::SeenAs<detail::device_element_t<R>, Void>
  constexpr AnyDeviceView(R& container) noexcept : AnyDeviceView(DeviceView<detail::device_element_t<R>>(container)) {}
  /// `stride` of `shape` counts elements of `type`.
  constexpr AnyDeviceView(Void* data, Type type, Rows shape) noexcept : detail::AnyRowsView<Void>(data, type, shape) {}
  /// Images; the strides of `shape` count elements of `type`.
  template <std::same_as<Images> Shape>
  constexpr AnyDeviceView(Void* data, Type type, Shape shape) noexcept : detail::AnyRowsView<Void>(data, type, shape) {}
};

/// Device memory that a call reads.
using DeviceInput = AnyDeviceView<void const>;
/// Device memory that a call writes.
using DeviceOutput = AnyDeviceView<void>;

/// `size` elements of device memory on the current device, not initialised. Stream-ordered: allocated on a stream and
/// released on the same one, after what is enqueued there by then; the stream must outlive the buffer. Move-only.
template <Element T>
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  /// Throws InvalidArgument (a negative size), OutOfMemory, CudaError, Unsupported (no device). `allocator` must
  /// outlive the buffer; none: CUDA's own pool (cudaMallocAsync).
  explicit DeviceBuffer(std::int64_t size, Stream stream = {}, DeviceAllocator* allocator = nullptr)
      : data_(static_cast<T*>(detail::allocate_device(bytes_of(size), stream, allocator))),
        size_(size),
        stream_(stream),
        allocator_(allocator) {}
  DeviceBuffer(DeviceBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        stream_(other.stream_),
        allocator_(other.allocator_) {}
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
    DeviceBuffer moved(std::move(other));
    std::swap(data_, moved.data_), std::swap(size_, moved.size_);
    std::swap(stream_, moved.stream_), std::swap(allocator_, moved.allocator_);
    return *this;
  }
  ~DeviceBuffer() {
    detail::deallocate_device(data_, static_cast<std::size_t>(size_) * sizeof(T), stream_, allocator_);
  }

  T* data() noexcept { return data_; }
  T const* data() const noexcept { return data_; }
  std::int64_t size() const noexcept { return size_; }
  /// The whole buffer as scratch memory: `DeviceBuffer<std::uint8_t>` is one for `Plan::scratch_bytes`.
  DeviceBytes bytes() noexcept { return {data_, static_cast<std::size_t>(size_) * sizeof(T)}; }

 private:
  // A size that overflows or is negative becomes one that nobody has.
  static std::size_t bytes_of(std::int64_t size) {
    std::size_t bytes;
    return __builtin_mul_overflow(size, sizeof(T), &bytes) ? SIZE_MAX : bytes;
  }

  T* data_ = nullptr;
  std::int64_t size_ = 0;
  Stream stream_;
  DeviceAllocator* allocator_ = nullptr;
};

/// Copies between host and device; both sides have the same element type and shape, strides may differ. To the device:
/// `from` may be changed once the call returns, `to` is written in the order of `stream`. To the host: returns when
/// `to` is written. Throws InvalidArgument, CudaError, Unsupported (no device).
GPUCONV_API void copy(HostInput from, DeviceOutput to, Stream stream = {});
GPUCONV_API void copy(DeviceInput from, HostOutput to, Stream stream = {});

}  // namespace gpuconv

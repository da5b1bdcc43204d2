// The shared memory of a launch's running block: an exact-size fenced allocation for each array.
#pragma once

#include <cstddef>
#include <vector>

namespace simt {

class SharedMemory {
 public:
  SharedMemory() = default;
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory();

  /// Fresh arrays, with all bits set, for a block that is about to run.
  void begin_block(std::size_t dynamic_bytes);
  void* dynamic() const { return arrays_[0].data; }
  /// The array of a declaration, made by the first thread of the block that comes to it.
  void* declared(const void* declaration, std::size_t bytes, std::size_t alignment);
  bool contains(const void* p, std::size_t bytes) const;
  /// Whether the block stayed within its arrays.
  bool fences_are_intact() const;

  std::size_t retired_bytes() const { return retired_bytes_; }
  /// Gives back what blocks have used. Nothing that comes later may run beside those blocks.
  void free_retired();

 private:
  struct Array {
    const void* declaration = nullptr;  ///< null: dynamic shared memory
    void* data = nullptr;
    std::size_t bytes = 0, alignment = 0;
    bool in_use = false;  ///< by the running block
  };
  static Array allocate(const void* declaration, std::size_t bytes, std::size_t alignment);
  static void refresh(Array& array);
  void retire_all();

  std::vector<Array> arrays_;  ///< the dynamic array first
  std::vector<Array> retired_;
  std::size_t retired_bytes_ = 0;
};

}  // namespace simt

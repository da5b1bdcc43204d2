// Device memory from an application's own pool: gpuconv takes all of its device memory from where it is told to.
#include <gpuconv/gpuconv.hpp>

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <new>
#include <vector>

namespace {

// A block of device memory taken once, handed out piece by piece, and taken back as a whole when nothing of it is in
// use. It knows nothing of streams, so one pool serves one stream.
class Arena final : public gpuconv::DeviceAllocator {
 public:
  explicit Arena(std::size_t bytes) : bytes_(bytes) {
    if (cudaMalloc(&memory_, bytes) != cudaSuccess) throw std::bad_alloc();
  }
  Arena(Arena const&) = delete;
  Arena& operator=(Arena const&) = delete;
  ~Arena() override { cudaFree(memory_); }

  void* allocate(std::size_t bytes, gpuconv::Stream) override {
    const std::size_t rounded = (bytes + 255) / 256 * 256;  // what follows is aligned as well
    if (rounded > bytes_ - used_)
      throw gpuconv::OutOfMemory("the arena has not enough left", static_cast<std::int64_t>(bytes));
    void* const piece = static_cast<char*>(memory_) + used_;
    used_ += rounded, ++pieces_, most_ = std::max(most_, used_);
    return piece;
  }
  void deallocate(void*, std::size_t, gpuconv::Stream) noexcept override {
    if (--pieces_ == 0) used_ = 0;
  }
  std::size_t most() const { return most_; }
  std::size_t used() const { return used_; }

 private:
  void* memory_ = nullptr;
  std::size_t bytes_, used_ = 0, pieces_ = 0, most_ = 0;
};

void run() {
  using namespace gpuconv;

  Arena arena(std::size_t{4} << 20);  // before the plans and buffers, so that it outlives them
  {
    Plan plan({.signal = 1 << 16, .filter = 1000, .mode = Mode::valid},
              {.memory = Memory::device, .allocator = &arena});
    const Stream stream;
    plan.set_filter(std::vector<float>(1000, 0.001F), stream);
    DeviceBuffer<float> signal(1 << 16, stream, &arena), out(plan.output_length(), stream, &arena);
    copy(std::vector<float>(1 << 16, 3.0F), signal, stream);
    plan.execute(signal, out, stream);
    std::vector<float> result(static_cast<std::size_t>(out.size()));
    copy(out, result, stream);
    std::cout << "average " << result.front() << ", the plan holds " << plan.workspace_bytes() << " bytes\n";
  }
  std::cout << "at most " << arena.most() << " bytes were in use, now " << arena.used() << '\n';

  try {
    const Plan larger({.signal = 1 << 26, .filter = 100'000}, {.memory = Memory::device, .allocator = &arena});
    std::cout << "that needs " << larger.workspace_bytes() << " bytes\n";
  } catch (OutOfMemory const& error) {
    std::cout << "refused: " << error.what() << '\n';
  }
}

}  // namespace

int main() {
  try {
    if (const gpuconv::DeviceInfo gpu = gpuconv::devices().back(); gpu.available) run();
    else std::cout << "not here: " << gpu.detail << '\n';
  } catch (std::exception const& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}

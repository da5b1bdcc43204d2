#include "support/executors.hpp"

#include "cpu/aligned.hpp"

#include <gpuconv/device.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

namespace gpuconv::test {

using namespace detail;

Operand::Operand(Type type, std::int64_t rows, std::int64_t columns, std::int64_t stride, std::int64_t gap)
    : type_(type),
      rows_(rows),
      columns_(columns),
      stride_(stride),
      pitch_((columns - 1) * std::abs(stride) + 1 + gap),
      memory_(static_cast<std::size_t>(rows * pitch_) * size_of(type), std::byte{0xFF}) {}

std::size_t Operand::origin() const {
  return stride_ < 0 ? static_cast<std::size_t>((columns_ - 1) * -stride_) * size_of(type_) : 0;
}
std::byte* Operand::at(std::int64_t r, std::int64_t i) {
  return memory_.data() + origin() + (r * pitch_ + i * stride_) * static_cast<std::int64_t>(size_of(type_));
}
void Operand::take(Operand const& other) {
  for (std::int64_t r = 0; r < rows_; ++r)
    for (std::int64_t i = 0; i < columns_; ++i)
      std::copy_n(const_cast<Operand&>(other).at(r, i), size_of(type_), at(r, i));
}
std::vector<std::byte> Operand::elements() const {
  std::vector<std::byte> out;
  for (std::int64_t r = 0; r < rows_; ++r)
    for (std::int64_t i = 0; i < columns_; ++i) {
      std::byte* const element = const_cast<Operand*>(this)->at(r, i);
      out.insert(out.end(), element, element + size_of(type_));
    }
  return out;
}

namespace {

// An operand's memory, or a copy of it on the device.
class Placed {
 public:
  Placed(Operand const& operand, bool on_device) : origin_(operand.origin()) {
    if (!on_device) {
      bytes_ = const_cast<std::byte*>(operand.memory().data());
      return;
    }
    const auto size = static_cast<std::int64_t>(operand.memory().size());
    buffer_ = DeviceBuffer<std::uint8_t>(size);
    copy(HostInput(operand.memory().data(), Type::uint8, {.columns = size}), DeviceOutput(buffer_));
    bytes_ = buffer_.data();
  }
  void* origin() { return static_cast<char*>(bytes_) + origin_; }
  void back_to(Operand& operand) {
    if (buffer_.data())
      copy(DeviceInput(buffer_), HostOutput(operand.memory().data(), Type::uint8, {.columns = buffer_.size()}));
  }

 private:
  std::size_t origin_;
  void* bytes_ = nullptr;
  DeviceBuffer<std::uint8_t> buffer_;
};

}  // namespace

void run_work(Solver const& solver, Work const& work, Part const& part, Input from, Operand const& signal,
              Operand const& filter, Output to, Operand& out) {
  const bool on_device = solver.device == Device::cuda;
  const Resources resources{.threads = 2, .memory = on_device ? Memory::device : Memory::host};
  const Answer answer = solver.consider(work, resources);
  ASSERT_EQ(answer.refusal, nullptr) << answer.refusal(work);
  const auto executor = answer.executor(work, resources);
  Placed signal_there(signal, on_device), filter_there(filter, on_device), out_there(out, on_device);
  from.data = signal_there.origin(), from.type = signal.type(), from.stride = signal.stride();
  to.data = out_there.origin(), to.type = out.type(), to.stride = out.stride();
  const Input taps{
      .data = filter_there.origin(), .type = filter.type(), .outer = filter.pitch(), .stride = filter.stride()};
  AlignedBuffer<char> scratch(on_device ? 0 : static_cast<std::int64_t>(executor->scratch_bytes()));
  DeviceBuffer<std::uint8_t> device_scratch(on_device ? static_cast<std::int64_t>(executor->scratch_bytes()) : 0);
  const Means means{.scratch = on_device ? static_cast<void*>(device_scratch.data()) : scratch.data()};
  executor->set_filter(taps, work.filters(), means);
  executor->run(from, to, part, means);
  if (on_device) synchronize({});
  out_there.back_to(out);
}

void run_work(Solver const& solver, Work const& work, Operand const& signal, Operand const& filter, Operand& out) {
  const std::int64_t row = work.loops.outer.signal_moves ? signal.pitch() : 0;
  run_work(solver, work, whole(work), {.outer = row}, signal, filter, {.outer = out.pitch()}, out);
}

}  // namespace gpuconv::test

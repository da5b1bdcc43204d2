// Checks what callers pass to plans, and turns allocation failures into OutOfMemory.
#include "planner.hpp"
#include "text.hpp"

#include <gpuconv/error.hpp>

#include <cstdint>

namespace gpuconv {

using namespace detail;

namespace {

constexpr std::string_view kForDevice = "this plan is for arrays in device memory, as Options::memory said";
constexpr std::string_view kForHost =
    "this plan is for arrays in host memory: make it with Options::memory = Memory::device";

// One call at a time: two at once would share the memory that a plan works in.
class Exclusive {
 public:
  explicit Exclusive(Runner& runner) : in_use_(runner.in_use) {
    if (in_use_.test_and_set(std::memory_order_acquire))
      throw InvalidArgument("the plan is in use by another thread: one plan serves one thread at a time");
  }
  Exclusive(Exclusive const&) = delete;
  Exclusive& operator=(Exclusive const&) = delete;
  ~Exclusive() { in_use_.clear(std::memory_order_release); }

 private:
  std::atomic_flag& in_use_;
};

struct Bytes {
  std::uintptr_t begin, end;
};

template <class Void>
Bytes extent(AnyRowsView<Void> const& v) {
  const auto begin = reinterpret_cast<std::uintptr_t>(v.data());
  const auto elements = static_cast<std::uintptr_t>((v.rows() - 1) * v.stride() + v.columns());
  return {begin, begin + elements * size_of(v.type())};
}

template <class Void>
void check_view(AnyRowsView<Void> const& v, const char* what, std::int64_t rows, std::int64_t columns, Type type) {
  if (v.type() != type)
    throw InvalidArgument(text("the ", what, " is ", name(v.type()), ", the plan expects ", name(type)));
  if (v.rows() != rows || v.columns() != columns)
    throw InvalidArgument(
        text("the ", what, " is ", v.rows(), " x ", v.columns(), ", the plan expects ", rows, " x ", columns));
  if (!v.data()) throw InvalidArgument(text("the ", what, " is a null pointer"));
  if (reinterpret_cast<std::uintptr_t>(v.data()) % size_of(type) != 0)
    throw InvalidArgument(text("the ", what, " is not aligned to its element type ", name(type)));
  // Rows that are read may overlap (windows of one signal) or be one row, rows that are written may not.
  const std::int64_t smallest = std::is_const_v<Void> ? 0 : columns;
  if (rows > 1 && v.stride() < smallest)
    throw InvalidArgument(
        text("the ", what, " has a row stride of ", v.stride(), ", at least ", smallest, " is expected"));
  std::int64_t last;
  if (__builtin_mul_overflow(rows - 1, v.stride(), &last) || __builtin_add_overflow(last, columns, &last) ||
      __builtin_mul_overflow(last, static_cast<std::int64_t>(size_of(type)), &last))
    throw InvalidArgument(text("the ", what, " with a row stride of ", v.stride(), " overflows 64-bit sizes"));
}

void check_filter(Work const& w, AnyRowsView<void const> const& filter) {
  check_view(filter, "filter", w.filters(), w.axis.filter, w.filter_type);
}

void check_arrays(Runner const& r, AnyRowsView<void const> const& signal, AnyRowsView<void> const& out) {
  Work const& w = r.work;
  if (!r.has_filter) throw InvalidArgument("execute before set_filter");
  check_view(signal, "signal", w.loops.signals(), w.axis.signal, w.signal_type);
  check_view(out, "output", w.rows(), w.axis.outputs, w.result_type);
  const Bytes in = extent(signal), result = extent(out);
  if (in.begin < result.end && result.begin < in.end)
    throw InvalidArgument("the address ranges of signal and output overlap");
}

}  // namespace

void Runner::set_filter(HostInput) { throw InvalidArgument(kForDevice); }
void Runner::execute(HostInput, HostOutput) { throw InvalidArgument(kForDevice); }
void Runner::set_filter(DeviceInput, Stream, DeviceBytes) { throw InvalidArgument(kForHost); }
void Runner::set_filter(HostInput, Stream, DeviceBytes) { throw InvalidArgument(kForHost); }
void Runner::execute(DeviceInput, DeviceOutput, Stream, DeviceBytes) { throw InvalidArgument(kForHost); }

Plan::Plan(Problem const& problem, Options const& options) {
  guarded([&] { runner_ = make_runner(problem, options); });
}
Plan::Plan(Plan&&) noexcept = default;
Plan& Plan::operator=(Plan&&) noexcept = default;
Plan::~Plan() = default;

Runner& Plan::runner() const {
  if (!runner_) throw InvalidArgument("the plan was moved from");
  return *runner_;
}

// A filter of the wrong shape or type changes nothing; after any other error the plan has no filter.
template <class View, class... Where>
void Plan::prepare(View const& filter, Where const&... where) {
  guarded([&] {
    Runner& r = runner();
    const Exclusive exclusive(r);
    check_filter(r.work, filter);
    r.has_filter = false;
    r.set_filter(filter, where...);
    r.has_filter = true;
  });
}

Problem const& Plan::problem() const noexcept { return runner_->problem; }
Method Plan::method() const noexcept { return runner_->solver->method; }
Device Plan::device() const noexcept { return runner_->solver->device; }
int Plan::threads() const noexcept { return runner_->parameters.threads; }
std::int64_t Plan::block() const noexcept { return runner_->parameters.cut.size; }
std::int64_t Plan::output_length() const noexcept { return runner_->work.axis.outputs; }
std::size_t Plan::workspace_bytes() const noexcept { return runner_->workspace_bytes(); }
std::size_t Plan::scratch_bytes() const noexcept { return runner_->scratch_bytes(); }

std::string Plan::describe() const {
  return guarded([&] { return detail::describe(runner()); });
}

void Plan::set_filter(HostInput filter) { prepare(filter); }
void Plan::set_filter(DeviceInput filter, Stream stream, DeviceBytes scratch) { prepare(filter, stream, scratch); }
void Plan::set_filter(HostInput filter, Stream stream, DeviceBytes scratch) { prepare(filter, stream, scratch); }

void Plan::execute(HostInput signal, HostOutput out) {
  guarded([&] {
    const Exclusive exclusive(runner());
    check_arrays(runner(), signal, out);
    runner().execute(signal, out);
  });
}
void Plan::execute(DeviceInput signal, DeviceOutput out, Stream stream, DeviceBytes scratch) {
  guarded([&] {
    const Exclusive exclusive(runner());
    check_arrays(runner(), signal, out);
    runner().execute(signal, out, stream, scratch);
  });
}

}  // namespace gpuconv

// Checks what callers pass to plans, and turns allocation failures into OutOfMemory.
#include "planner.hpp"
#include "text.hpp"
#include "view_checks.hpp"
#include "wrapping.hpp"

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

void check_filter(Work const& w, AnyRowsView<void const> const& filter) {
  check_view(filter, "filter", w.filters(), w.lines.filter, w.axis.filter, w.filter_type);
}

void check_arrays(Runner const& r, AnyRowsView<void const> const& signal, AnyRowsView<void> const& out) {
  Work const& w = r.work;
  if (!r.has_filter) throw InvalidArgument("execute before set_filter");
  check_view(signal, "signal", w.loops.signals(), w.lines.signal, w.axis.signal, w.signal_type);
  check_view(out, "output", w.rows(), w.lines.outputs, w.axis.outputs, w.result_type);
  check_apart(signal, out);
}

Wrapping wrapping_with(Runner const& r, HostInput const& filter) {
  return wrapping(r.work, r.filter_of(access_of(filter)));
}
// To read taps in device memory would wait for the stream.
Wrapping wrapping_with(Runner const& r, DeviceInput const&) { return wrapping(r.work); }

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
    r.wrapping = wrapping_with(r, filter);
    r.has_filter = true;
  });
}

Problem const& Plan::problem() const noexcept { return runner_->problem; }
Method Plan::method() const noexcept { return runner_->solver->method; }
Device Plan::device() const noexcept { return runner_->solver->device; }
int Plan::threads() const noexcept { return runner_->parameters.threads; }
std::int64_t Plan::block() const noexcept { return runner_->parameters.cut.size; }
std::int64_t Plan::output_length() const noexcept { return runner_->work.axis.outputs; }
std::int64_t Plan::output_lines() const noexcept { return runner_->work.lines.outputs; }
std::size_t Plan::workspace_bytes() const noexcept { return runner_->workspace_bytes(); }
std::size_t Plan::scratch_bytes() const noexcept { return runner_->scratch_bytes(); }

std::string Plan::describe() const {
  return guarded([&] { return detail::describe(runner()); });
}

Wrapping Plan::wrapping() const {
  if (!runner().has_filter) throw InvalidArgument("wrapping before set_filter");
  return runner().wrapping;
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

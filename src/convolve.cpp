// One-shot calls: a plan that is used once. What it checks is checked once.
#include "problem.hpp"
#include "text.hpp"

#include <gpuconv/convolve.hpp>
#include <gpuconv/error.hpp>

#include <cstdint>
#include <new>

namespace gpuconv {
namespace {

using namespace detail;

Problem problem_of(AnyRowsView<void const> const& signal, AnyRowsView<void const> const& filter, Type result_type,
                   CallMode const& mode) {
  if (filter.rows() != 1 && filter.rows() != signal.rows())
    throw InvalidArgument(
        text("the filter has ", filter.rows(), " rows, 1 or the signal's ", signal.rows(), " are expected"));
  return {.signal = signal.columns(),
          .filter = filter.columns(),
          .batch = signal.rows(),
          .filters = filter.rows() == 1 ? Filters::shared : Filters::per_row,
          .mode = mode.mode,
          .same = mode.same,
          .type = signal.type(),
          .filter_type = filter.type(),
          .result_type = result_type};
}

Options plan_options(CallOptions const& how, Memory memory) {
  return {
      .method = how.method, .device = how.device, .threads = how.threads, .memory = memory, .allocator = how.allocator};
}

// Of the plan and the result that it will write, on the host.
double held_bytes(Plan const& plan) {
  const double result = static_cast<double>(plan.problem().batch) * static_cast<double>(plan.output_length()) *
                        static_cast<double>(size_of(result_type(plan.problem())));
  return result + (plan.device() == Device::cpu ? static_cast<double>(plan.workspace_bytes()) : 0.0);
}

}  // namespace

void detail::convolve(HostInput signal, HostInput filter, HostOutput out, CallOptions const& how) {
  guarded([&] {
    Plan plan(problem_of(signal, filter, out.type(), how.mode), plan_options(how, Memory::host));
    plan.set_filter(filter);
    plan.execute(signal, out);
  });
}

void detail::convolve(HostInput signal, HostInput filter, Type result_type, Allocate allocate, void* result,
                      CallOptions const& how) {
  guarded([&] {
    Plan plan(problem_of(signal, filter, result_type, how.mode), plan_options(how, Memory::host));
    check_fits(held_bytes(plan));
    plan.set_filter(filter);
    const auto allocated = [&] {
      try {
        return allocate(result, plan.output_length());
      } catch (std::bad_alloc const&) {
        throw_out_of_memory(plan.output_length() * static_cast<std::int64_t>(size_of(result_type)));
      }
    };
    plan.execute(signal, allocated());
  });
}

void detail::convolve(DeviceInput signal, DeviceInput filter, DeviceOutput out, CallOptions const& how, Stream stream) {
  guarded([&] {
    Plan plan(problem_of(signal, filter, out.type(), how.mode), plan_options(how, Memory::device));
    plan.set_filter(filter, stream);
    plan.execute(signal, out, stream);
    synchronize(stream);
  });
}

}  // namespace gpuconv

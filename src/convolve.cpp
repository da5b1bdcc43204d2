// One-shot calls: a plan that is used once. What it checks is checked once.
#include "core/access.hpp"
#include "problem.hpp"
#include "text.hpp"

#include <gpuconv/convolve.hpp>
#include <gpuconv/error.hpp>

#include <cstdint>
#include <new>

namespace gpuconv {
namespace {

using namespace detail;

Problem problem_of(Operation operation, AnyRowsView<void const> const& signal, AnyRowsView<void const> const& filter,
                   Type result_type, std::int64_t out_rows, CallOptions const& how) {
  const bool bank = filter.rows() > 1 && out_rows == signal.rows() * filter.rows() && out_rows != signal.rows();
  if (filter.rows() != 1 && filter.rows() != signal.rows() && !bank)
    throw InvalidArgument(text("the filter has ", filter.rows(), " rows and the output ", out_rows,
                               ", for a signal of ", signal.rows(),
                               " rows: 1 filter or as many are expected, or a bank, with an output of ", signal.rows(),
                               " x ", filter.rows(), " rows"));
  return {
      .signal = signal.columns(),
      .filter = filter.columns(),
      .batch = signal.rows(),
      .filters = bank                 ? Filters::bank
                 : filter.rows() == 1 ? Filters::shared
                                      : Filters::per_row,
      .mode = how.mode.mode,
      .same = how.mode.same,
      .type = signal.type(),
      .filter_type = filter.type(),
      .result_type = result_type,
      .operation = operation,
      .boundary = how.boundary,
      .constant = how.constant,
      .window = how.window,
      .bank = filter.rows(),
      .saturate = how.saturate,
      .lines = {
          .signal = signal.lines(), .filter = filter.lines(), .window = how.line_window, .separable = how.separable}};
}

Options plan_options(CallOptions const& how, Memory memory) {
  return {
      .method = how.method, .device = how.device, .threads = how.threads, .memory = memory, .allocator = how.allocator};
}

DeviceInput as_input(DeviceOutput const& out) {
  return {out.data(), out.type(),
          Images{.images = out.rows(),
                 .lines = out.lines(),
                 .columns = out.columns(),
                 .stride = out.stride(),
                 .line_stride = out.line_stride(),
                 .element_stride = out.element_stride()}};
}

// Bytes of host memory that the plan and the result take which it will write.
double held_bytes(Plan const& plan) {
  const double result = static_cast<double>(result_rows(plan.problem())) * static_cast<double>(plan.output_length()) *
                        static_cast<double>(plan.output_lines()) *
                        static_cast<double>(size_of(result_type(plan.problem())));
  return result + (plan.device() == Device::cpu ? static_cast<double>(plan.workspace_bytes()) : 0.0);
}

}  // namespace

bool lies_across(DeviceInput array, Problem const& problem) noexcept {
  const std::int64_t element = array.element_stride(), line = array.line_stride();
  if (array.lines() == 1) return array.rows() > 1 && detail::lies_across(array.stride(), element);
  // Lines are rows to a filter of one line, columns to others.
  return problem.lines.filter > 1 ? detail::lies_across(element, line) : detail::lies_across(line, element);
}

void detail::run(Operation operation, HostInput signal, HostInput filter, HostOutput out, CallOptions const& how) {
  guarded([&] {
    Problem problem = problem_of(operation, signal, filter, out.type(), out.rows(), how);
    if (filter.lines() > 1 && filter.columns() > 1 && filter.data()) problem.lines.separable = is_separable(filter);
    Plan plan(problem, plan_options(how, Memory::host));
    plan.set_filter(filter);
    plan.execute(signal, out);
  });
}

void detail::run(Operation operation, HostInput signal, HostInput filter, Type result_type, Allocate allocate,
                 void* result, CallOptions const& how) {
  guarded([&] {
    Plan plan(problem_of(operation, signal, filter, result_type, 1, how), plan_options(how, Memory::host));
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

void detail::run(Operation operation, DeviceInput signal, DeviceInput filter, DeviceOutput out, CallOptions const& how,
                 Stream stream) {
  guarded([&] {
    const Problem problem = problem_of(operation, signal, filter, out.type(), out.rows(), how);
    Options options = plan_options(how, Memory::device);
    options.across = lies_across(signal, problem) || lies_across(as_input(out), problem);
    Plan plan(problem, options);
    plan.set_filter(filter, stream);
    plan.execute(signal, out, stream);
    synchronize(stream);
  });
}

}  // namespace gpuconv

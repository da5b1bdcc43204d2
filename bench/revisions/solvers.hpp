// What the solvers of the linked library make of one problem, by public calls alone.
#pragma once

#include "arrays.hpp"
#include "record_file.hpp"

#include <gpuconv/plan.hpp>

#include <string>
#include <vector>

namespace gpuconv::revisions {

/// A method that is forced, where it computes and where the arrays lie.
struct Solver {
  Device device;
  Memory memory;
  Method method;
};

/// Devices that are available here.
std::vector<Device> available_devices();
/// Every method on each of them; on a GPU for arrays in either memory.
std::vector<Solver> all_solvers();

struct Counts {
  std::int64_t runs = 0, refused = 0, left_out = 0;
};

/// The line of one problem. Runs every solver on 1 and 2 threads, but for direct sums of more than `most_products`
/// multiply-adds, and keeps the outputs in `file`.
std::string record(std::int64_t number, Case const& c, Data const& data, std::int64_t most_products, RecordFile& file,
                   Counts& counts);

}  // namespace gpuconv::revisions

// Finds a pattern in a sequence without leaving the GPU: a plan takes Thrust's vectors as they are, and copy_if keeps
// the places where enough of the pattern is there.
#include <gpuconv/gpuconv.hpp>

#include <thrust/copy.h>
#include <thrust/device_vector.h>
#include <thrust/host_vector.h>
#include <thrust/iterator/counting_iterator.h>

#include <cstdint>
#include <iostream>
#include <vector>

namespace {

struct AtLeast {
  std::int64_t threshold;
  __host__ __device__ bool operator()(std::int64_t score) const { return score >= threshold; }
};

void run() {
  const std::vector<int> sequence{0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 1, 0, 0}, pattern{1, 1, 0};

  const gpuconv::Stream stream;  // the default one, which Thrust's algorithms run in
  gpuconv::Plan plan({.signal = std::ssize(sequence),
                      .filter = std::ssize(pattern),
                      .mode = gpuconv::Mode::valid,
                      .type = gpuconv::Type::int32,
                      .operation = gpuconv::Operation::correlate},
                     {.memory = gpuconv::Memory::device});
  plan.set_filter(pattern, stream);

  const thrust::device_vector<int> signal(sequence.begin(), sequence.end());
  thrust::device_vector<std::int64_t> scores(static_cast<std::size_t>(plan.output_length()));
  plan.execute(signal, scores, stream);

  thrust::device_vector<std::int64_t> matches(scores.size());
  const auto place = thrust::make_counting_iterator<std::int64_t>(0);
  const auto end = thrust::copy_if(place, place + plan.output_length(), scores.begin(), matches.begin(), AtLeast{2});
  matches.erase(end, matches.end());

  std::cout << "matches at";
  for (const std::int64_t match : thrust::host_vector<std::int64_t>(matches)) std::cout << ' ' << match;
  std::cout << '\n';
}

}  // namespace

int main() {
  try {
    run();
  } catch (gpuconv::Unsupported const& error) {
    std::cout << "not here: " << error.what() << '\n';
  } catch (std::exception const& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}

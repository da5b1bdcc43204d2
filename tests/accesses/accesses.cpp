#include "accesses.hpp"

#include "simt/builtins.hpp"
#include "simt/scheduler.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace accesses {
namespace {

constexpr std::size_t bank_bytes = 4, banks = 32, sector_bytes = 32;
constexpr unsigned warp_size = simt::warp_size;

/// Lanes meet in a request if they are at the same place, as many barriers and visits after the block's begin: loops in
/// which lanes take different numbers of turns do not shift the rest.
struct Meeting {
  const void* place;
  unsigned warp, resumed, visit;
  auto operator<=>(const Meeting&) const = default;
};

struct Request {
  Kind kind{};
  std::array<std::uintptr_t, warp_size> address{};
  std::uint32_t lanes = 0;
};

struct Visits {
  unsigned resumed = 0, count = 0;
};

/// The reads of one sector: blocks that read it, and their requests.
struct Reads {
  std::uint64_t last_block = 0, blocks = 0, requests = 0;
};

struct Counter {
  bool on = false;
  std::uint64_t launch = 0;  ///< of the requests at hand, and their block
  uint3 block{};
  std::uint64_t blocks = 0;  ///< that have made accesses in the launch
  std::map<Meeting, Request> requests;
  std::map<std::pair<const void*, unsigned>, Visits> visits;  ///< by place and thread
  std::unordered_map<std::uintptr_t, Reads> read;             ///< sectors, of the launch
  std::unordered_set<std::uintptr_t> written;
  Kernel* kernel = nullptr;
  std::map<const void*, Kernel> kernels;
};
Counter c;

/// Accesses of 8 and 16 bytes are served by half and by quarter warps. Words that several lanes read come once; that
/// parts which read the same words may be served together is not counted on.
void count_banks(const Request& request, Counts& counts) {
  const std::size_t words = std::max(request.kind.bytes, bank_bytes) / bank_bytes, part = banks / words;
  for (std::size_t first = 0; first < warp_size; first += part) {
    std::array<std::vector<std::uintptr_t>, banks> touched;
    for (std::size_t lane = first; lane < first + part; ++lane)
      for (std::size_t i = 0; (request.lanes >> lane & 1) != 0 && i < words; ++i) {
        const std::uintptr_t word = request.address[lane] / bank_bytes + i;
        std::vector<std::uintptr_t>& bank = touched[word % banks];
        if (std::find(bank.begin(), bank.end(), word) == bank.end()) bank.push_back(word);
      }
    std::size_t most = 0;
    for (const auto& bank : touched) most = std::max(most, bank.size());
    counts.wavefronts += most;
    counts.ideal_wavefronts += most != 0;
  }
}

void count_sectors(const Request& request, Counts& counts) {
  std::vector<std::uintptr_t> sectors;
  for (std::size_t lane = 0; lane < warp_size; ++lane)
    for (std::size_t i = 0; (request.lanes >> lane & 1) != 0 && i < request.kind.bytes; i += bank_bytes)
      sectors.push_back((request.address[lane] + i) / sector_bytes);
  std::sort(sectors.begin(), sectors.end());
  sectors.erase(std::unique(sectors.begin(), sectors.end()), sectors.end());
  counts.sectors += sectors.size();
  for (const std::uintptr_t sector : sectors) {
    if (request.kind.write) {
      c.written.insert(sector);
      continue;
    }
    Reads& reads = c.read[sector];
    if (std::exchange(reads.last_block, c.blocks) != c.blocks) ++reads.blocks;
    ++reads.requests;
  }
}

void end_block() {
  for (const auto& [meeting, request] : c.requests) {
    Counts& counts = c.kernel->counts[request.kind];
    ++counts.requests;
    counts.lanes += static_cast<unsigned>(__builtin_popcount(request.lanes));
    if (request.kind.shared) count_banks(request, counts);
    else count_sectors(request, counts);
  }
  c.requests.clear();
  c.visits.clear();
}

void end_launch() {
  end_block();
  if (c.kernel) {
    c.kernel->sectors_read += c.read.size();
    c.kernel->sectors_written += c.written.size();
    std::uint64_t common = 0;
    for (const auto& [sector, reads] : c.read)
      if (2 * reads.blocks > c.blocks) ++common, c.kernel->common_requests += reads.requests;
    c.kernel->sectors_common = std::max(c.kernel->sectors_common, common);
  }
  c.read.clear();
  c.written.clear();
  c.kernel = nullptr;
}

void begin_launch(const simt::Launch& launch) {
  end_launch();
  c.launch = simt::statistics().launches;
  c.block = blockIdx;
  c.blocks = 1;
  c.kernel = &c.kernels[launch.kernel];
  ++c.kernel->launches;
  c.kernel->threads = launch.block.x * launch.block.y * launch.block.z;
  c.kernel->shared_bytes = launch.shared_bytes;
}

bool same(uint3 a, uint3 b) { return a.x == b.x && a.y == b.y && a.z == b.z; }

std::string name_of(const void* function) {
  Dl_info info{};
  return dladdr(function, &info) != 0 && info.dli_sname != nullptr ? info.dli_sname : "?";
}

}  // namespace

void start() {
  c = {};
  c.on = true;
}

std::map<std::string, Kernel> stop() {
  end_launch();
  std::map<std::string, Kernel> named;
  for (auto& [function, kernel] : c.kernels) named[name_of(function)] = std::move(kernel);
  c = {};
  return named;
}

void seen(const void* place, const void* p, std::size_t bytes, bool write, bool async) {
  if (!c.on) return;
  const simt::Running running = simt::running();
  if (!running.launch) return;
  const bool shared = simt::is_shared_memory(p, bytes);
  if (!shared && !simt::is_device_memory(p, bytes)) return;
  if (!c.kernel || c.launch != simt::statistics().launches) begin_launch(*running.launch);
  if (!same(c.block, blockIdx)) {
    end_block();
    c.block = blockIdx;
    ++c.blocks;
  }

  const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  Visits& visits = c.visits[{place, thread}];
  if (visits.resumed != running.resumed) visits = {running.resumed, 0};
  Request& request = c.requests[{place, thread / warp_size, running.resumed, visits.count++}];
  request.kind = {shared, write, async, bytes};
  request.address[thread % warp_size] = reinterpret_cast<std::uintptr_t>(p);
  request.lanes |= 1u << thread % warp_size;
}

}  // namespace accesses

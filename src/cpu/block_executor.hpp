// Convolution by blocks of one right-angle transform each: what the methods overlap-save and fft run.
#pragma once

#include "rows.hpp"
#include "transform_tables.hpp"

#include "../core/bit_set.hpp"
#include "../solver.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace gpuconv::detail {

/// Results of more bytes are written around the cache.
inline constexpr std::int64_t kStreamBytes = std::int64_t{4} << 20;

/// Blocks that fit into a core's cache are shared out among the threads; all threads work on one larger block.
///
/// NaN and infinity stay local. A block whose outputs are not all finite is computed again: without its non-finite
/// samples and scaled to at most 1, so that nothing overflows on the way; what overflows when it is scaled back is
/// infinite, which the transform's error decides for sums that come out that close to overflow. NaNs are spread over
/// the windows that hold them, and what the products of infinities add is found 64 outputs at a time. A block whose
/// outputs and samples are so small that denormals on the way cost it digits is computed again too, scaled up. Costs
/// when all is ordinary: a few operations per 64 outputs or so, and in a silent block a look at its samples. Otherwise
/// a second transform of the block and a few passes over it by one thread, whatever it holds.
template <class C>
class BlockExecutor final : public Executor {
 public:
  /// Throws std::bad_alloc.
  BlockExecutor(Work const& work, Cut const& cut, int threads);

  std::size_t own_bytes() const override;
  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(slots_) * slot_bytes_; }
  void set_filter(Input const& filter, std::int64_t count, Means const& means) override;
  void run(Input const& signal, Output const& out, Part const& part, Means const& means) override;

 private:
  struct Filter {
    int exponent = 0;     // the spectrum is that of the filter times 2^-exponent
    C norm = 0;           // of the filter so scaled
    bool finite = false;  // or some taps are left out of the spectrum
  };
  // A thread's part of the scratch memory.
  struct Workspace {
    C *work, *in, *out;
    std::uint64_t* bits;  // two times Signs
  };
  // Which samples of a block, or which taps, are what.
  struct Signs {
    static constexpr std::int64_t kSets = 5;
    BitSet plus_infinity, minus_infinity;
    BitSet positive, negative, zero;
  };
  struct Run {
    Source<C> signal;
    Sink<C> out;
    Part part;
    void* scratch;
  };
  // A block of a row, with the memory that it is worked on in.
  struct Block {
    std::int64_t row, filter;
    std::int64_t output, count;  // its outputs, from the part's first
    std::int64_t origin;         // its first sample in the row
    Workspace memory;
    int threads;
  };

  Workspace workspace(void* scratch, int slot) const;
  C const* spectrum(std::int64_t filter) const { return spectra_.data() + filter * transform_->spectrum_size(); }
  void prepare(std::int64_t filter, Workspace const& w, int threads);
  void run_block(Run const& run, std::int64_t number, int slot, int threads) const;
  // Whether denormals on the way have cost the outputs of a block digits.
  bool lost_bits(Filter const& filter, const C* x, C largest) const;
  bool streams_to(const C* out) const;
  void repair(Run const& run, Block const& b) const;
  void add_nans(Part const& part, Block const& b) const;
  void add_infinities(Part const& part, Block const& b) const;
  static void add_infinities(Signs const& x, Signs const& h, std::int64_t first, C* y, std::int64_t count);
  static Signs signs(const C* x, std::int64_t count, bool infinite, bool finite, std::uint64_t** free);

  Work work_;
  Cut cut_;
  int threads_;
  bool stream_;
  bool shared_out_;
  int slots_;
  std::size_t slot_bytes_;
  std::shared_ptr<const RightAngleTransform<C>> transform_;
  KeptFilters<C> taps_;
  AlignedBuffer<C> spectra_;
  std::vector<Filter> filters_;
};

}  // namespace gpuconv::detail

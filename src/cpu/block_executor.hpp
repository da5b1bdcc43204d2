// Convolution by blocks of one right-angle transform each: what the methods overlap-save and fft run.
#pragma once

#include "part_rows.hpp"
#include "side_by_side.hpp"
#include "transform_tables.hpp"

#include "../core/signs.hpp"
#include "../solver.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace gpuconv::detail {

/// Results of more bytes are written around the cache.
inline constexpr std::int64_t kStreamBytes = std::int64_t{4} << 20;

/// Bytes of blocks of several rows, at most, that a thread loads and stores together where rows lie across memory.
inline constexpr std::int64_t kStagedBytes = std::int64_t{4} << 20;

/// A block of M complex samples is what a block of 2M real ones is folded into: the real parts, and behind them the
/// imaginary ones. So it passes through the same transform, whose outputs come as such parts. What wraps around is
/// multiplied by i in place of -1, and skipped just so.
///
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
  /// A cut of whole rows serves parts with all of a row's outputs. Throws std::bad_alloc.
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
    Word* bits;     // two times Signs
    C *ins, *outs;  // blocks of several rows
  };
  // Sets of a block's samples or of a filter's taps, by Sign.
  using Signs = std::array<BitSet, kSigns>;
  struct Run {
    PartSource<C> signal;
    PartSink<C> out;
    Part part;
    void* scratch;
  };
  // A block's samples and where its outputs go, where those are loaded and stored with other rows' blocks.
  struct Staged {
    const C* in;
    C* out;
  };
  // A block of a row, with the memory that it is worked on in.
  struct Block {
    std::int64_t row, filter;
    std::int64_t output, count;  // its outputs, from the part's first
    std::int64_t origin;         // its first sample in the row
    Workspace memory;
    int threads;
  };
  // The samples of a block that meet taps, counted from its first one: beyond the ends of a row there are none, and no
  // zeros either, unless the row is extended.
  struct Existing {
    std::int64_t begin, end;
  };
  // The parts of a block's samples, of its taps and of its outputs that one of their terms is of (core/parts.hpp).
  struct Products {
    const C *samples, *taps;
    C* outputs;
    bool minus;
  };

  Workspace workspace(void* scratch, int slot) const;
  C const* spectrum(std::int64_t filter) const { return spectra_.data() + filter * transform_->spectrum_size(); }
  void prepare(std::int64_t filter, Workspace const& w, int threads);
  void run_across(Run const& run, Input const& signal, Output const& out, NeighbouringRows const& rows) const;
  Block block(Run const& run, std::int64_t row, std::int64_t number, int slot, int threads) const;
  void run_block(Run const& run, Block const& b, Staged staged) const;
  // Whether denormals on the way have cost the outputs of a block digits.
  bool lost_bits(Filter const& filter, const C* x, C largest) const;
  bool streams_to(const C* out) const;
  // The first output's part `p` of those at `y`.
  C* part_of_outputs(C* y, int p) const { return y + (cut_.skip - drop_) + p * cut_.size; }
  void load(Run const& run, Block const& b) const;
  void store(Run const& run, Block const& b) const;
  void repair(Run const& run, Block const& b) const;
  void add_nans(Existing const& samples, Block const& b, Products const& products) const;
  void add_infinities(Existing const& samples, Block const& b, Products const& products) const;
  static void add_infinities(Signs const& x, Signs const& h, std::int64_t first, C* y, std::int64_t count, bool minus);
  static Signs signs(const C* x, std::int64_t count, bool infinite, bool finite, Word** free);

  Work work_;
  Cut cut_;
  int threads_;
  int parts_;              // of an output
  std::int64_t elements_;  // real numbers of a block: its samples times the parts
  std::int64_t drop_;      // outputs that are not even written: those that are skipped, or none of complex ones
  bool stream_;
  bool shared_out_;
  int slots_;
  std::int64_t together_;  // rows that lie across, whose blocks are loaded and stored together; or 1
  std::size_t slot_bytes_;
  std::shared_ptr<const RightAngleTransform<C>> transform_;
  KeptFilters<C> taps_;
  AlignedBuffer<C> spectra_;
  std::vector<Filter> filters_;
};

}  // namespace gpuconv::detail

// Integer taps of a wide type and small values, such as those of NumPy's int64, which is what lists become: products of
// narrow types take a fraction of the time. Whether the values are small is seen when a filter is set.
#pragma once

#include "across_rows.hpp"
#include "integers.hpp"

#include "../executor.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace gpuconv::detail {

/// The work whose taps have the narrowest type that operands of the signal's can be kept in; itself where that is none.
inline Work with_narrow_taps(Work work) {
  if (work.compute_type() != Type::uint64) return work;
  if (holds<std::int16_t>(work.signal_type)) work.filter_type = Type::int16;
  else if (holds<std::int32_t>(work.signal_type)) work.filter_type = Type::int32;
  return work;
}

/// Does a work in one of two ways, as the taps are that are set. Rows that lie across memory are done as their types
/// say: side by side (across_rows.hpp), which is mostly sooner than one by one in narrow types.
class NarrowIntegers final : public Executor {
 public:
  /// `narrow`: made for with_narrow_taps(work), `wide` for the work.
  NarrowIntegers(Work const& work, std::unique_ptr<Executor> narrow, std::unique_ptr<Executor> wide)
      : type_(with_narrow_taps(work).filter_type),
        lines_(work.lines.filter),
        taps_(work.axis.filter),
        across_(work),
        may_lie_across_(!work.has_lines() && across_.memory() > 0),
        narrow_(std::move(narrow)),
        wide_(std::move(wide)) {}

  std::size_t own_bytes() const override { return wide_->own_bytes() + narrow_->own_bytes(); }
  std::size_t scratch_bytes() const override { return std::max(wide_->scratch_bytes(), narrow_->scratch_bytes()); }

  void set_filter(Input const& filter, std::int64_t count, Means const& means) override {
    are_narrow_ = type_ == Type::int16 ? fit<std::int16_t>(filter, count) : fit<std::int32_t>(filter, count);
    if (are_narrow_) narrow_->set_filter(filter, count, means);
    if (!are_narrow_ || may_lie_across_) wide_->set_filter(filter, count, means);
  }
  void run(Input const& signal, Output const& out, Part const& part, Means const& means) override {
    const bool across = may_lie_across_ && across_.takes(signal, out, part);
    (are_narrow_ && !across ? narrow_ : wide_)->run(signal, out, part, means);
  }

 private:
  template <class T>
  bool fit(Input const& filter, std::int64_t count) const {
    return visit_type(filter.type, [&]<class E>(std::type_identity<E>) {
      if constexpr (!is_integer(type_of<E>)) return false;
      else {
        for (std::int64_t f = 0; f < count; ++f)
          for (std::int64_t l = 0; l < lines_; ++l) {
            const E* const taps = static_cast<const E*>(filter.data) + f * filter.outer + l * filter.line;
            for (std::int64_t k = 0; k < taps_; ++k)
              if (!std::in_range<T>(taps[k * filter.stride])) return false;
          }
        return true;
      }
    });
  }

  Type type_;
  std::int64_t lines_, taps_;
  AcrossRows<std::uint64_t> across_;
  bool may_lie_across_;
  std::unique_ptr<Executor> narrow_, wide_;
  bool are_narrow_ = false;
};

}  // namespace gpuconv::detail

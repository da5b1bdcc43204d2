// Whether filters are products, for callers: a look at taps of any type before there is a plan.
#include "rows.hpp"

#include "../core/separable.hpp"
#include "../problem.hpp"
#include "../runner.hpp"
#include "../text.hpp"

#include <gpuconv/error.hpp>
#include <gpuconv/plan.hpp>

#include <vector>

namespace gpuconv {

using namespace detail;

bool is_separable(HostInput filter) {
  return guarded([&] {
    if (filter.rows() < 1 || filter.lines() < 1 || filter.columns() < 1 || !filter.data())
      throw InvalidArgument("is_separable: the filter has no elements");
    if (is_complex(filter.type())) return false;
    const Type compute = compute_type(filter.type(), filter.type(), filter.type());
    return visit_compute(compute, [&]<class C>(std::type_identity<C>) {
      check_fits(static_cast<double>(filter.lines()) * static_cast<double>(filter.columns()) * sizeof(C));
      KeptFilters<C> taps(1, filter.columns(), 1, filter.lines());
      std::vector<C> factors(static_cast<std::size_t>(filter.lines() + filter.columns()));
      for (std::int64_t f = 0; f < filter.rows(); ++f) {
        const Input all = access_of(filter);
        taps.set(advanced(all, f * all.outer), 1, {});
        if (!factorise(taps[0], filter.lines(), filter.columns(), factors.data(), factors.data() + filter.lines()))
          return false;
      }
      return true;
    });
  });
}

}  // namespace gpuconv

// reduce: sums and extrema along the middle of [outer, extent, inner].
#include <cmath>
#include <limits>

#include "backends/cpu/oracle/oracle.h"

namespace amphora::cpu::oracle {
namespace {

double neutral(Reduction reduction) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  switch (reduction) {
    case Reduction::max: return -kInfinity;
    case Reduction::min: return kInfinity;
    default: return 0.0;
  }
}

double join(Reduction reduction, double a, double b) {
  if (reduction == Reduction::sum) return a + b;
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<double>::quiet_NaN();
  return (reduction == Reduction::max) == (a < b) ? b : a;
}

// Calls body(first, result) for each reduced line: the index of its first element, and that of its result.
template <class Body>
void for_each_line(const ReduceParams& params, Body body) {
  for (std::int64_t o = 0; o < params.outer; ++o) {
    for (std::int64_t i = 0; i < params.inner; ++i) {
      body(o * params.extent * params.inner + i, o * params.inner + i);
    }
  }
}

}  // namespace

void reduce(const KernelCall& call, Threads&) {
  const auto params = call.params<ReduceParams>();
  const auto reduction = static_cast<Reduction>(call.spec.function);
  const Array in(call, op::reduce::in);
  const Array out(call, op::reduce::out);
  for_each_line(params, [&](std::int64_t first, std::int64_t result) {
    double value = neutral(reduction);
    for (std::int64_t e = 0; e < params.extent; ++e) value = join(reduction, value, in[first + e * params.inner]);
    value *= params.scale;
    out.set(result, params.accumulate != 0 ? value + out[result] : value);
  });
}

void reduce_grad(const KernelCall& call, Threads&) {
  const auto params = call.params<ReduceParams>();
  const Array x(call, op::reduce_grad::x);
  const Array y(call, op::reduce_grad::y);
  const Array dy(call, op::reduce_grad::dy);
  const Array dx(call, op::reduce_grad::dx);
  for_each_line(params, [&](std::int64_t first, std::int64_t result) {
    const double extremum = y[result];
    std::int64_t ties = 0;
    for (std::int64_t e = 0; e < params.extent; ++e) ties += x[first + e * params.inner] == extremum ? 1 : 0;
    const double share = ties > 0 ? params.scale * dy[result] / static_cast<double>(ties) : 0.0;
    for (std::int64_t e = 0; e < params.extent; ++e) {
      const std::int64_t at = first + e * params.inner;
      dx.set(at, x[at] == extremum ? share : 0.0);
    }
  });
}

}  // namespace amphora::cpu::oracle

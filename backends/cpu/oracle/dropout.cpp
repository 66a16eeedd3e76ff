// dropout: the mask is a function of the stream and the index, so backward draws it again.
#include "amphora/core/rng.h"
#include "backends/cpu/oracle/oracle.h"

namespace amphora::cpu::oracle {

void dropout(const KernelCall& call, Threads&) {
  auto params = call.params<DropoutParams>();
  if (const auto* number = data_of<std::uint32_t>(call, op::dropout::call)) params.stream_high += *number;
  const RandomStream stream{(std::uint64_t{params.seed_high} << 32) | params.seed_low,
                            (std::uint64_t{params.stream_high} << 32) | params.stream_low};
  const Array x(call, op::dropout::x);
  const Array y(call, op::dropout::y);
  for (std::uint32_t i = 0; i < params.count; ++i) {
    const bool kept = random_bits(stream, i) >= params.threshold;
    y.set(i, kept ? x[i] * params.scale : 0.0);
  }
}

}  // namespace amphora::cpu::oracle

// copy: memory without arithmetic.
#include <cstring>

#include "backends/cpu/oracle/oracle.h"

namespace amphora::cpu::oracle {

void fill(const KernelCall& call, Threads&) {
  const auto params = call.params<FillParams>();
  const Array out(call, op::fill::out);
  for (std::uint32_t i = 0; i < params.count; ++i) out.set(i, params.value);
}

void cast(const KernelCall& call, Threads&) {
  const auto params = call.params<CountParams>();
  const Array in(call, op::cast::in);
  const Array out(call, op::cast::out);
  if (in.type() == out.type()) {  // keeps the payload of a NaN
    if (params.count > 0) std::memmove(out.data(), in.data(), params.count * size_of(in.type()));
    return;
  }
  for (std::uint32_t i = 0; i < params.count; ++i) out.set(i, in[i]);
}

void copy(const KernelCall& call, Threads&) {
  const auto params = call.params<CopyParams>();
  const Array in(call, op::copy::in);
  const Array out(call, op::copy::out);
  const bool same = in.type() == out.type();
  const std::size_t width = size_of(in.type());
  const auto* source = static_cast<const std::byte*>(in.data());
  auto* target = static_cast<std::byte*>(out.data());
  for_each_index<2>(params.rank, params.sizes, {params.in_strides, params.out_strides},
                    [&](std::int64_t, const std::array<std::int64_t, 2>& at) {
                      if (same) {
                        const auto size = static_cast<std::int64_t>(width);
                        std::memcpy(target + at[1] * size, source + at[0] * size, width);
                      } else {
                        out.set(at[1], in[at[0]]);
                      }
                    });
}

void accumulate(const KernelCall& call, Threads&) {
  const auto params = call.params<CountParams>();
  const Array in(call, op::accumulate::in);
  const Array sum(call, op::accumulate::sum);
  for (std::uint32_t i = 0; i < params.count; ++i) sum.set(i, sum[i] + in[i]);
}

}  // namespace amphora::cpu::oracle

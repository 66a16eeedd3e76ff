// inspect, unscale, norm, clip_norm, clip_value: over f32 ranges of the gradient arena, in fixed chunks.
#include <atomic>
#include <cmath>
#include <limits>
#include <vector>

#include "backends/cpu/simd/blocks.h"
#include "backends/cpu/simd/launchers.h"
#include "backends/cpu/simd/parallel.h"
#include "backends/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/simd/gradient.cpp"
#include "hwy/foreach_target.h"

#include "backends/cpu/simd/convert-inl.h"

HWY_BEFORE_NAMESPACE();
namespace amphora::cpu::simd::HWY_NAMESPACE {

// Whether every element is finite, by its bits: no arithmetic that a flag of the compiler could reason away.
bool all_finite(const float* x, std::size_t count) {
  const SignedTag d;
  const auto magnitude = hn::Set(d, 0x7FFF'FFFF);
  auto largest = hn::Zero(d);
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    largest = hn::Max(largest, hn::And(hn::BitCast(d, load(x + i)), magnitude));
  }
  if (i < count) largest = hn::Max(largest, hn::And(hn::BitCast(d, load_part(x + i, count - i)), magnitude));
  return hn::AllTrue(d, hn::Lt(largest, hn::Set(d, 0x7F80'0000)));
}

void multiply(float* x, std::size_t count, float factor) {
  const Floats by = hn::Set(FloatTag(), factor);
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(hn::Mul(load(x + i), by), x + i);
  if (i < count) store_part(hn::Mul(load_part(x + i, count - i), by), x + i, count - i);
}

// Both comparisons see the element as it was, and NaN passes.
void clamp(float* x, std::size_t count, float limit) {
  const Floats high = hn::Set(FloatTag(), limit), low = hn::Set(FloatTag(), -limit);
  const auto clamped = [&](Floats v) HWY_ATTR {
    return hn::IfThenElse(hn::Lt(v, low), low, hn::IfThenElse(hn::Gt(v, high), high, v));
  };
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(clamped(load(x + i)), x + i);
  if (i < count) store_part(clamped(load_part(x + i, count - i)), x + i, count - i);
}

// The sum of |x| or of x * x in f64: squares of small gradients would vanish in f32.
template <bool kSquares>
double sum_of(const float* x, std::size_t count) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> half;
  constexpr std::size_t kDoubles = hn::MaxLanes(d);
  auto sum0 = hn::Zero(d), sum1 = hn::Zero(d), sum2 = hn::Zero(d), sum3 = hn::Zero(d);
  const auto add = [](auto sum, auto v) HWY_ATTR {
    if constexpr (kSquares) {
      return hn::MulAdd(v, v, sum);
    } else {
      return hn::Add(sum, hn::Abs(v));
    }
  };
  std::size_t i = 0;
  for (; i + 4 * kDoubles <= count; i += 4 * kDoubles) {
    sum0 = add(sum0, hn::PromoteTo(d, hn::LoadU(half, x + i)));
    sum1 = add(sum1, hn::PromoteTo(d, hn::LoadU(half, x + i + kDoubles)));
    sum2 = add(sum2, hn::PromoteTo(d, hn::LoadU(half, x + i + 2 * kDoubles)));
    sum3 = add(sum3, hn::PromoteTo(d, hn::LoadU(half, x + i + 3 * kDoubles)));
  }
  double sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(sum0, sum1), hn::Add(sum2, sum3))));
  for (; i < count; ++i) sum += kSquares ? static_cast<double>(x[i]) * x[i] : std::abs(static_cast<double>(x[i]));
  return sum;
}

void report(const KernelCall& call, bool found) {
  if (!found) return;
  data_of<ScalerState>(call, op::unscale::scaler)->found_inf = 1.0f;
  data_of<GradientStats>(call, op::unscale::stats)->found_inf = 1.0f;
}

void inspect(const KernelCall& call, Threads& threads) {
  const auto* gradient = data_of<float>(call, op::inspect::gradient);
  std::atomic<bool> found = false;
  run_chunks(threads, call.params<CountParams>().count, [&](std::size_t begin, std::size_t end) {
    if (!all_finite(gradient + begin, end - begin)) found.store(true, std::memory_order_relaxed);
  });
  report(call, found.load());
}

void unscale(const KernelCall& call, Threads& threads) {
  auto* gradient = data_of<float>(call, op::unscale::gradient);
  const auto inverse = static_cast<float>(1.0 / data_of<ScalerState>(call, op::unscale::scaler)->scale);
  std::atomic<bool> found = false;
  run_chunks(threads, call.params<CountParams>().count, [&](std::size_t begin, std::size_t end) {
    for_blocks(begin, end, kBlock, [&](std::size_t at, std::size_t count) {
      // The scaled values are judged: an overflow by the multiplication is not the loss scale's fault.
      if (!all_finite(gradient + at, count)) found.store(true, std::memory_order_relaxed);
      if (inverse != 1.0f) multiply(gradient + at, count, inverse);
    });
  });
  report(call, found.load());
}

void gradient_norm(const KernelCall& call, Threads& threads) {
  const auto params = call.params<GradientNormParams>();
  if (params.p != 1.0f && params.p != 2.0f) return oracle::find_launcher(KernelId::gradient_norm)(call, threads);
  const auto sum = params.p == 2.0f ? sum_of<true> : sum_of<false>;
  const auto* gradient = data_of<float>(call, op::gradient_norm::gradient);
  auto* total = data_of<float>(call, op::gradient_norm::total);
  if (std::isnan(*total)) return;
  // One partial sum a chunk, joined in the order of the chunks.
  std::vector<double> partial((params.count + kChunk - 1) / kChunk);
  run_tasks(threads, partial.size(), params.count <= kInline, [&](std::size_t task) {
    const std::size_t begin = task * kChunk;
    partial[task] = sum(gradient + begin, std::min(kChunk, params.count - begin));
  });
  double all = params.p == 2.0f ? static_cast<double>(*total) * *total : *total;
  for (const double part : partial) all += part;
  // An f32 sum: gradients whose squares exceed f32 have an infinite norm on every backend.
  const auto rounded = static_cast<float>(all);
  *total = params.p == 2.0f ? std::sqrt(rounded) : rounded;
}

void clip_norm(const KernelCall& call, Threads& threads) {
  const auto params = call.params<ClipParams>();
  // Reciprocal, then product: the two roundings of PyTorch's number / tensor, and of the oracle.
  const float ratio = 1.0f / (*data_of<float>(call, op::clip_norm::total) + 1e-6f) * params.limit;
  const float factor = ratio > 1.0f ? 1.0f : ratio;  // NaN stays NaN
  if (factor == 1.0f) return;
  auto* gradient = data_of<float>(call, op::clip_norm::gradient);
  run_chunks(threads, params.count,
             [&](std::size_t begin, std::size_t end) { multiply(gradient + begin, end - begin, factor); });
}

void clip_value(const KernelCall& call, Threads& threads) {
  const auto params = call.params<ClipParams>();
  auto* gradient = data_of<float>(call, op::clip_value::gradient);
  run_chunks(threads, params.count,
             [&](std::size_t begin, std::size_t end) { clamp(gradient + begin, end - begin, params.limit); });
}

Launcher find_kernel(KernelId kernel) {
  switch (kernel) {
    case KernelId::inspect: return inspect;
    case KernelId::unscale: return unscale;
    case KernelId::gradient_norm: return gradient_norm;
    case KernelId::clip_norm: return clip_norm;
    case KernelId::clip_value: return clip_value;
    default: return nullptr;
  }
}

}  // namespace amphora::cpu::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace amphora::cpu::simd {

HWY_EXPORT(find_kernel);

Launcher find_gradient(KernelId kernel, const Spec& spec) {
  return spec.types[op::unscale::gradient] == DType::f32 ? HWY_DYNAMIC_DISPATCH(find_kernel)(kernel) : nullptr;
}

}  // namespace amphora::cpu::simd
#endif

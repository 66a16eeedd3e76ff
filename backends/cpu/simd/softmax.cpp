// softmax, softmax_grad: along rows, shifted by the row's maximum so that exp cannot overflow.
#include <cmath>

#include "backends/cpu/simd/blocks.h"
#include "backends/cpu/simd/launchers.h"
#include "backends/cpu/simd/parallel.h"
#include "backends/cpu/simd/rows.h"
#include "backends/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/simd/softmax.cpp"
#include "hwy/foreach_target.h"

#include "backends/cpu/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace amphora::cpu::simd::HWY_NAMESPACE {

HWY_INLINE Floats splat(float value) { return hn::Set(FloatTag(), value); }

// Sums term(i, count) over all vectors; `term` gives a vector, of which the first `count` lanes are meant.
template <class Term>
HWY_INLINE float sum_over(std::size_t total, const Term& term) {
  Floats sum0 = hn::Zero(FloatTag()), sum1 = sum0;
  std::size_t i = 0;
  for (; i + 2 * kLanes <= total; i += 2 * kLanes) {
    sum0 = hn::Add(sum0, term(i, kLanes));
    sum1 = hn::Add(sum1, term(i + kLanes, kLanes));
  }
  for (; i < total; i += kLanes) {
    const std::size_t count = std::min(kLanes, total - i);
    sum0 = hn::Add(sum0, hn::IfThenElseZero(hn::FirstN(FloatTag(), count), term(i, count)));
  }
  return hn::GetLane(hn::SumOfLanes(FloatTag(), hn::Add(sum0, sum1)));
}

// out[i] = result(i, count) over all vectors.
template <class Result>
HWY_INLINE void fill_from(float* out, std::size_t total, const Result& result) {
  std::size_t i = 0;
  for (; i + kLanes <= total; i += kLanes) store(result(i, kLanes), out + i);
  if (i < total) store_part(result(i, total - i), out + i, total - i);
}

HWY_INLINE Floats get(const float* p, std::size_t count) {
  return HWY_LIKELY(count == kLanes) ? load(p) : load_part(p, count);
}

float largest(const float* x, std::size_t count) {
  Floats result = splat(-kInfinity);
  for (std::size_t i = 0; i < count; i += kLanes) {
    const Floats v = get(x + i, std::min(kLanes, count - i));
    const auto greater = hn::And(hn::Gt(v, result), hn::FirstN(FloatTag(), count - i));
    result = hn::IfThenElse(greater, v, result);
  }
  return hn::GetLane(hn::MaxOfLanes(FloatTag(), result));
}

float sum(const float* x, std::size_t total) {
  return sum_over(total, [&](std::size_t i, std::size_t count) HWY_ATTR { return get(x + i, count); });
}

float dot(const float* x, const float* y, std::size_t total) {
  return sum_over(
      total, [&](std::size_t i, std::size_t count) HWY_ATTR { return hn::Mul(get(x + i, count), get(y + i, count)); });
}

HWY_INLINE Floats exp_of(Floats x) { return exponential({x}).v; }

float sum_of_exp(const float* x, float shift, std::size_t total) {
  const Floats s = splat(shift);
  return sum_over(total,
                  [&](std::size_t i, std::size_t count) HWY_ATTR { return exp_of(hn::Sub(get(x + i, count), s)); });
}

void scaled_exp(const float* x, float shift, float factor, float* out, std::size_t total) {
  const Floats s = splat(shift), f = splat(factor);
  fill_from(out, total, [&](std::size_t i, std::size_t count) HWY_ATTR {
    return hn::Mul(f, exp_of(hn::Sub(get(x + i, count), s)));
  });
}

void subtract(const float* x, float shift, float rest, float* out, std::size_t total) {
  const Floats s = splat(shift), r = splat(rest);
  fill_from(out, total,
            [&](std::size_t i, std::size_t count) HWY_ATTR { return hn::Sub(hn::Sub(get(x + i, count), s), r); });
}

void softmax_grad(const float* y, const float* dy, float dot_product, float* out, std::size_t total) {
  const Floats d = splat(dot_product);
  fill_from(out, total, [&](std::size_t i, std::size_t count) HWY_ATTR {
    return hn::Mul(get(y + i, count), hn::Sub(get(dy + i, count), d));
  });
}

void log_softmax_grad(const float* y, const float* dy, float total_dy, float* out, std::size_t total) {
  const Floats s = splat(total_dy);
  fill_from(out, total, [&](std::size_t i, std::size_t count) HWY_ATTR {
    return hn::Sub(get(dy + i, count), hn::Mul(exp_of(get(y + i, count)), s));
  });
}

RowBlocks find_row_blocks() {
  return {largest, sum, dot, sum_of_exp, scaled_exp, subtract, softmax_grad, log_softmax_grad};
}

}  // namespace amphora::cpu::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace amphora::cpu::simd {

HWY_EXPORT(find_row_blocks);

RowBlocks row_blocks() { return HWY_DYNAMIC_DISPATCH(find_row_blocks)(); }

namespace {

void softmax(const KernelCall& call, Threads& threads) {
  const auto params = call.params<RowsParams>();
  const bool logarithm = (call.spec.flags & kSoftmaxLog) != 0;
  const RowBlocks blocks = row_blocks();
  const Input in(call.type_at(op::softmax::x), data_of(call, op::softmax::x));
  const Output out(call.type_at(op::softmax::y), data_of(call, op::softmax::y));
  const std::size_t columns = params.columns;
  run_rows(threads, params.rows, columns, [&](std::size_t first, std::size_t rows) {
    const std::size_t begin = first * columns, count = rows * columns;
    const float* x = in.read(begin, count, scratch_rows(0, count));
    float* y = out.place(begin, scratch_rows(1, count));
    for (std::size_t row = 0; row < count; row += columns) {
      const float shift = blocks.largest(x + row, columns);
      const float sum = blocks.sum_of_exp(x + row, shift, columns);
      if (logarithm) {
        blocks.subtract(x + row, shift, static_cast<float>(std::log(static_cast<double>(sum))), y + row, columns);
      } else {
        blocks.scaled_exp(x + row, shift, 1.0f / sum, y + row, columns);
      }
    }
    out.write(begin, count, y);
  });
}

void softmax_grad(const KernelCall& call, Threads& threads) {
  const auto params = call.params<RowsParams>();
  const bool logarithm = (call.spec.flags & kSoftmaxLog) != 0;
  const RowBlocks blocks = row_blocks();
  const Input y_in(call.type_at(op::softmax_grad::y), data_of(call, op::softmax_grad::y));
  const Input dy_in(call.type_at(op::softmax_grad::dy), data_of(call, op::softmax_grad::dy));
  const Output out(call.type_at(op::softmax_grad::dx), data_of(call, op::softmax_grad::dx));
  const std::size_t columns = params.columns;
  run_rows(threads, params.rows, columns, [&](std::size_t first, std::size_t rows) {
    const std::size_t begin = first * columns, count = rows * columns;
    const float* y = y_in.read(begin, count, scratch_rows(0, count));
    const float* dy = dy_in.read(begin, count, scratch_rows(1, count));
    float* dx = out.place(begin, scratch_rows(1, count));
    for (std::size_t row = 0; row < count; row += columns) {
      if (logarithm) {
        blocks.log_softmax_grad(y + row, dy + row, blocks.sum(dy + row, columns), dx + row, columns);
      } else {
        blocks.softmax_grad(y + row, dy + row, blocks.dot(y + row, dy + row, columns), dx + row, columns);
      }
    }
    out.write(begin, count, dx);
  });
}

}  // namespace

Launcher find_softmax(KernelId kernel, const Spec& spec) {
  if (!is_f32_or_16bit(kernel, spec)) return nullptr;
  switch (kernel) {
    case KernelId::softmax: return softmax;
    case KernelId::softmax_grad: return softmax_grad;
    default: return nullptr;
  }
}

}  // namespace amphora::cpu::simd
#endif

// reduce: sums and extrema along the middle of [outer, extent, inner].
//
// The extent is cut into parts of a fixed size, each summed in f32 by many lanes; the parts join in order in f64.
#include <limits>
#include <vector>

#include "backends/cpu/simd/blocks.h"
#include "backends/cpu/simd/launchers.h"
#include "backends/cpu/simd/parallel.h"
#include "backends/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/simd/reduce.cpp"
#include "hwy/foreach_target.h"

#include "backends/cpu/simd/convert-inl.h"

HWY_BEFORE_NAMESPACE();
namespace amphora::cpu::simd::HWY_NAMESPACE {

// How a reduction joins two values; NaN wins.
struct Sum {
  static constexpr float kNeutral = 0.0f;
  static HWY_INLINE Floats join(Floats a, Floats b) { return hn::Add(a, b); }
  static double join(double a, double b) { return a + b; }
};
struct Max {
  static constexpr float kNeutral = -std::numeric_limits<float>::infinity();
  static HWY_INLINE Floats join(Floats a, Floats b) { return hn::IfThenElse(hn::Or(hn::Gt(b, a), hn::IsNaN(b)), b, a); }
  static double join(double a, double b) { return b > a || b != b ? b : a; }
};
struct Min {
  static constexpr float kNeutral = std::numeric_limits<float>::infinity();
  static HWY_INLINE Floats join(Floats a, Floats b) { return hn::IfThenElse(hn::Or(hn::Lt(b, a), hn::IsNaN(b)), b, a); }
  static double join(double a, double b) { return b < a || b != b ? b : a; }
};

// The reduction of `count` neighbours.
template <class T, class Op>
float reduce_run(const T* x, std::size_t count) {
  const Floats neutral = hn::Set(FloatTag(), Op::kNeutral);
  Floats lanes0 = neutral, lanes1 = neutral, lanes2 = neutral, lanes3 = neutral;
  std::size_t i = 0;
  for (; i + 4 * kLanes <= count; i += 4 * kLanes) {
    lanes0 = Op::join(lanes0, load(x + i));
    lanes1 = Op::join(lanes1, load(x + i + kLanes));
    lanes2 = Op::join(lanes2, load(x + i + 2 * kLanes));
    lanes3 = Op::join(lanes3, load(x + i + 3 * kLanes));
  }
  for (; i + kLanes <= count; i += kLanes) lanes0 = Op::join(lanes0, load(x + i));
  if (i < count) {
    const Floats rest = load_part(x + i, count - i);
    lanes1 = Op::join(lanes1, hn::IfThenElse(hn::FirstN(FloatTag(), count - i), rest, neutral));
  }
  alignas(64) float values[kLanes];
  store(Op::join(Op::join(lanes0, lanes1), Op::join(lanes2, lanes3)), values);
  double result = Op::kNeutral;
  for (const float value : values) result = Op::join(result, static_cast<double>(value));
  return static_cast<float>(result);
}

// The reduction of each of `columns` columns over `rows` rows that lie `stride` elements apart.
template <class T, class Op>
void reduce_columns(const T* x, std::size_t rows, std::size_t stride, std::size_t columns, float* out) {
  const Floats neutral = hn::Set(FloatTag(), Op::kNeutral);
  std::size_t i = 0;
  for (; i + 4 * kLanes <= columns; i += 4 * kLanes) {
    Floats lanes0 = neutral, lanes1 = neutral, lanes2 = neutral, lanes3 = neutral;
    const T* row = x + i;
    for (std::size_t r = 0; r < rows; ++r, row += stride) {
      lanes0 = Op::join(lanes0, load(row));
      lanes1 = Op::join(lanes1, load(row + kLanes));
      lanes2 = Op::join(lanes2, load(row + 2 * kLanes));
      lanes3 = Op::join(lanes3, load(row + 3 * kLanes));
    }
    store(lanes0, out + i);
    store(lanes1, out + i + kLanes);
    store(lanes2, out + i + 2 * kLanes);
    store(lanes3, out + i + 3 * kLanes);
  }
  for (; i < columns; i += kLanes) {
    const std::size_t count = std::min(kLanes, columns - i);
    Floats lanes = neutral;
    const T* row = x + i;
    for (std::size_t r = 0; r < rows; ++r, row += stride) {
      lanes = Op::join(lanes, count == kLanes ? load(row) : load_part(row, count));
    }
    store_part(lanes, out + i, count);
  }
}

// How the work is cut, by shape alone.
struct Tiling {
  explicit Tiling(const ReduceParams& params) {
    const std::size_t inner = params.inner;
    part = inner == 1 ? 65536 : std::clamp<std::size_t>(65536 / inner, 64, 1024);
    parts = std::max<std::size_t>(1, (params.extent + part - 1) / part);
    // Neighbouring lines of one task: columns, or short rows.
    const std::size_t length = std::min<std::size_t>(part, std::max<std::uint32_t>(params.extent, 1));
    lines = inner == 1 ? params.outer : inner;
    band = std::max<std::size_t>(kChunk / length, inner == 1 ? 1 : 64);
    bands = (lines + band - 1) / band;
    planes = inner == 1 ? 1 : params.outer;
  }
  std::size_t part, parts, lines, band, bands, planes;
};

template <class T, class Op>
void reduce(const KernelCall& call, Threads& threads) {
  const auto params = call.params<ReduceParams>();
  const T* in = data_of<T>(call, op::reduce::in);
  const std::size_t extent = params.extent, inner = params.inner;
  const std::size_t results = std::size_t{params.outer} * inner;
  if (results == 0) return;
  const Tiling tiling(params);
  // partial[part][result]
  std::vector<float> partial(tiling.parts * results);
  const bool small = results * std::max<std::size_t>(extent, 1) <= kInline;
  run_tasks(threads, tiling.planes * tiling.parts * tiling.bands, small, [&](std::size_t task) {
    const std::size_t first = task % tiling.bands * tiling.band;
    const std::size_t count = std::min(tiling.band, tiling.lines - first);
    const std::size_t part = task / tiling.bands % tiling.parts;
    const std::size_t plane = task / tiling.bands / tiling.parts;
    const std::size_t begin = part * tiling.part;
    const std::size_t length = std::min(tiling.part, extent - std::min(extent, begin));
    if (inner == 1) {
      float* out = partial.data() + part * results + first;
      for (std::size_t i = 0; i < count; ++i) out[i] = reduce_run<T, Op>(in + (first + i) * extent + begin, length);
    } else {
      reduce_columns<T, Op>(in + (plane * extent + begin) * inner + first, length, inner, count,
                            partial.data() + part * results + plane * inner + first);
    }
  });
  const DType type = call.type_at(op::reduce::out);
  void* out = data_of(call, op::reduce::out);
  for (std::size_t i = 0; i < results; ++i) {
    double value = partial[i];
    for (std::size_t part = 1; part < tiling.parts; ++part) {
      value = Op::join(value, static_cast<double>(partial[part * results + i]));
    }
    value *= params.scale;
    if (type == DType::f32) {
      auto& result = static_cast<float*>(out)[i];
      result = static_cast<float>(params.accumulate != 0 ? value + result : value);
    } else {
      if (params.accumulate != 0) value += load_element(type, out, i);
      store_element(type, out, i, value);
    }
  }
}

template <class T>
Launcher find_for(Reduction reduction) {
  switch (reduction) {
    case Reduction::max: return reduce<T, Max>;
    case Reduction::min: return reduce<T, Min>;
    default: return reduce<T, Sum>;
  }
}

Launcher find_kernel(DType type, Reduction reduction) {
  switch (type) {
    case DType::f16: return find_for<F16>(reduction);
    case DType::bf16: return find_for<BF16>(reduction);
    default: return find_for<float>(reduction);
  }
}

}  // namespace amphora::cpu::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace amphora::cpu::simd {

HWY_EXPORT(find_kernel);

Launcher find_reduce(KernelId kernel, const Spec& spec) {
  if (kernel != KernelId::reduce || !is_f32_or_16bit(kernel, spec)) return nullptr;
  return HWY_DYNAMIC_DISPATCH(find_kernel)(spec.types[op::reduce::in], static_cast<Reduction>(spec.function));
}

}  // namespace amphora::cpu::simd
#endif

// dropout: Philox4x32-10, a block a lane.
#include "backends/cpu/simd/blocks.h"
#include "backends/cpu/simd/launchers.h"
#include "backends/cpu/simd/parallel.h"
#include "backends/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/simd/dropout.cpp"
#include "hwy/foreach_target.h"

#include "amphora/kernel/shared/philox.h"
#include "backends/cpu/simd/convert-inl.h"

HWY_BEFORE_NAMESPACE();
namespace amphora::cpu::simd::HWY_NAMESPACE {

struct Counter {
  Words v;
  Counter() = default;
  HWY_INLINE Counter(Words words) : v(words) {}                            // NOLINT: philox.h writes plain expressions
  HWY_INLINE Counter(std::uint32_t word) : v(hn::Set(WordTag(), word)) {}  // NOLINT
};
HWY_INLINE Counter operator*(Counter a, Counter b) { return hn::Mul(a.v, b.v); }
HWY_INLINE Counter operator^(Counter a, Counter b) { return hn::Xor(a.v, b.v); }
HWY_INLINE Counter& operator+=(Counter& a, Counter b) { return a = hn::Add(a.v, b.v); }

HWY_INLINE Counter high_product(Counter a, Counter b) {
  const WordTag d;
  const hn::Repartition<std::uint64_t, WordTag> wide;
  const auto odd_lanes = [&](Words v) HWY_ATTR { return hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(wide, v))); };
  const auto even = hn::BitCast(d, hn::ShiftRight<32>(hn::MulEven(a.v, b.v)));
  const auto odd = hn::BitCast(d, hn::MulEven(odd_lanes(a.v), odd_lanes(b.v)));
  return hn::OddEven(odd, even);
}

#undef AM_UINT
#define AM_UINT Counter
#undef AM_MULHI
#define AM_MULHI(a, b) high_product(a, b)

// The words of blocks [first, first + kLanes), element by element.
HWY_INLINE void draw(const DropoutParams& params, std::uint64_t first, std::uint32_t* words) {
  const WordTag d;
  const auto low = static_cast<std::uint32_t>(first);
  const Words lanes = hn::Iota(d, low);
  const Words carry = hn::IfThenElseZero(hn::Lt(lanes, hn::Set(d, low)), hn::Set(d, 1u));
  Counter c0 = lanes, c1 = hn::Add(hn::Set(d, static_cast<std::uint32_t>(first >> 32)), carry);
  Counter c2 = params.stream_low, c3 = params.stream_high, k0 = params.seed_low, k1 = params.seed_high;
  AM_PHILOX_10(c0, c1, c2, c3, k0, k1)
  hn::StoreInterleaved4(c0.v, c1.v, c2.v, c3.v, d, words);
}

// Elements [begin, begin + count) of the stream decide over x; `begin` is a multiple of 4.
void drop(const DropoutParams& params, std::size_t begin, const float* x, float* y, std::size_t count) {
  const FloatTag d;
  const Floats scale = hn::Set(d, params.scale);
  const Words threshold = hn::Set(WordTag(), params.threshold);
  alignas(64) std::uint32_t words[4 * kLanes];
  for (std::size_t i = 0; i < count; i += 4 * kLanes) {
    draw(params, (begin + i) / 4, words);
    const std::size_t end = std::min(count, i + 4 * kLanes);
    for (std::size_t j = i; j < end; j += kLanes) {
      const std::size_t rest = end - j;
      const Words bits = hn::Load(WordTag(), words + (j - i));
      const auto dropped = hn::RebindMask(d, hn::Lt(bits, threshold));
      if (rest >= kLanes) {
        store(hn::IfThenZeroElse(dropped, hn::Mul(load(x + j), scale)), y + j);
      } else {
        store_part(hn::IfThenZeroElse(dropped, hn::Mul(load_part(x + j, rest), scale)), y + j, rest);
      }
    }
  }
}

void dropout(const KernelCall& call, Threads& threads) {
  auto params = call.params<DropoutParams>();
  if (const auto* number = data_of<std::uint32_t>(call, op::dropout::call)) params.stream_high += *number;
  const Input x(call.type_at(op::dropout::x), data_of(call, op::dropout::x));
  const Output y(call.type_at(op::dropout::y), data_of(call, op::dropout::y));
  run_chunks(threads, params.count, [&](std::size_t begin, std::size_t end) {
    Block block;
    for_blocks(begin, end, kBlock, [&](std::size_t at, std::size_t count) {
      float* out = y.place(at, block.values);
      drop(params, at, x.read(at, count, block.values), out, count);
      y.write(at, count, out);
    });
  });
}

Launcher find_kernel() { return dropout; }

}  // namespace amphora::cpu::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace amphora::cpu::simd {

HWY_EXPORT(find_kernel);

Launcher find_dropout(KernelId kernel, const Spec& spec) {
  if (kernel != KernelId::dropout || !is_f32_or_16bit(kernel, spec)) return nullptr;
  return HWY_DYNAMIC_DISPATCH(find_kernel)();
}

}  // namespace amphora::cpu::simd
#endif

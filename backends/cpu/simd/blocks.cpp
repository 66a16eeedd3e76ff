#include "backends/cpu/simd/blocks.h"

#include "backends/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/simd/blocks.cpp"
#include "hwy/foreach_target.h"

#include "backends/cpu/simd/convert-inl.h"

HWY_BEFORE_NAMESPACE();
namespace amphora::cpu::simd::HWY_NAMESPACE {

template <class T>
void widen_block(const void* from, float* to, std::size_t count) {
  const auto* source = static_cast<const T*>(from);
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(load(source + i), to + i);
  if (i < count) store_part(load_part(source + i, count - i), to + i, count - i);
}

template <class T>
void narrow_block(const float* from, void* to, std::size_t count) {
  auto* target = static_cast<T*>(to);
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(load(from + i), target + i);
  if (i < count) store_part(load_part(from + i, count - i), target + i, count - i);
}

Widen find_widen(DType type) {
  if (type == DType::f16) return widen_block<F16>;
  return type == DType::bf16 ? widen_block<BF16> : nullptr;
}

Narrow find_narrow(DType type) {
  if (type == DType::f16) return narrow_block<F16>;
  return type == DType::bf16 ? narrow_block<BF16> : nullptr;
}

}  // namespace amphora::cpu::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace amphora::cpu::simd {

HWY_EXPORT(find_widen);
HWY_EXPORT(find_narrow);

Widen widen_from(DType type) { return HWY_DYNAMIC_DISPATCH(find_widen)(type); }
Narrow narrow_to(DType type) { return HWY_DYNAMIC_DISPATCH(find_narrow)(type); }

}  // namespace amphora::cpu::simd
#endif

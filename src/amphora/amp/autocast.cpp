#include "amphora/amp/autocast.h"

#include <algorithm>

#include "amphora/core/error.h"

namespace amphora::amp {

namespace {

Precision precision_of(DType dtype) {
  switch (dtype) {
    case DType::f32: return Precision::f32;
    case DType::f16: return Precision::f16;
    case DType::bf16: return Precision::bf16;
    default: fail("autocast to {}; it takes f16, bf16, or f32 for no casts", name_of(dtype));
  }
}

std::optional<Precision> active_of(Precision precision) {
  return precision == Precision::f32 ? std::nullopt : std::optional(precision);
}

Region opened(Precision precision, std::initializer_list<RuleOverride> overrides) {
  Region region = current_region();
  for (const auto& [name, rule] : overrides) region.overrides.emplace_back(&find_op(name), rule);
  region.precision = precision;
  region.active = active_of(precision);
  return region;
}

}  // namespace

Autocast::Autocast(Region region)
    : Scoped(context().mode.autocast, std::make_shared<const Region>(std::move(region))) {}

Autocast::Autocast(Precision precision, std::initializer_list<RuleOverride> overrides)
    : Autocast(opened(precision, overrides)) {}

Autocast::Autocast(DType dtype, std::initializer_list<RuleOverride> overrides)
    : Autocast(precision_of(dtype), overrides) {}

Region Autocast::switched(bool enabled) {
  Region region = current_region();
  region.active = enabled ? active_of(region.precision) : std::nullopt;
  return region;
}

const Region& current_region() {
  static const Region outside;
  const auto& region = context().mode.autocast;
  return region == nullptr ? outside : *region;
}

std::optional<DType> active_dtype() {
  const Region& region = current_region();
  if (!region.active || *region.active == Precision::tf32) return std::nullopt;
  return policy_of(*region.active).compute;
}

bool tf32_active() { return current_region().active == Precision::tf32; }

std::optional<CastRule> override_of(std::string_view op) {
  // The latest override wins: an inner region's comes after the outer one's.
  const auto& overrides = current_region().overrides;
  const auto found =
      std::find_if(overrides.rbegin(), overrides.rend(), [&](const auto& entry) { return entry.first->name == op; });
  return found == overrides.rend() ? std::nullopt : std::optional(found->second);
}

}  // namespace amphora::amp

#include "amphora/amp/autocast.h"

#include <algorithm>

#include "amphora/core/error.h"

namespace amphora::amp {

namespace {

thread_local Region region;

Precision precision_of(DType dtype) {
  switch (dtype) {
    case DType::f32: return Precision::f32;
    case DType::f16: return Precision::f16;
    case DType::bf16: return Precision::bf16;
    default: fail("autocast to {}; it takes f16, bf16, or f32 for no casts", name_of(dtype));
  }
}

}  // namespace

Autocast::Autocast(Precision precision, std::initializer_list<RuleOverride> overrides)
    : previous_active_(region.active),
      previous_precision_(region.precision),
      previous_overrides_(region.overrides.size()) {
  // Every name is looked up before the state changes, so that an error leaves it as it was.
  std::vector<std::pair<const OpInfo*, CastRule>> found;
  for (const auto& [name, rule] : overrides) found.emplace_back(&find_op(name), rule);
  region.overrides.insert(region.overrides.end(), found.begin(), found.end());
  region.active = precision == Precision::f32 ? std::nullopt : std::optional(precision);
  if (region.active) region.precision = precision;
}

Autocast::Autocast(DType dtype, std::initializer_list<RuleOverride> overrides)
    : Autocast(precision_of(dtype), overrides) {}

Autocast::Autocast(bool enabled)
    : previous_active_(region.active),
      previous_precision_(region.precision),
      previous_overrides_(region.overrides.size()) {
  region.active = enabled ? std::optional(region.precision) : std::nullopt;
}

Autocast::~Autocast() {
  region.active = previous_active_;
  region.precision = previous_precision_;
  region.overrides.resize(previous_overrides_);
}

const Region& current_region() { return region; }

ResumeRegion::ResumeRegion(const Region& resumed) : previous_(std::exchange(region, resumed)) {}
ResumeRegion::~ResumeRegion() { region = std::move(previous_); }

std::optional<DType> active_dtype() {
  if (!region.active || *region.active == Precision::tf32) return std::nullopt;
  return policy_of(*region.active).compute;
}

bool tf32_active() { return region.active == Precision::tf32; }

std::optional<CastRule> override_of(std::string_view op) {
  // The latest override wins: an inner region's comes after the outer one's.
  const auto found = std::find_if(region.overrides.rbegin(), region.overrides.rend(),
                                  [&](const auto& entry) { return entry.first->name == op; });
  return found == region.overrides.rend() ? std::nullopt : std::optional(found->second);
}

}  // namespace amphora::amp

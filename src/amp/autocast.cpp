#include "amp/autocast.h"

#include <algorithm>

#include "core/error.h"

namespace amphora::amp {

namespace {

struct Region {
  std::optional<DType> active;  // empty: no casts
  DType dtype = DType::f16;     // what Autocast(true) resumes with
  std::vector<std::pair<const OpInfo*, CastRule>> overrides;
};

thread_local Region region;

DType dtype_of(Precision precision) { return policy_of(precision).compute; }

}  // namespace

Autocast::Autocast(DType dtype, std::initializer_list<RuleOverride> overrides)
    : previous_active_(region.active), previous_dtype_(region.dtype), previous_overrides_(region.overrides.size()) {
  require(is_low(dtype) || dtype == DType::f32, "autocast to {}; it takes f16, bf16, or f32 for no casts",
          name_of(dtype));
  // Every name is looked up before the state changes, so that an error leaves it as it was.
  std::vector<std::pair<const OpInfo*, CastRule>> found;
  for (const auto& [name, rule] : overrides) found.emplace_back(&find_op(name), rule);
  region.overrides.insert(region.overrides.end(), found.begin(), found.end());
  region.active = is_low(dtype) ? std::optional(dtype) : std::nullopt;
  if (is_low(dtype)) region.dtype = dtype;
}

Autocast::Autocast(Precision precision, std::initializer_list<RuleOverride> overrides)
    : Autocast(dtype_of(precision), overrides) {}

Autocast::Autocast(bool enabled)
    : previous_active_(region.active), previous_dtype_(region.dtype), previous_overrides_(region.overrides.size()) {
  region.active = enabled ? std::optional(region.dtype) : std::nullopt;
}

Autocast::~Autocast() {
  region.active = previous_active_;
  region.dtype = previous_dtype_;
  region.overrides.resize(previous_overrides_);
}

std::optional<DType> active_dtype() { return region.active; }

std::optional<CastRule> override_of(std::string_view op) {
  // The latest override wins: an inner region's comes after the outer one's.
  const auto found = std::find_if(region.overrides.rbegin(), region.overrides.rend(),
                                  [&](const auto& entry) { return entry.first->name == op; });
  return found == region.overrides.rend() ? std::nullopt : std::optional(found->second);
}

}  // namespace amphora::amp

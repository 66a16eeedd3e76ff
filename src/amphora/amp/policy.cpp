#include "amphora/amp/policy.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <vector>

#include <fmt/format.h>

#include "amphora/core/error.h"

namespace amphora::amp {

namespace {

constexpr OpInfo kTable[] = {
#define AMPHORA_OP(name, rule) {#name, CastRule::rule},
#include "amphora/amp/policy.def"
#undef AMPHORA_OP
};

// Names and addresses of declared ops stay valid: a deque never moves its elements.
struct CustomOps {
  std::mutex mutex;
  std::deque<std::string> names;
  std::deque<OpInfo> ops;
};

CustomOps& custom_ops() {
  static CustomOps instance;
  return instance;
}

template <class Range>
const OpInfo* find_in(const Range& ops, std::string_view name) {
  const auto found = std::find_if(std::begin(ops), std::end(ops), [&](const OpInfo& op) { return op.name == name; });
  return found == std::end(ops) ? nullptr : &*found;
}

bool eligible(DType type) { return is_floating(type) && type != DType::f64; }

DType widest_of(const OpInfo& op, DType active, std::span<const Operand> inputs) {
  DType winner = active;
  for (const Operand& input : inputs) {
    if (!eligible(input.dtype)) continue;
    require(input.dtype == DType::f32 || input.dtype == active,
            "'{}' has an input of type {} under autocast to {}; convert it, neither type holds the other's values",
            op.name, name_of(input.dtype), name_of(active));
    if (input.dtype == DType::f32) winner = DType::f32;
  }
  return winner;
}

}  // namespace

std::string_view name_of(CastRule rule) {
  constexpr std::string_view kNames[] = {"lower", "full", "widest", "follow", "refuse"};
  return kNames[static_cast<int>(rule)];
}

std::span<const OpInfo> policy_table() { return kTable; }

const OpInfo& find_op(std::string_view name) {
  if (const OpInfo* op = find_in(kTable, name)) return *op;
  CustomOps& custom = custom_ops();
  const std::lock_guard lock(custom.mutex);
  if (const OpInfo* op = find_in(custom.ops, name)) return *op;
  fail("no op is called '{}'; the names are in amp/policy.def, and declare_op() adds a custom one", name);
}

const OpInfo& declare_op(std::string_view name, CastRule rule) {
  CustomOps& custom = custom_ops();
  const std::lock_guard lock(custom.mutex);
  const OpInfo* known = find_in(kTable, name);
  if (known == nullptr) known = find_in(custom.ops, name);
  if (known != nullptr) {
    require(known->rule == rule, "op '{}' already has the rule '{}'; use an override to change it, not a declaration",
            name, name_of(known->rule));
    return *known;
  }
  custom.names.emplace_back(name);
  return custom.ops.emplace_back(OpInfo{custom.names.back(), rule});
}

DType promote_operands(std::span<const Operand> inputs) {
  std::optional<DType> tensors;
  std::optional<DType> scalars;
  for (const Operand& input : inputs) {
    std::optional<DType>& kind = input.scalar ? scalars : tensors;
    kind = kind ? promote(*kind, input.dtype) : input.dtype;
  }
  if (!tensors) return scalars.value_or(DType::f32);
  // A floating scalar turns integer tensors into its own type, but never widens floating ones.
  if (scalars && is_floating(*scalars) && !is_floating(*tensors)) return *scalars;
  return *tensors;
}

Decision decide(const OpInfo& op, std::optional<DType> active, std::optional<CastRule> override_rule,
                std::span<const Operand> inputs) {
  Decision decision{.rule = override_rule.value_or(op.rule), .overridden = override_rule.has_value()};
  const bool any_eligible =
      std::any_of(inputs.begin(), inputs.end(), [](const Operand& i) { return eligible(i.dtype); });
  if (active && any_eligible) {
    switch (decision.rule) {
      case CastRule::lower: decision.cast_to = active; break;
      case CastRule::full: decision.cast_to = DType::f32; break;
      case CastRule::widest: decision.cast_to = widest_of(op, *active, inputs); break;
      case CastRule::follow: break;
      case CastRule::refuse:
        fail(
            "'{}' is refused under autocast: its gradient may leave the range of {}. Use the form that takes logits "
            "(bce_with_logits), or compute it outside of the region in f32",
            op.name, name_of(*active));
    }
  }
  std::vector<Operand> converted(inputs.begin(), inputs.end());
  for (Operand& input : converted) {
    if (decision.cast_to && eligible(input.dtype)) input.dtype = *decision.cast_to;
  }
  decision.result = promote_operands(converted);
  return decision;
}

std::string Policy::str() const {
  return fmt::format("{}/{}/{}/{}", name_of(parameter), name_of(compute), name_of(output), name_of(gradient));
}

Policy policy_of(Precision precision) {
  Policy policy;
  if (precision == Precision::f16) policy.compute = DType::f16;
  if (precision == Precision::bf16) policy.compute = DType::bf16;
  return policy;
}

}  // namespace amphora::amp

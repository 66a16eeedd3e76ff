// The precision policy: which rule each op has, and what a rule means for given input types.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "amphora/core/dtype.h"

namespace amphora::amp {

enum class CastRule : std::uint8_t { lower, full, widest, follow, refuse };
std::string_view name_of(CastRule rule);

// An op as the policy sees it. Ops of the table are found by name; a custom op declares its own.
struct OpInfo {
  std::string_view name;
  CastRule rule;
};

// The table of amp/policy.def, in its order.
std::span<const OpInfo> policy_table();

// A row of the table or a declared op. Throws Error for a name that is neither.
const OpInfo& find_op(std::string_view name);

// Gives a custom op its rule, for the life of the program. Declaring the same op again with the same rule is allowed;
// throws Error if the name has another rule already.
const OpInfo& declare_op(std::string_view name, CastRule rule);

// What the policy knows of an input.
struct Operand {
  DType dtype;
  bool scalar = false;  // rank 0: does not widen tensors that have axes
};

// What a rule makes of an op's inputs.
struct Decision {
  CastRule rule = CastRule::follow;
  bool overridden = false;
  // The type that eligible inputs (floating, not f64) are converted to; empty: they stay as they are.
  std::optional<DType> cast_to = std::nullopt;
  DType result = DType::f32;  // of the op's output
};

// The one place where the policy is applied. `active` is the region's 16-bit type, empty outside of a region.
// Throws Error where the rule is `refuse`, or `widest` meets two 16-bit types.
Decision decide(const OpInfo& op, std::optional<DType> active, std::optional<CastRule> override_rule,
                std::span<const Operand> inputs);

// Ordinary promotion over the operands: scalars widen only each other.
DType promote_operands(std::span<const Operand> inputs);

// The types of a training run by role, printed as "f32/f16/f32/f32".
struct Policy {
  DType parameter = DType::f32;  // masters
  DType compute = DType::f32;    // products under autocast
  DType output = DType::f32;     // losses and statistics
  DType gradient = DType::f32;   // of parameters
  std::string str() const;
};
Policy policy_of(Precision precision);

}  // namespace amphora::amp

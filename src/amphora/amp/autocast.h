// Autocast: a scope in which ops choose their types by the policy.
//
//   {
//     amp::Autocast autocast(DType::f16);
//     loss = cross_entropy(model(x), y);   // products in f16, the loss in f32
//   }
//
// Regions nest; the innermost one governs. State is kept by thread: a new thread starts outside of any region, and may
// take over another's by assigning context().mode. Call backward() outside: it runs in the types of the forward pass
// and never asks the policy.
#pragma once

#include <concepts>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "amphora/amp/policy.h"
#include "amphora/core/context.h"

namespace amphora::amp {

using RuleOverride = std::pair<std::string_view, CastRule>;

// What governs the ops of a thread: its regions, nested and suspended ones as they are.
struct Region {
  std::optional<Precision> active;       // empty: neither casts nor TF32
  Precision precision = Precision::f16;  // what Autocast(true) resumes with
  std::vector<std::pair<const OpInfo*, CastRule>> overrides;
};

class Autocast : Scoped<std::shared_ptr<const Region>> {
 public:
  // A region of type f16 or bf16; f32 gives a region without casts, so that a program need not branch. `overrides`
  // change the rules of single ops and hold in nested regions too: Autocast(DType::f16, {{"gelu", CastRule::full}}).
  // Throws Error for another type and for an unknown op.
  explicit Autocast(DType dtype, std::initializer_list<RuleOverride> overrides = {});
  // A region of a precision. In tf32 nothing is cast, and products of f32 may round their operands to TF32.
  explicit Autocast(Precision precision, std::initializer_list<RuleOverride> overrides = {});
  // false suspends autocast in its scope; true resumes it with the outer region's precision. Takes nothing that merely
  // converts to bool: Autocast("bf16") does not compile.
  template <std::same_as<bool> Bool>
  explicit Autocast(Bool enabled) : Autocast(switched(enabled)) {}
  // The same as Autocast(false): const auto f32 = Autocast::off();
  static Autocast off() { return Autocast(false); }

 private:
  explicit Autocast(Region region);
  static Region switched(bool enabled);
};

// Of this thread.
const Region& current_region();

// The governing region's 16-bit type; empty outside of regions and in suspended ones.
std::optional<DType> active_dtype();
// Whether products of f32 may run in TF32.
bool tf32_active();
// The user's rule for an op in the governing region.
std::optional<CastRule> override_of(std::string_view op);

}  // namespace amphora::amp

// What ran, in which type and why: the record behind `run explain`, and the module path that names each place.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "amphora/core/context.h"
#include "amphora/core/dtype.h"

namespace amphora::autograd {

// The path of the module whose forward pass runs now, "layers.0"; empty outside of modules.
const std::string& current_module();

// Appends `name` to the module path in its scope, in this thread.
class ModuleScope : Scoped<std::string> {
 public:
  explicit ModuleScope(std::string_view name);
  // Replaces the whole path: backward runs an op under the path of its forward pass.
  static ModuleScope absolute(std::string_view path);

 private:
  struct Absolute {};
  ModuleScope(Absolute, std::string_view path);
};

struct TraceLine {
  std::string_view phase = {};          // "forward", "backward", "recompute", "step"
  std::string op = {};                  // "linear"
  std::vector<DType> inputs = {};       // as they arrived
  std::string rule = {};                // "lower", "full*" (* by a user's override); empty outside of the policy
  DType ran_in = DType::f32;            // the type of the arithmetic's operands
  bool tf32 = false;                    // operands of f32 were rounded to TF32
  std::vector<std::string> casts = {};  // "0: f32 -> f16", "1: f32 -> f16 saved (working copy)"
  std::string where = {};               // the module path
};

// Collects a line for each op that this thread runs while it lives. Traces nest; the innermost one collects.
class Trace {
 public:
  Trace() : innermost_(context().trace, this) {}

  void add(TraceLine line);  // fills in `where`
  void mark_tf32();          // of the line added last
  const std::vector<TraceLine>& lines() const { return lines_; }
  // A table with a line an op; the same program gives the same text on every backend.
  std::string str() const;

 private:
  std::vector<TraceLine> lines_;
  Scoped<Trace*> innermost_;
};

// The trace that collects now; null when none does.
Trace* active_trace();

}  // namespace amphora::autograd

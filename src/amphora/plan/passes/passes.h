// Passes: what makes a recorded step cheaper before it is compiled. Each rewrites a plan and says how much it did.
//
// A pass sees what the recorder saw, all calls and all their memory, and keeps to it: ranges within a value, calls in
// between that read or write them, and what is kept after the step.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "amphora/plan/plan.h"

namespace amphora::plan {

// The path that runs a kernel on a device, as Device::supports() names it; empty where it does not run there.
using PathOf = std::function<std::string(KernelId, const Spec&)>;

// --- passes that keep the bits of all that is kept ---

// Replaces an operand that a derivative ignores by one that it reads, so that its memory is freed earlier: relu's gets
// its result twice, that of a sum nothing but dy.
int drop_unread_operands(Plan& plan, const PathOf& path_of);

// A second cast of the same bytes to the same type is not made. Only within one phase, so that little memory lives
// longer for it; and no result is kept from a forward pass for its repetition, which is there so that none need be.
int share_casts(Plan& plan);

// Widened to f32 by the kernel that loads it, or narrowed by the one that stores it, a value needs no cast. Only for
// pointwise kernels, which are exact in between, and only where the same path runs the call then. The oracle computes
// in f64, so its results would be rounded once instead of twice: nothing is folded into it.
int fold_casts(Plan& plan, const PathOf& path_of);

// Calls whose results nobody reads, or others overwrite first: a fill before a product, a gradient nobody wants.
int drop_dead_calls(Plan& plan);

// --- passes that change bits, and so are asked for ---

// A call that adds to zeros writes instead, and the zeros need not be there. Differs in zeros' signs: 0 + -0 is 0.
int store_instead_of_accumulate(Plan& plan, const PathOf& path_of);

// A bias, an activation, its derivative and the sum of a bias's gradient move into the product before them. All of it
// then sees the product's f32 numbers, which were rounded to the type of memory between kernels: in f16 a product above
// 65504 was infinite there, and its derivative NaN where relu's 0 met it. Where all types are f32 no rounding is left
// out, but a library may run another kernel for a product with an epilogue. Nothing is fused into the oracle that it
// did not run before.
int fuse_epilogues(Plan& plan, const PathOf& path_of);

struct PassOptions {
  bool drop_unread_operands = true;
  bool share_casts = true;
  bool fold_casts = true;
  bool drop_dead_calls = true;
  bool store_instead_of_accumulate = false;
  bool fuse_epilogues = false;
};

struct PassReport {
  std::string pass;
  int changes = 0;  // places that it rewrote
  int removed = 0;  // calls
};

struct Optimized {
  Plan plan;
  std::vector<PassReport> passes;  // those that ran, in order
};

// Runs the passes that are asked for, and forgets values that no call names any more.
Optimized optimize(Plan plan, const PassOptions& options, const PathOf& path_of);

// "share_casts: 3 changes, 3 calls fewer": a line a pass that found something.
std::string describe(const std::vector<PassReport>& passes);

}  // namespace amphora::plan

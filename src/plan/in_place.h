// Which results may be written over an operand: only where every backend computes each element from what lies at its
// own place, and reads that before it writes. tests/conformance/in_place.cpp holds all of them to it.
#pragma once

#include "kernel/call.h"

namespace amphora::plan {

// The buffer that a call's result goes to; -1 where it may take no operand's place.
int result_in_place(const KernelCall& call);

// Whether that result may lie exactly where operand `index` does. An operand whose elements have another size or
// another order than the result's may not be overwritten; neither may two operands that overlap unless both are such
// operands.
bool may_overwrite(const KernelCall& call, int index);

}  // namespace amphora::plan

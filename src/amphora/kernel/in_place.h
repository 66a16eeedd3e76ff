// Which results may be written over an operand: only where every backend computes each element from what lies at its
// own place, and reads that before it writes. tests/conformance/in_place.cpp holds all of them to it.
#pragma once

#include "amphora/kernel/call.h"

namespace amphora {

// The buffer that a call's result goes to; -1 where it may take no operand's place.
int result_in_place(const KernelCall& call);

// Whether that result may lie exactly where operand `index` does: its elements have the result's size and order. Memory
// that the call reads a second time, as another operand, may only be overwritten if this holds for both.
bool may_overwrite(const KernelCall& call, int index);

}  // namespace amphora

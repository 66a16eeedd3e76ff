// A plan as text: to read, and to diff.
#pragma once

#include <string>

#include "amphora/plan/plan.h"

namespace amphora::plan {

// "matmul+relu [128x784 * 784x512] f16 f16 -> f16": kernel, shapes and types, without addresses.
std::string describe_shapes(const KernelCall& call);

// "backward linear layers.0": phase, op and module, as far as they are known.
std::string describe_place(const PlannedCall& planned);

// Values first, then calls with what they read and write. Golden files of tests have this form.
std::string dump(const Plan& plan);

}  // namespace amphora::plan

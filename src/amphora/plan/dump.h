// A plan as text: to read, and to diff.
#pragma once

#include <string>

#include "amphora/plan/plan.h"

namespace amphora::plan {

// "backward linear layers.0": phase, op and module, as far as they are known.
std::string describe_place(const PlannedCall& planned);

// Values first, then calls with what they read and write. Golden files of tests have this form.
std::string dump(const Plan& plan);

}  // namespace amphora::plan

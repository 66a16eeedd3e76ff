// Whether these tests would notice: a device, and a policy, that are broken on purpose.
#pragma once

#include <string>
#include <vector>

namespace amphora::conformance {

struct Caught {
  std::string fault;
  std::uint64_t violations = 0;
  bool expected = true;  // false: of a device without a fault
};

std::vector<Caught> break_on_purpose();

// Prints what was caught; whether all was, and nothing else.
bool self_check();

}  // namespace amphora::conformance

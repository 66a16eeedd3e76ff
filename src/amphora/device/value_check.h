// ValueCheck: looks at all that kernels read and write, and tells where a value that is not finite came from.
//
// AMPHORA_CHECK=1 makes every device keep one. Each call is waited for then, and its arrays are copied to the host:
// slow, but a value is found where it arises, and a call that fails on the device is named.
#pragma once

#include <functional>
#include <string>
#include <unordered_set>

#include "amphora/device/device.h"

namespace amphora {

class ValueCheck {
 public:
  // Takes the text of each report.
  using Report = std::function<void(const std::string& text)>;

  // An empty `report` writes to stderr.
  ValueCheck(Device& device, Report report);

  // Lets `launch` run the call and looks at its arrays before and after. One report for each place in the program where
  // a value that is not finite arises, or is read although no kernel has written it; none for what comes of that value.
  void run(const KernelCall& call, const std::function<void()>& launch);
  // The host has written: what the memory holds comes from outside again.
  void uploaded(const Buffer& target) { spoiled_.erase(target.id()); }

 private:
  struct Found;
  struct Operands;
  Found look(const KernelCall& call, int index) const;
  Operands look_at_operands(const KernelCall& call);
  void wait_for(const KernelCall& call);
  std::string origin_of(const KernelCall& call, const Found& found, const Operands& operands) const;
  void report(const KernelCall& call, const Found& found, const std::string& origin);

  Device& device_;
  Report report_;
  double loss_scale_ = 0.0;                    // what a GradScaler multiplied with last; 0: none did
  std::unordered_set<std::uint64_t> spoiled_;  // buffers that hold, or held, a value that was reported or comes of one
  std::unordered_set<std::string> reported_;   // places
};

}  // namespace amphora

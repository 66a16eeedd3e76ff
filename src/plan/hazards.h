// Hazards: which accesses to device memory must wait for earlier ones.
//
// Between two barriers all calls may run at once. A call needs a barrier before it if it reads what one of them
// writes, or writes what one of them reads or writes. Memory is known by address, so buffers that share memory, or
// reuse it, are ordered like any others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace amphora::plan {

struct Access {
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;
  bool write = false;
};

class Hazards {
 public:
  // Whether one of these accesses must wait for an access since the last barrier.
  bool conflict(std::span<const Access> accesses) const;
  void add(std::span<const Access> accesses);
  std::size_t size() const { return accesses_.size(); }
  // A barrier for all memory was placed.
  void clear() { accesses_.clear(); }

 private:
  std::vector<Access> accesses_;  // since the last barrier
};

}  // namespace amphora::plan

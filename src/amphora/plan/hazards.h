// Hazards: which accesses to device memory must wait for earlier ones.
//
// A call must wait for an earlier one if it reads what that one writes, or writes what that one reads or writes. Memory
// is known by address, so buffers that share memory, or reuse it, are ordered like any others. Backends that place
// barriers ask Hazards; those that place edges ask Order.
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

// Between two barriers all calls may run at once.
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

// For each of a list of calls, the earlier ones that it must wait for.
class Order {
 public:
  // The next call of the list. Returns the numbers of the calls to wait for, the latest first, without those that end
  // before another of them begins.
  std::vector<std::size_t> add(std::vector<Access> accesses);

 private:
  struct Call {
    std::vector<Access> accesses;
    std::vector<std::uint64_t> before;  // a bit for each earlier call: it ends before this one begins
  };
  std::vector<Call> calls_;
};

}  // namespace amphora::plan

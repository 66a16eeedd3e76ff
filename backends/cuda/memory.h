// Device memory as the pool gets it: a range of addresses at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "backends/cuda/capabilities.h"

namespace amphora::cuda {

using Address = std::uintptr_t;

struct Range {
  Address begin = 0;
  std::size_t bytes = 0;
  Address end() const { return begin + bytes; }
};

class Memory {
 public:
  Memory() = default;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  virtual ~Memory() = default;

  // Usable memory of at least `bytes`; where addresses are reserved, it begins where the last range ended. Empty: no
  // room.
  virtual std::optional<Range> grow(std::size_t bytes) = 0;
  // Takes the memory behind an unused range, or behind a part of it, so that grow() can put it elsewhere;
  // the device must be idle. Returns the part that may no longer be used.
  virtual Range reclaim(const Range& unused) = 0;

  std::size_t held() const { return held_; }            // bytes taken from the device
  std::uint64_t requests() const { return requests_; }  // to the device, so far

 protected:
  std::size_t held_ = 0;
  std::uint64_t requests_ = 0;
};

// Addresses for several times the device's memory, reserved at once; memory comes behind them in chunks, as it is
// needed. What was handed out never moves, and neighbours join to any size. Where a device cannot do that: pieces by
// cudaMalloc.
std::unique_ptr<Memory> make_memory(const Capabilities& capabilities);

}  // namespace amphora::cuda

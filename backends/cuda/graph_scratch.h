// Scratch memory of a step that is compiled: all calls take theirs from one piece, round and round.
//
// The calls are gone through twice: first their needs are noted, then memory for them is handed out. Calls that are far
// apart share memory, which hazards order like any other; neighbours have their own, so that they may run side by side.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "backends/cuda/block_pool.h"
#include "backends/cuda/memory.h"

namespace amphora::cuda {

class Stream;

class GraphScratch {
 public:
  bool has_memory() const { return has_memory_; }
  // After the first round. Throws OutOfMemory.
  void provide(Stream& stream);

  // The next call, and its memory: empty in the first round.
  Range begin_call();
  // Of this call's memory, aligned to 256 bytes; null in the first round.
  void* take(std::size_t bytes);

  // To be kept as long as what was captured; null where no call needs any.
  std::unique_ptr<Block> release() { return std::move(block_); }

 private:
  std::vector<std::size_t> needs_;  // bytes, a call
  bool has_memory_ = false;
  std::unique_ptr<Block> block_;
  Range all_;
  std::size_t calls_ = 0;  // of the second round
  Address next_ = 0;
  Range left_;  // of this call's memory
};

}  // namespace amphora::cuda

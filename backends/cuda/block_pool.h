// The memory pool: blocks cut from what the device gave, by best fit.
//
// A block that is given back may be handed out again at once, while kernels that use it are still queued: whatever
// touches it next runs after them, because all runs in order on one stream.
#pragma once

#include <cstddef>
#include <map>
#include <memory>

#include "backends/cuda/memory.h"

namespace amphora::cuda {

class BlockPool;

// A piece of device memory, aligned to 256 bytes; gives itself back.
class Block {
 public:
  Block(std::shared_ptr<BlockPool> pool, const Range& range) : pool_(std::move(pool)), range_(range) {}
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block();

  void* data() const { return reinterpret_cast<void*>(range_.begin); }

 private:
  std::shared_ptr<BlockPool> pool_;
  Range range_;
};

class BlockPool : public std::enable_shared_from_this<BlockPool> {
 public:
  explicit BlockPool(std::unique_ptr<Memory> memory) : memory_(std::move(memory)) {}

  // Null: no room.
  std::unique_ptr<Block> take(std::size_t bytes);
  // Moves unused memory together, behind other addresses; the device must be idle. Then take() may find room.
  void compact();

  const Memory& memory() const { return *memory_; }
  std::size_t in_use() const { return in_use_; }  // bytes of all blocks

 private:
  friend class Block;
  void give_back(const Range& range);
  void add_free(const Range& range);

  std::unique_ptr<Memory> memory_;
  std::map<Address, std::size_t> free_;  // ranges by their begin; no two touch
  std::size_t in_use_ = 0;
};

}  // namespace amphora::cuda

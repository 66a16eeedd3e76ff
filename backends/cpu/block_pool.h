// Host memory that is kept for reuse: a training step asks for the same sizes again and again.
#pragma once

#include <cstddef>
#include <vector>

namespace amphora::cpu {

class BlockPool {
 public:
  // Never holds more than `limit` bytes of system memory, blocks that wait for reuse included.
  explicit BlockPool(std::size_t limit) : limit_(limit) {}
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  ~BlockPool() { release_unused(); }

  struct Block {
    void* data = nullptr;  // aligned to 64 bytes; null: no memory left
    bool fresh = false;    // came from the system, not from an earlier block
  };
  Block take(std::size_t bytes);
  // `data` came from take(bytes).
  void give_back(void* data, std::size_t bytes);

  std::size_t held() const { return held_; }
  std::size_t limit() const { return limit_; }

 private:
  void* from_system(std::size_t size);
  void release_unused();

  std::size_t limit_;
  std::size_t held_ = 0;
  std::vector<std::vector<void*>> unused_;  // by size class
};

}  // namespace amphora::cpu

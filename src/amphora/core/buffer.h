// A piece of device memory. Backends derive from Buffer; everything else only names and versions it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace amphora {

class Device;

// What a buffer is for; memory is accounted by kind.
enum class MemoryKind : std::uint8_t { masters, working_copies, gradients, optimizer_state, activations, inputs };
inline constexpr int kMemoryKinds = 6;

constexpr std::string_view name_of(MemoryKind kind) {
  constexpr std::string_view kNames[] = {"masters",         "working_copies", "gradients",
                                         "optimizer_state", "activations",    "inputs"};
  return kNames[static_cast<int>(kind)];
}

class Buffer : public std::enable_shared_from_this<Buffer> {
 public:
  Buffer(Device& device, std::size_t bytes, MemoryKind kind)
      : device_(device), id_(next_id.fetch_add(1, std::memory_order_relaxed)), bytes_(bytes), kind_(kind) {}
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  virtual ~Buffer() = default;

  Device& device() const { return device_; }
  // No other buffer of this process has it, earlier ones included.
  std::uint64_t id() const { return id_; }
  std::size_t bytes() const { return bytes_; }
  MemoryKind kind() const { return kind_; }

  // Grows with every write, by a kernel or from the host. A copy that remembers the version of its source knows when
  // it is stale.
  std::uint64_t version() const { return version_; }
  void mark_written() { ++version_; }

 private:
  inline static std::atomic<std::uint64_t> next_id = 1;

  Device& device_;
  std::uint64_t id_;
  std::size_t bytes_;
  MemoryKind kind_;
  std::uint64_t version_ = 0;
};

using BufferPtr = std::shared_ptr<Buffer>;

}  // namespace amphora

// CommandEncoder: turns dispatches into commands. What launchers see of the device.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "amphora/kernel/call.h"
#include "amphora/plan/hazards.h"
#include "backends/vulkan/allocator.h"
#include "backends/vulkan/capabilities.h"
#include "backends/vulkan/vulkan.h"

namespace amphora::vulkan {

class CommandSink;
class Pipelines;

// The smallest push-constant range that every device has.
inline constexpr std::size_t kMaxPushBytes = 128;

struct Groups {
  std::uint32_t x = 1;
  std::uint32_t y = 1;
  std::uint32_t z = 1;
};

// The push-constant block of a dispatch, with the memory that it touches.
class Push {
 public:
  // Begins with the addresses of the call's buffers, in the order of the kernel's row; 0 where one is absent.
  explicit Push(const KernelCall& call);
  // Begins empty: for a second dispatch of a call, which touches other memory.
  Push() = default;

  template <class T>
  Push& add(const T& value) {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % 4 == 0);
    return add_bytes(&value, sizeof(T));
  }
  // The address of buffer `index` of the call, or of a scratch block.
  Push& add_buffer(const KernelCall& call, int index);
  Push& add_buffer(const Block& block, bool write);

  std::span<const std::byte> bytes() const { return {bytes_.data(), size_}; }
  std::span<const plan::Access> accesses() const { return accesses_; }

 private:
  Push& add_bytes(const void* data, std::size_t size);

  std::array<std::byte, kMaxPushBytes> bytes_{};
  std::size_t size_ = 0;
  std::vector<plan::Access> accesses_;
};

class CommandEncoder {
 public:
  enum class Mode : std::uint8_t {
    immediate,  // commands run once
    executable  // commands run again and again: scratch is kept, and the first of them waits for all before it
  };
  CommandEncoder(CommandSink& sink, Allocator& allocator, Pipelines& pipelines, const Capabilities& capabilities,
                 Mode mode = Mode::immediate);

  const Capabilities& capabilities() const { return capabilities_; }

  // Records one dispatch of an embedded shader. Specialization constants: 0 the workgroup's size, 1 whether
  // packHalf2x16 may be used, 2 the function, 3 the flags, 4 to 15 the element types, from 16 on `constants`. A
  // `workgroup` of 0 is the device's size for one-dimensional kernels. `shader` must be a literal.
  void dispatch(std::string_view shader, const KernelCall& call, const Push& push, Groups groups,
                std::initializer_list<std::uint32_t> constants = {}, std::uint32_t workgroup = 0);

  // Device memory for the rest of this call; the next call may reuse it. Throws OutOfMemory.
  const Block& scratch(std::size_t bytes);

  // Workgroups for a loop over `items` in strides of the grid, each invocation taking about `per_invocation`.
  Groups spread(std::uint64_t items, std::uint32_t per_invocation = 4) const;

  // Records a copy of bytes. An address of 0 stands for memory that has no hazards.
  struct MemoryLocation {
    VkBuffer buffer;
    std::uint64_t offset;
    std::uint64_t address;
  };
  void copy(const MemoryLocation& source, const MemoryLocation& target, std::uint64_t bytes);
  // Records a copy from memory without hazards, before the open batch if nothing speaks against it: then it need not
  // wait for what a barrier in the batch waits for.
  void copy_early(const MemoryLocation& source, const MemoryLocation& target, std::uint64_t bytes);

  // A new call: the scratch of the one before goes back, or is kept to be used again.
  void begin_call();
  // All scratch that the calls of an executable use.
  std::vector<std::unique_ptr<Block>> take_scratch();
  // An executable that touches this was submitted.
  void follow_executable(std::span<const plan::Access> accesses);
  // The shaders that this call dispatched so far.
  std::span<const std::string_view> shaders() const { return shaders_; }

 private:
  void wait_for(std::span<const plan::Access> accesses);
  void follow_batch();

  CommandSink& sink_;
  Allocator& allocator_;
  Pipelines& pipelines_;
  const Capabilities& capabilities_;
  Mode mode_;
  plan::Hazards hazards_;
  // What a command in front of the open batch would have to wait for, or overtakes.
  plan::Hazards batch_hazards_;
  std::uint64_t batch_ = 0;
  std::vector<std::unique_ptr<Block>> scratch_;  // of this call
  std::vector<std::unique_ptr<Block>> kept_;     // of earlier calls of an executable
  std::vector<std::string_view> shaders_;
};

}  // namespace amphora::vulkan

#include "backends/vulkan/command_encoder.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "amphora/core/error.h"
#include "amphora/kernel/describe.h"
#include "amphora/kernel/operands.h"
#include "backends/vulkan/buffer.h"
#include "backends/vulkan/command_sink.h"
#include "backends/vulkan/pipelines.h"

namespace amphora::vulkan {
namespace {

constexpr VkPipelineStageFlags2 kCompute = VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT;
constexpr VkPipelineStageFlags2 kCopy = VK_PIPELINE_STAGE_2_COPY_BIT;
// Of vkCmdUpdateBuffer, which some drivers count among the copies.
constexpr VkPipelineStageFlags2 kUpdate = VK_PIPELINE_STAGE_2_CLEAR_BIT | kCopy;

VkAccessFlags2 writes_of(VkPipelineStageFlags2 stages) {
  return ((stages & kCompute) != 0 ? VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT : VK_ACCESS_2_NONE) |
         ((stages & kUpdate) != 0 ? VK_ACCESS_2_TRANSFER_WRITE_BIT : VK_ACCESS_2_NONE);
}

VkAccessFlags2 reads_of(VkPipelineStageFlags2 stages) {
  return ((stages & kCompute) != 0 ? VK_ACCESS_2_SHADER_STORAGE_READ_BIT : VK_ACCESS_2_NONE) |
         ((stages & kCopy) != 0 ? VK_ACCESS_2_TRANSFER_READ_BIT : VK_ACCESS_2_NONE);
}

// All memory: buffer barriers gain nothing on current drivers, and calls seldom have more than one hazard.
void record_barrier(VkCommandBuffer commands, VkPipelineStageFlags2 before, VkPipelineStageFlags2 after) {
  VkMemoryBarrier2 barrier{};
  barrier.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2;
  barrier.srcStageMask = before;
  barrier.srcAccessMask = writes_of(before);
  barrier.dstStageMask = after;
  barrier.dstAccessMask = reads_of(after) | writes_of(after);
  VkDependencyInfo dependency{};
  dependency.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO;
  dependency.memoryBarrierCount = 1;
  dependency.pMemoryBarriers = &barrier;
  vkCmdPipelineBarrier2(commands, &dependency);
}

void record_copy(VkCommandBuffer commands, const CommandEncoder::MemoryLocation& source,
                 const CommandEncoder::MemoryLocation& target, std::uint64_t bytes) {
  const VkBufferCopy region{source.offset, target.offset, bytes};
  vkCmdCopyBuffer(commands, source.buffer, target.buffer, 1, &region);
}

}  // namespace

Push::Push(const KernelCall& call) {
  for (int i = 0; i < call.buffer_count; ++i) add_buffer(call, i);
}

Push& Push::add_bytes(const void* data, std::size_t size) {
  require(size_ + size <= bytes_.size(), "a dispatch takes more than {} bytes of arguments", bytes_.size());
  std::memcpy(bytes_.data() + size_, data, size);
  size_ += size;
  return *this;
}

Push& Push::add_buffer(const KernelCall& call, int index) {
  const BufferRange& range = call.buffers[static_cast<std::size_t>(index)];
  std::uint64_t address = 0;
  if (range.buffer != nullptr) {
    address = block_of(*range.buffer).address() + range.offset;
    accesses_.push_back({address, range.bytes, is_written(call, index)});
  }
  return add(address);
}

Push& Push::add_buffer(const Block& block, bool write) {
  accesses_.push_back({block.address(), block.bytes(), write});
  return add(block.address());
}

CommandEncoder::CommandEncoder(CommandSink& sink, Allocator& allocator, Pipelines& pipelines,
                               const Capabilities& capabilities, Mode mode)
    : sink_(sink), allocator_(allocator), pipelines_(pipelines), capabilities_(capabilities), mode_(mode) {
  if (mode_ == Mode::executable) record_barrier(sink_.commands(), kCompute | kCopy, kCompute | kCopy);
}

void CommandEncoder::begin_call() {
  if (mode_ == Mode::executable) std::move(scratch_.begin(), scratch_.end(), std::back_inserter(kept_));
  scratch_.clear();
  shaders_.clear();
}

void CommandEncoder::follow_batch() {
  if (batch_ == sink_.batch()) return;
  batch_ = sink_.batch();
  batch_hazards_ = hazards_;
}

void CommandEncoder::wait_for(std::span<const plan::Access> accesses) {
  follow_batch();
  // So many calls side by side fill any device; more would only make the search for conflicts long.
  constexpr std::size_t kMaxAccesses = 512;
  if (hazards_.conflict(accesses) || hazards_.size() > kMaxAccesses) {
    // An executable has no copies; those behind it wait for it only where they have a hazard with it.
    const VkPipelineStageFlags2 others = updates_                    ? kUpdate
                                         : mode_ == Mode::executable ? VK_PIPELINE_STAGE_2_NONE
                                                                     : kCopy;
    const VkPipelineStageFlags2 stages = kCompute | others;
    record_barrier(sink_.commands(), stages, stages);
    hazards_.clear();
  }
  hazards_.add(accesses);
  batch_hazards_.add(accesses);
}

void CommandEncoder::follow_executable(std::span<const plan::Access> accesses) {
  hazards_.clear();  // it began with a barrier
  hazards_.add(accesses);
}

Push CommandEncoder::through_memory(const Push& push) {
  const Block& block = scratch(push.bytes().size());
  const plan::Access update[] = {{block.address(), block.bytes(), true}};
  updates_ = true;
  wait_for(update);
  vkCmdUpdateBuffer(sink_.commands(), block.buffer(), block.offset(), push.bytes().size(), push.bytes().data());
  Push result;
  result.add_buffer(block, false).touch(push.accesses());
  return result;
}

void CommandEncoder::dispatch(std::string_view shader, const KernelCall& call, const Push& arguments, Groups groups,
                              std::initializer_list<std::uint32_t> constants, std::uint32_t workgroup) {
  if (groups.x == 0 || groups.y == 0 || groups.z == 0) return;
  const auto& most = capabilities_.max_groups;
  if (groups.x > most[0] || groups.y > most[1] || groups.z > most[2]) {
    fail("{} needs {}x{}x{} workgroups; the device starts {}x{}x{} at most", describe(call), groups.x, groups.y,
         groups.z, most[0], most[1], most[2]);
  }
  Constants values;
  values.add(workgroup == 0 ? capabilities_.workgroup_size : workgroup);
  const bool is_far = std::ranges::any_of(
      arguments.accesses(), [this](const plan::Access& access) { return access.bytes > capabilities_.near_bytes; });
  values.add((capabilities_.hardware_f16 ? 1u : 0u) | (is_far ? 2u : 0u));
  values.add(call.spec.function);
  values.add(call.spec.flags);
  for (const DType type : call.spec.types) values.add(static_cast<std::uint32_t>(type));
  for (const std::uint32_t value : constants) values.add(value);
  VkPipeline pipeline = pipelines_.find(shader, values);

  if (arguments.bytes().size() > kMaxPushBytes) {
    record(pipeline, through_memory(arguments), groups);
  } else {
    record(pipeline, arguments, groups);
  }
  shaders_.push_back(shader);
}

void CommandEncoder::record(VkPipeline pipeline, const Push& push, Groups groups) {
  wait_for(push.accesses());
  updates_ = false;
  VkCommandBuffer commands = sink_.commands();
  vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
  vkCmdPushConstants(commands, pipelines_.layout(), VK_SHADER_STAGE_COMPUTE_BIT, 0,
                     static_cast<std::uint32_t>(push.bytes().size()), push.bytes().data());
  vkCmdDispatch(commands, groups.x, groups.y, groups.z);
  sink_.recorded();
}

std::vector<std::unique_ptr<Block>> CommandEncoder::take_scratch() {
  begin_call();
  return std::exchange(kept_, {});
}

const Block& CommandEncoder::scratch(std::size_t bytes) {
  // The smallest that is large enough.
  auto best = kept_.end();
  for (auto block = kept_.begin(); block != kept_.end(); ++block) {
    if ((*block)->bytes() >= bytes && (best == kept_.end() || (*block)->bytes() < (*best)->bytes())) best = block;
  }
  if (best != kept_.end()) {
    scratch_.push_back(std::move(*best));
    kept_.erase(best);
    return *scratch_.back();
  }
  std::unique_ptr<Block> block = allocator_.take(bytes);
  if (block == nullptr) {
    throw OutOfMemory(
        fmt::format("out of memory on vulkan: {} bytes for partial results, {} bytes held of {}. Use smaller batches",
                    bytes, allocator_.held(), capabilities_.memory_bytes));
  }
  scratch_.push_back(std::move(block));
  return *scratch_.back();
}

Groups CommandEncoder::spread(std::uint64_t items, std::uint32_t per_invocation) const {
  // A CPU driver pays for every workgroup; a GPU wants all of its units filled several times.
  const std::uint64_t most = capabilities_.is_cpu ? 64 : 8192;
  const std::uint64_t per_group = std::uint64_t{capabilities_.workgroup_size} * per_invocation;
  const std::uint64_t groups = (items + per_group - 1) / per_group;
  return {static_cast<std::uint32_t>(std::min({groups, most, std::uint64_t{capabilities_.max_groups[0]}}))};
}

void CommandEncoder::copy(const MemoryLocation& source, const MemoryLocation& target, std::uint64_t bytes) {
  const plan::Access accesses[] = {{source.address, source.address != 0 ? bytes : 0, false},
                                   {target.address, target.address != 0 ? bytes : 0, true}};
  wait_for(accesses);
  record_copy(sink_.commands(), source, target, bytes);
  sink_.recorded();
}

void CommandEncoder::copy_early(const MemoryLocation& source, const MemoryLocation& target, std::uint64_t bytes) {
  const plan::Access access[] = {{target.address, bytes, true}};
  follow_batch();
  if (batch_hazards_.conflict(access)) return copy(source, target, bytes);
  hazards_.add(access);
  batch_hazards_.add(access);
  record_copy(sink_.early_commands(), source, target, bytes);
  sink_.recorded();
}

}  // namespace amphora::vulkan

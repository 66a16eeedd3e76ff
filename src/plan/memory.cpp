#include "plan/memory.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "plan/dump.h"
#include "plan/use.h"

namespace amphora::plan {
namespace {

// What backends ask of a buffer, so that every value begins where wide loads and stores may.
constexpr std::size_t kAlignment = 256;

std::size_t aligned(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// The calls from the first to the last that touch a value.
struct Life {
  int first = -1;
  int last = -1;
  bool overlaps(const Life& other) const { return first <= other.last && other.first <= last; }
};

// Values that take each other's place: one piece of memory.
struct Block {
  Life life;
  std::size_t bytes = 0;
  std::size_t offset = 0;
  std::vector<int> values;
};

std::vector<Life> lives_of(const Plan& plan) {
  std::vector<Life> lives(plan.values.size());
  for (std::size_t call = 0; call < plan.calls.size(); ++call) {
    for (const int value : plan.calls[call].values) {
      if (value == kNoValue) continue;
      Life& life = lives[static_cast<std::size_t>(value)];
      if (life.first < 0) life.first = static_cast<int>(call);
      life.last = static_cast<int>(call);
    }
  }
  return lives;
}

// The operand whose place the result of a call may take, -1 for none. Only kernels whose every element depends on the
// elements at its own place, and is written by whoever read them.
int operand_to_replace(const KernelCall& call) {
  switch (call.id) {
    case KernelId::unary:
    case KernelId::dropout: return size_of(call.spec.types[0]) == size_of(call.spec.types[1]) ? 0 : -1;
    case KernelId::unary_grad: return size_of(call.spec.types[2]) == size_of(call.spec.types[3]) ? 2 : -1;
    default: return -1;
  }
}

int result_of(const KernelCall& call) { return call.id == KernelId::unary_grad ? 3 : 1; }

bool is_transient(const Plan& plan, int value) {
  return value != kNoValue && plan.values[static_cast<std::size_t>(value)].role == Role::transient;
}

// For each value, the value whose place it takes; itself where none.
std::vector<int> places_of(const Plan& plan, const std::vector<Life>& lives, int& in_place) {
  std::vector<int> place(plan.values.size());
  std::iota(place.begin(), place.end(), 0);
  for (std::size_t i = 0; i < plan.calls.size(); ++i) {
    const PlannedCall& planned = plan.calls[i];
    const int operand = operand_to_replace(planned.call);
    if (operand < 0) continue;
    const int result = result_of(planned.call);
    const int from = planned.values[static_cast<std::size_t>(operand)];
    const int to = planned.values[static_cast<std::size_t>(result)];
    if (!is_transient(plan, from) || !is_transient(plan, to) || from == to) continue;
    const BufferRange& read = planned.call.buffers[static_cast<std::size_t>(operand)];
    const BufferRange& written = planned.call.buffers[static_cast<std::size_t>(result)];
    const bool whole = read.offset == 0 && written.offset == 0 && read.bytes == written.bytes &&
                       plan.values[static_cast<std::size_t>(from)].bytes == read.bytes &&
                       plan.values[static_cast<std::size_t>(to)].bytes == read.bytes;
    // Read once only by this call: as x and dy alike, it would be overwritten while it is needed.
    const auto uses = std::count(planned.values.begin(), planned.values.end(), from);
    const auto call = static_cast<int>(i);
    const bool handed_over =
        lives[static_cast<std::size_t>(from)].last == call && lives[static_cast<std::size_t>(to)].first == call;
    if (!whole || uses != 1 || !handed_over) continue;
    place[static_cast<std::size_t>(to)] = place[static_cast<std::size_t>(from)];
    ++in_place;
  }
  return place;
}

std::vector<Block> blocks_of(const Plan& plan, const std::vector<Life>& lives, const std::vector<int>& place) {
  std::vector<Block> blocks(plan.values.size());
  for (std::size_t value = 0; value < plan.values.size(); ++value) {
    if (plan.values[value].role != Role::transient || lives[value].first < 0) continue;
    Block& block = blocks[static_cast<std::size_t>(place[value])];
    block.life.first = block.values.empty() ? lives[value].first : std::min(block.life.first, lives[value].first);
    block.life.last = std::max(block.life.last, lives[value].last);
    block.bytes = std::max(block.bytes, aligned(plan.values[value].bytes));
    block.values.push_back(static_cast<int>(value));
  }
  std::erase_if(blocks, [](const Block& block) { return block.values.empty(); });
  return blocks;
}

// The lowest gap between placed blocks that are alive at the same time.
std::size_t place_block(const Block& block, const std::vector<const Block*>& placed) {
  std::size_t offset = 0;
  for (const Block* other : placed) {  // by offset
    if (!block.life.overlaps(other->life)) continue;
    if (offset + block.bytes <= other->offset) break;
    offset = std::max(offset, other->offset + other->bytes);
  }
  return offset;
}

void find_peak(const Plan& plan, const std::vector<Block>& blocks, MemoryPlan& memory) {
  for (int call = 0; call < static_cast<int>(plan.calls.size()); ++call) {
    std::size_t live = 0;
    for (const Block& block : blocks) {
      if (block.life.first <= call && call <= block.life.last) live += block.bytes;
    }
    if (live <= memory.live_peak) continue;
    memory.live_peak = live;
    memory.peak_call = call;
  }
}

}  // namespace

MemoryPlan plan_memory(const Plan& plan) {
  MemoryPlan memory;
  memory.offsets.assign(plan.values.size(), kNowhere);
  const std::vector<Life> lives = lives_of(plan);
  const std::vector<int> place = places_of(plan, lives, memory.in_place);
  std::vector<Block> blocks = blocks_of(plan, lives, place);
  std::stable_sort(blocks.begin(), blocks.end(), [](const Block& a, const Block& b) { return a.bytes > b.bytes; });
  std::vector<const Block*> placed;
  for (Block& block : blocks) {
    block.offset = place_block(block, placed);
    const auto after = std::upper_bound(placed.begin(), placed.end(), block.offset,
                                        [](std::size_t offset, const Block* other) { return offset < other->offset; });
    placed.insert(after, &block);
    memory.bytes = std::max(memory.bytes, block.offset + block.bytes);
    for (const int value : block.values) memory.offsets[static_cast<std::size_t>(value)] = block.offset;
  }
  find_peak(plan, blocks, memory);
  for (std::size_t value = 0; value < plan.values.size(); ++value) {
    if (memory.offsets[value] == kNowhere) continue;
    if (lives[value].first <= memory.peak_call && memory.peak_call <= lives[value].last) {
      memory.held.push_back(static_cast<int>(value));
    }
  }
  std::stable_sort(memory.held.begin(), memory.held.end(), [&plan](int a, int b) {
    return plan.values[static_cast<std::size_t>(a)].bytes > plan.values[static_cast<std::size_t>(b)].bytes;
  });
  return memory;
}

std::string describe(const Plan& plan, const MemoryPlan& memory) {
  const auto mebibytes = [](std::size_t bytes) { return static_cast<double>(bytes) / 0x1p20; };
  std::string text =
      fmt::format("arena {:.2f} MiB, {:.2f} MiB alive at the peak, {} results in their operand's place\n",
                  mebibytes(memory.bytes), mebibytes(memory.live_peak), memory.in_place);
  if (memory.peak_call < 0) return text;
  const PlannedCall& peak = plan.calls[static_cast<std::size_t>(memory.peak_call)];
  text += fmt::format("peak at call {}, {}, which holds:\n", memory.peak_call, describe_shapes(peak.call));
  const std::vector<Life> lives = lives_of(plan);
  for (const int value : memory.held) {
    const auto index = static_cast<std::size_t>(value);
    const PlannedCall& maker = plan.calls[static_cast<std::size_t>(lives[index].first)];
    text += fmt::format("  %{:<3} {:>10} B at {:>10}  calls {}-{}, made by {}{}\n", value, plan.values[index].bytes,
                        memory.offsets[index], lives[index].first, lives[index].last, describe_shapes(maker.call),
                        maker.module.empty() ? "" : " of " + maker.module);
  }
  return text;
}

}  // namespace amphora::plan

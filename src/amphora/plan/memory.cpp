#include "amphora/plan/memory.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "amphora/kernel/describe.h"
#include "amphora/kernel/operands.h"
#include "amphora/plan/dump.h"

namespace amphora::plan {
namespace {

// What backends ask of a buffer, so that every value begins where wide loads and stores may.
constexpr std::size_t kAlignment = 256;

// At least one unit: a value without elements has an address, too.
std::size_t aligned(std::size_t bytes) {
  return std::max<std::size_t>(1, (bytes + kAlignment - 1) / kAlignment) * kAlignment;
}

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

bool is_transient(const Plan& plan, int value) {
  return value != kNoValue && plan.values[static_cast<std::size_t>(value)].role == Role::transient;
}

// Whether a call names all of a value.
bool is_whole(const Plan& plan, const PlannedCall& planned, std::size_t index) {
  const BufferRange& range = planned.call.buffers[index];
  return range.offset == 0 && range.bytes == plan.values[static_cast<std::size_t>(planned.values[index])].bytes;
}

// Whether the result of a call may lie where `from` does: wherever the call reads it, it is an operand that may be
// overwritten. As a factor and as the matrix it multiplies, it would be gone when it is needed.
bool may_replace(const Plan& plan, const PlannedCall& planned, int from) {
  for (std::size_t i = 0; i < planned.values.size(); ++i) {
    if (planned.values[i] != from) continue;
    if (!may_overwrite(planned.call, static_cast<int>(i)) || !is_whole(plan, planned, i)) return false;
  }
  return true;
}

// The value whose place the result of call `index` takes; kNoValue where it needs its own.
int replaced_by(const Plan& plan, const std::vector<Life>& lives, std::size_t index) {
  const PlannedCall& planned = plan.calls[index];
  const int result = result_in_place(planned.call);
  if (result < 0) return kNoValue;
  const auto call = static_cast<int>(index);
  const int to = planned.values[static_cast<std::size_t>(result)];
  if (!is_transient(plan, to) || !is_whole(plan, planned, static_cast<std::size_t>(result))) return kNoValue;
  if (lives[static_cast<std::size_t>(to)].first != call) return kNoValue;
  for (int operand = 0; operand < result; ++operand) {
    const int from = planned.values[static_cast<std::size_t>(operand)];
    if (!is_transient(plan, from) || from == to || lives[static_cast<std::size_t>(from)].last != call) continue;
    const bool same_bytes =
        plan.values[static_cast<std::size_t>(from)].bytes == plan.values[static_cast<std::size_t>(to)].bytes;
    if (same_bytes && may_replace(plan, planned, from)) return from;
  }
  return kNoValue;
}

// For each value, the value whose place it takes; itself where none.
std::vector<int> places_of(const Plan& plan, const std::vector<Life>& lives, int& in_place) {
  std::vector<int> place(plan.values.size());
  std::iota(place.begin(), place.end(), 0);
  for (std::size_t i = 0; i < plan.calls.size(); ++i) {
    const int from = replaced_by(plan, lives, i);
    if (from == kNoValue) continue;
    const int to = plan.calls[i].values[static_cast<std::size_t>(result_in_place(plan.calls[i].call))];
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

// Gives every block its offset, and returns the arena's size.
std::size_t lay_out(const std::vector<Block*>& order) {
  std::size_t bytes = 0;
  std::vector<const Block*> placed;
  for (Block* block : order) {
    block->offset = place_block(*block, placed);
    const auto after = std::upper_bound(placed.begin(), placed.end(), block->offset,
                                        [](std::size_t offset, const Block* other) { return offset < other->offset; });
    placed.insert(after, block);
    bytes = std::max(bytes, block->offset + block->bytes);
  }
  return bytes;
}

// No order is best for every plan, and all are cheap.
std::size_t lay_out_best(std::vector<Block>& blocks) {
  using Before = bool (*)(const Block*, const Block*);
  constexpr Before kOrders[] = {
      [](const Block* a, const Block* b) { return a->bytes > b->bytes; },
      [](const Block* a, const Block* b) { return a->bytes * a->life.calls() > b->bytes * b->life.calls(); },
      [](const Block* a, const Block* b) { return a->life.calls() > b->life.calls(); },
      [](const Block* a, const Block* b) { return a->life.first < b->life.first; },
  };
  std::vector<Block*> order;
  order.reserve(blocks.size());
  for (Block& block : blocks) order.push_back(&block);
  const std::vector<Block*> by_value = order;
  std::size_t best = kNowhere;
  std::vector<std::size_t> offsets(blocks.size());
  for (const Before before : kOrders) {
    order = by_value;
    std::stable_sort(order.begin(), order.end(), before);
    const std::size_t bytes = lay_out(order);
    if (bytes >= best) continue;
    best = bytes;
    for (std::size_t i = 0; i < blocks.size(); ++i) offsets[i] = blocks[i].offset;
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i].offset = offsets[i];
  return best;
}

void find_peak(const Plan& plan, const std::vector<Block>& blocks, MemoryPlan& memory) {
  std::vector<std::size_t> begins(plan.calls.size() + 1);
  std::vector<std::size_t> ends(plan.calls.size() + 1);
  for (const Block& block : blocks) {
    begins[static_cast<std::size_t>(block.life.first)] += block.bytes;
    ends[static_cast<std::size_t>(block.life.last) + 1] += block.bytes;
  }
  std::size_t live = 0;
  for (std::size_t call = 0; call < plan.calls.size(); ++call) {
    live = live + begins[call] - ends[call];
    if (live <= memory.live_peak) continue;
    memory.live_peak = live;
    memory.peak_call = static_cast<int>(call);
  }
}

// The blocks that are alive at the peak, by the value that lies in them then, largest first.
std::vector<int> held_at_peak(const Plan& plan, const std::vector<Life>& lives, const std::vector<Block>& blocks,
                              int peak) {
  std::vector<int> held;
  for (const Block& block : blocks) {
    // Of two values at a call that hands one's place to the other, the new one.
    const auto alive = std::find_if(block.values.rbegin(), block.values.rend(), [&lives, peak](int value) {
      const Life& life = lives[static_cast<std::size_t>(value)];
      return life.first <= peak && peak <= life.last;
    });
    if (alive != block.values.rend()) held.push_back(*alive);
  }
  std::stable_sort(held.begin(), held.end(), [&plan](int a, int b) {
    return plan.values[static_cast<std::size_t>(a)].bytes > plan.values[static_cast<std::size_t>(b)].bytes;
  });
  return held;
}

}  // namespace

MemoryPlan plan_memory(const Plan& plan) {
  MemoryPlan memory;
  memory.offsets.assign(plan.values.size(), kNowhere);
  memory.lives = lives_of(plan);
  const std::vector<Life>& lives = memory.lives;
  const std::vector<int> place = places_of(plan, lives, memory.in_place);
  std::vector<Block> blocks = blocks_of(plan, lives, place);
  if (blocks.empty()) return memory;
  memory.bytes = lay_out_best(blocks);
  for (const Block& block : blocks) {
    for (const int value : block.values) memory.offsets[static_cast<std::size_t>(value)] = block.offset;
  }
  find_peak(plan, blocks, memory);
  memory.held = held_at_peak(plan, lives, blocks, memory.peak_call);
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
  for (const int value : memory.held) {
    const auto index = static_cast<std::size_t>(value);
    const Life& life = memory.lives[index];
    const PlannedCall& maker = plan.calls[static_cast<std::size_t>(life.first)];
    text += fmt::format("  %{:<3} {:>10} B at {:>10}  calls {}-{}, made by {}{}\n", value, plan.values[index].bytes,
                        memory.offsets[index], life.first, life.last, describe_shapes(maker.call),
                        maker.module.empty() ? "" : " of " + maker.module);
  }
  return text;
}

}  // namespace amphora::plan

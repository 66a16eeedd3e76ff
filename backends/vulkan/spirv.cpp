#include "backends/vulkan/spirv.h"

#include <array>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "amphora/core/error.h"

namespace amphora::vulkan {
namespace {

// From the SPIR-V specification, section 3.
constexpr std::uint32_t kMagic = 0x07230203;
constexpr std::size_t kHeaderWords = 5;
constexpr std::uint32_t kOpEntryPoint = 15;
constexpr std::uint32_t kOpExecutionMode = 16;
constexpr std::uint32_t kOpCapability = 17;
constexpr std::uint32_t kOpConstant = 43;
constexpr std::uint32_t kOpSpecConstant = 50;
constexpr std::uint32_t kOpSpecConstantOp = 52;
constexpr std::uint32_t kOpDecorate = 71;
constexpr std::uint32_t kSpecId = 1;
constexpr std::uint32_t kOpIAdd = 128;
constexpr std::uint32_t kOpISub = 130;
constexpr std::uint32_t kOpLogicalOr = 166;
constexpr std::uint32_t kOpLogicalAnd = 167;
constexpr std::uint32_t kOpLogicalNot = 168;
constexpr std::uint32_t kOpIEqual = 170;
constexpr std::uint32_t kOpINotEqual = 171;
constexpr std::uint32_t kOpBitwiseAnd = 199;
constexpr std::uint32_t kOpPhi = 245;
constexpr std::uint32_t kOpSelectionMerge = 247;
constexpr std::uint32_t kOpLabel = 248;
constexpr std::uint32_t kOpBranch = 249;
constexpr std::uint32_t kOpBranchConditional = 250;
constexpr std::uint32_t kFloat16 = 9;

// A float control: its capability, and its execution mode.
struct Control {
  std::uint32_t capability;
  std::uint32_t mode;
};
constexpr Control kDenormPreserve{4464, 4459};
constexpr Control kSignedZeroInfNanPreserve{4466, 4461};
constexpr Control kRoundingModeRTE{4467, 4462};

constexpr std::uint32_t head(std::uint32_t words, std::uint32_t opcode) { return words << 16 | opcode; }

void require_module(std::span<const std::uint32_t> module) {
  require(module.size() > kHeaderWords && module[0] == kMagic, "an embedded shader is no SPIR-V module; build again");
}

// The length of the instruction at `at`.
std::uint32_t words_at(std::span<const std::uint32_t> module, std::size_t at) {
  const std::uint32_t words = module[at] >> 16;
  require(words > 0 && at + words <= module.size(), "an embedded shader is cut off; build again");
  return words;
}

struct Mode {
  bool wanted;
  Control control;
  std::uint32_t width;
};

struct Places {
  std::size_t after_capabilities = kHeaderWords;
  std::size_t after_entry_points = kHeaderWords;
  std::uint32_t entry_point = 0;
  bool has_f16 = false;
};

Places find_places(std::span<const std::uint32_t> module) {
  require_module(module);
  Places places;
  for (std::size_t at = kHeaderWords; at < module.size();) {
    const std::uint32_t words = words_at(module, at);
    const std::uint32_t opcode = module[at] & 0xFFFF;
    if (opcode == kOpCapability) {
      places.has_f16 = places.has_f16 || module[at + 1] == kFloat16;
      places.after_capabilities = at + words;
    } else if (opcode == kOpEntryPoint) {
      places.entry_point = module[at + 2];
      places.after_entry_points = at + words;
    } else if (places.entry_point != 0) {
      break;
    }
    at += words;
  }
  return places;
}

// What is known of a module's constants, once the host's values are.
class KnownConstants {
 public:
  explicit KnownConstants(std::span<const std::uint32_t> host) : host_(host) {}

  // Takes in an instruction: its head and its operands.
  void add(std::span<const std::uint32_t> words) {
    const std::uint32_t opcode = words[0] & 0xFFFF;
    if (opcode == kOpDecorate && words.size() == 4 && words[2] == kSpecId) {
      spec_ids_[words[1]] = words[3];
    } else if ((opcode == kOpConstant || opcode == kOpSpecConstant) && words.size() == 4) {  // of 32 bits
      const auto spec = spec_ids_.find(words[2]);
      const bool is_hosts = spec != spec_ids_.end() && spec->second < host_.size();
      values_[words[2]] = is_hosts ? host_[spec->second] : words[3];
    } else if (opcode == kOpSpecConstantOp && words.size() >= 5) {
      const std::optional<std::uint32_t> a = value_of(words[4]);
      const std::optional<std::uint32_t> b = words.size() == 6 ? value_of(words[5]) : std::uint32_t{0};
      if (!a || !b) return;
      if (const std::optional<std::uint32_t> result = evaluated(words[3], *a, *b)) values_[words[2]] = *result;
    }
  }

  std::optional<std::uint32_t> value_of(std::uint32_t id) const {
    const auto found = values_.find(id);
    return found == values_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  // Of the operations that the shaders' conditions consist of.
  static std::optional<std::uint32_t> evaluated(std::uint32_t operation, std::uint32_t a, std::uint32_t b) {
    switch (operation) {
      case kOpIAdd: return a + b;
      case kOpISub: return a - b;
      case kOpBitwiseAnd: return a & b;
      case kOpIEqual: return a == b;
      case kOpINotEqual: return a != b;
      case kOpLogicalOr: return a | b;
      case kOpLogicalAnd: return a & b;
      case kOpLogicalNot: return a ^ 1u;
      default: return std::nullopt;
    }
  }

  std::span<const std::uint32_t> host_;
  std::unordered_map<std::uint32_t, std::uint32_t> spec_ids_;
  std::unordered_map<std::uint32_t, std::uint32_t> values_;
};

// Blocks that begin with a choice by where they were entered from, which names each of their predecessors.
std::unordered_set<std::uint32_t> blocks_with_phi(std::span<const std::uint32_t> module) {
  std::unordered_set<std::uint32_t> blocks;
  std::uint32_t label = 0;
  for (std::size_t at = kHeaderWords; at < module.size(); at += words_at(module, at)) {
    const std::uint32_t opcode = module[at] & 0xFFFF;
    if (opcode == kOpLabel) label = module[at + 1];
    if (opcode == kOpPhi) blocks.insert(label);
  }
  return blocks;
}

}  // namespace

std::vector<std::uint32_t> with_float_controls(std::span<const std::uint32_t> module, const FloatControls& controls) {
  const Places places = find_places(module);
  const std::array<Mode, 5> modes{{
      {controls.denormals_f32, kDenormPreserve, 32},
      {controls.specials_f32, kSignedZeroInfNanPreserve, 32},
      {controls.denormals_f16 && places.has_f16, kDenormPreserve, 16},
      {controls.specials_f16 && places.has_f16, kSignedZeroInfNanPreserve, 16},
      {controls.nearest_even_f16 && places.has_f16, kRoundingModeRTE, 16},
  }};
  std::vector<std::uint32_t> capabilities;
  std::vector<std::uint32_t> execution_modes;
  for (const Mode& mode : modes) {
    if (!mode.wanted) continue;
    // A capability that is declared twice is valid.
    capabilities.insert(capabilities.end(), {head(2, kOpCapability), mode.control.capability});
    execution_modes.insert(execution_modes.end(),
                           {head(4, kOpExecutionMode), places.entry_point, mode.control.mode, mode.width});
  }
  const auto at = [&module](std::size_t word) { return module.begin() + static_cast<std::ptrdiff_t>(word); };
  std::vector<std::uint32_t> result(module.begin(), at(places.after_capabilities));
  result.insert(result.end(), capabilities.begin(), capabilities.end());
  result.insert(result.end(), at(places.after_capabilities), at(places.after_entry_points));
  result.insert(result.end(), execution_modes.begin(), execution_modes.end());
  result.insert(result.end(), at(places.after_entry_points), module.end());
  return result;
}

std::vector<std::uint32_t> without_dead_branches(std::span<const std::uint32_t> module,
                                                 std::span<const std::uint32_t> constants) {
  require_module(module);
  const std::unordered_set<std::uint32_t> with_phi = blocks_with_phi(module);
  KnownConstants known(constants);
  std::vector<std::uint32_t> result(module.begin(), module.begin() + kHeaderWords);
  result.reserve(module.size());
  for (std::size_t at = kHeaderWords; at < module.size();) {
    const std::uint32_t words = words_at(module, at);
    const std::size_t next = at + words;
    known.add(module.subspan(at, words));
    const bool selects = (module[at] & 0xFFFF) == kOpSelectionMerge && next < module.size() &&
                         (module[next] & 0xFFFF) == kOpBranchConditional;
    if (selects) {
      const std::uint32_t branch = words_at(module, next);
      const std::optional<std::uint32_t> condition = known.value_of(module[next + 1]);
      const std::uint32_t taken = module[next + (condition == 0u ? 3 : 2)];
      const std::uint32_t dead = module[next + (condition == 0u ? 2 : 3)];
      if (condition && !with_phi.contains(dead)) {
        // The dead blocks stay, as blocks that nothing leads to.
        result.insert(result.end(), {head(2, kOpBranch), taken});
        at = next + branch;
        continue;
      }
    }
    const std::span<const std::uint32_t> instruction = module.subspan(at, words);
    result.insert(result.end(), instruction.begin(), instruction.end());
    at = next;
  }
  return result;
}

}  // namespace amphora::vulkan

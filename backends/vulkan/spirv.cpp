#include "backends/vulkan/spirv.h"

#include <array>

#include "amphora/core/error.h"

namespace amphora::vulkan {
namespace {

// From the SPIR-V specification, section 3.
constexpr std::uint32_t kMagic = 0x07230203;
constexpr std::size_t kHeaderWords = 5;
constexpr std::uint32_t kOpEntryPoint = 15;
constexpr std::uint32_t kOpExecutionMode = 16;
constexpr std::uint32_t kOpCapability = 17;
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
  require(module.size() > kHeaderWords && module[0] == kMagic, "an embedded shader is no SPIR-V module; build again");
  Places places;
  for (std::size_t at = kHeaderWords; at < module.size();) {
    const std::uint32_t words = module[at] >> 16;
    const std::uint32_t opcode = module[at] & 0xFFFF;
    require(words > 0 && at + words <= module.size(), "an embedded shader is cut off; build again");
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

}  // namespace amphora::vulkan

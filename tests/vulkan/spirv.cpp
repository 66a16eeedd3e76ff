// Float controls are added to a module where the specification wants them.
#include "backends/vulkan/spirv.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "amphora/core/error.h"
#include "backends/vulkan/shader_library.h"

namespace amphora::vulkan {
namespace {

using Words = std::vector<std::uint32_t>;

constexpr std::uint32_t kShader = 1, kFloat16 = 9, kDenormPreserve = 4464, kRoundingModeRTE = 4467;

constexpr std::uint32_t head(std::uint32_t words, std::uint32_t opcode) { return words << 16 | opcode; }

// Header, one or two capabilities, a memory model, an entry point 7 called "main", its local size, a name.
Words module_with(bool f16) {
  Words words = {0x07230203, 0x00010600, 0, 100, 0, head(2, 17), kShader};
  if (f16) words.insert(words.end(), {head(2, 17), kFloat16});
  const Words rest = {head(3, 14), 0, 3, head(5, 15), 5, 7, 0x6e69616d, 0, head(6, 16), 7, 17, 64, 1, 1, head(2, 5), 9};
  words.insert(words.end(), rest.begin(), rest.end());
  return words;
}

bool contains(const Words& words, const Words& part) {
  return std::search(words.begin(), words.end(), part.begin(), part.end()) != words.end();
}

TEST(Spirv, WithoutControlsTheModuleStaysAsItIs) {
  EXPECT_EQ(with_float_controls(module_with(true), {}), module_with(true));
}

TEST(Spirv, ModesFollowTheEntryPointAndCapabilitiesTheirKind) {
  const Words result = with_float_controls(module_with(true), {.nearest_even_f16 = true});
  EXPECT_TRUE(contains(result, {kFloat16, head(2, 17), kRoundingModeRTE, head(3, 14)}));
  EXPECT_TRUE(contains(result, {0x6e69616d, 0, head(4, 16), 7, 4462, 16, head(6, 16)}));
  EXPECT_EQ(result.size(), module_with(true).size() + 2 + 4);
}

TEST(Spirv, ModesForF16GoToModulesWithF16Alone) {
  const FloatControls controls{.nearest_even_f16 = true, .denormals_f16 = true, .specials_f16 = true};
  EXPECT_EQ(with_float_controls(module_with(false), controls), module_with(false));
}

TEST(Spirv, ModesForF32GoToEveryModule) {
  const Words result = with_float_controls(module_with(false), {.denormals_f32 = true});
  EXPECT_TRUE(contains(result, {head(2, 17), kDenormPreserve}));
  EXPECT_TRUE(contains(result, {head(4, 16), 7, 4459, 32}));
}

TEST(Spirv, WhatIsNoModuleIsRefused) {
  EXPECT_THROW(with_float_controls(Words{1, 2, 3}, {}), Error);
  Words cut = module_with(true);
  cut.resize(8);
  EXPECT_THROW(with_float_controls(cut, {}), Error);
}

TEST(ShaderLibrary, EveryModuleIsFoundByItsName) {
  ASSERT_FALSE(shader_library().empty());
  for (const ShaderModule& module : shader_library()) {
    EXPECT_EQ(find_shader(module.name).data(), module.words.data()) << module.name;
  }
  EXPECT_TRUE(find_shader("no_such_shader").empty());
}

}  // namespace
}  // namespace amphora::vulkan

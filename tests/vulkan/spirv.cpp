// Float controls are added to a module where the specification wants them, and dead branches go.
#include "backends/vulkan/spirv.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "amphora/core/error.h"
#include "amphora/kernel/functions.h"
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

// Constants: 20 is specialization constant 0 and 1 by default, 21 and 22 are 3 and 1; 23 says that 20 equals 21. A
// branch on `condition` from block 30 to 31 or 32 follows, which meet in 33.
Words module_with_branch(std::uint32_t condition, bool phi_in_else = false) {
  Words words = module_with(false);
  const Words rest = {head(4, 71),
                      20,
                      1,
                      0,  // OpDecorate 20 SpecId 0
                      head(4, 50),
                      10,
                      20,
                      1,  // OpSpecConstant
                      head(4, 43),
                      10,
                      21,
                      3,  // OpConstant
                      head(4, 43),
                      10,
                      22,
                      1,  // OpConstant
                      head(6, 52),
                      11,
                      23,
                      170,
                      20,
                      21,  // OpSpecConstantOp IEqual
                      head(2, 248),
                      30,  // OpLabel
                      head(3, 247),
                      33,
                      0,  // OpSelectionMerge
                      head(4, 250),
                      condition,
                      31,
                      32,  // OpBranchConditional
                      head(2, 248),
                      31,
                      head(2, 249),
                      33,  // OpLabel, OpBranch
                      head(2, 248),
                      32};  // OpLabel
  words.insert(words.end(), rest.begin(), rest.end());
  if (phi_in_else) words.insert(words.end(), {head(5, 245), 10, 40, 21, 30});  // OpPhi
  const Words end = {head(2, 249), 33, head(2, 248), 33, head(1, 253)};
  words.insert(words.end(), end.begin(), end.end());
  return words;
}

constexpr std::uint32_t kIsEqual = 23;
const Words kSelection = {head(3, 247), 33, 0, head(4, 250)};

TEST(SpirvBranches, OfAKnownConditionOneIsLeft) {
  for (const auto& [constant, taken] : {std::pair(3u, 31u), std::pair(7u, 32u)}) {
    const Words result = without_dead_branches(module_with_branch(kIsEqual), Words{constant});
    EXPECT_TRUE(contains(result, {head(2, 248), 30, head(2, 249), taken, head(2, 248), 31})) << constant;
    EXPECT_FALSE(contains(result, kSelection));
  }
}

TEST(SpirvBranches, AConstantThatTheHostDoesNotGiveHasItsDefault) {
  const Words result = without_dead_branches(module_with_branch(kIsEqual), {});
  EXPECT_TRUE(contains(result, {head(2, 248), 30, head(2, 249), 32}));
}

TEST(SpirvBranches, AConditionOfTheShaderItselfStays) {
  constexpr std::uint32_t kComputed = 50;
  EXPECT_EQ(without_dead_branches(module_with_branch(kComputed), Words{3}), module_with_branch(kComputed));
}

TEST(SpirvBranches, ABlockThatNamesItsPredecessorsKeepsThem) {
  EXPECT_EQ(without_dead_branches(module_with_branch(kIsEqual, true), Words{3}), module_with_branch(kIsEqual, true));
}

TEST(SpirvBranches, WhatIsNoModuleIsRefused) {
  EXPECT_THROW(without_dead_branches(Words{1, 2, 3}, {}), Error);
  Words cut = module_with_branch(kIsEqual);
  cut.push_back(head(9, 249));
  EXPECT_THROW(without_dead_branches(cut, {}), Error);
}

// A row of a table is a specialization constant: of the branches that choose one, all are gone.
TEST(SpirvBranches, OfATableOneRowIsLeft) {
  const auto selections = [](std::span<const std::uint32_t> words) {
    std::size_t count = 0;
    for (std::size_t at = 5; at < words.size(); at += words[at] >> 16) count += (words[at] & 0xFFFF) == 247 ? 1 : 0;
    return count;
  };
  for (const auto& [name, rows] :
       {std::pair("unary", std::size(kUnaryNames)), std::pair("binary", std::size(kBinaryNames)),
        std::pair("optimizer_step", std::size(kOptimizerNames))}) {
    const std::span<const std::uint32_t> module = find_shader(name);
    ASSERT_FALSE(module.empty()) << name;
    EXPECT_LE(selections(without_dead_branches(module, {})) + rows, selections(module)) << name;
  }
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

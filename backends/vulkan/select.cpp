#include "backends/vulkan/select.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>
#include <vector>

#include "amphora/core/error.h"
#include "backends/vulkan/environment.h"
#include "backends/vulkan/launchers/launchers.h"
#include "backends/vulkan/logical_device.h"
#include "backends/vulkan/shader_library.h"

namespace amphora::vulkan {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

std::string listed(const std::vector<Candidate>& candidates) {
  std::string text;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    text += fmt::format("{}{}: {}", i == 0 ? "" : ", ", i, candidates[i].capabilities.name);
  }
  return text;
}

bool is_named(const Candidate& candidate, std::size_t index, std::string_view wish) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(wish.data(), wish.data() + wish.size(), number);
  if (error == std::errc() && end == wish.data() + wish.size()) return number == index;
  return lower(candidate.capabilities.name).find(lower(wish)) != std::string::npos;
}

}  // namespace

Candidate select(std::string_view wish) {
  const std::vector<Candidate> candidates = Instance::get()->candidates();
  require(!candidates.empty(),
          "the Vulkan loader finds no device; install the GPU's driver, or Mesa's (mesa-vulkan-drivers on Debian), or "
          "let VK_DRIVER_FILES name a driver's .json file");
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (!wish.empty() && !is_named(candidates[i], i, wish)) continue;
    require(candidates[i].reason_against.empty(), "the Vulkan device '{}' cannot be used: {}",
            candidates[i].capabilities.name, candidates[i].reason_against);
    return candidates[i];
  }
  fail("no Vulkan device is called '{}'. There is {}", wish, listed(candidates));
}

void restrict_to(const DeviceOptions& options, Capabilities& capabilities) {
  const Environment wishes = environment();
  const auto leave_out = [&](DType operand, const std::string& why) {
    const auto is_meant = [&](const MatrixShape& shape) { return shape.operand == operand; };
    if (std::erase_if(capabilities.matrix_shapes, is_meant) == 0) return;
    capabilities.unused.push_back(fmt::format("{} cooperative matrices: {}", name_of(operand), why));
  };
  for (const DType operand : {DType::f16, DType::bf16}) {
    if (!options.cooperative_matrix) leave_out(operand, "switched off");
    if (!wishes.cooperative_matrix) leave_out(operand, "AMPHORA_VULKAN_COOPMAT is 0");
    if (operand == DType::bf16 && !wishes.bfloat16) leave_out(operand, "AMPHORA_VULKAN_BF16 is 0");
    if (find_shader(matmul_shader(operand)).empty()) leave_out(operand, "this build's GLSL compiler lacked them");
  }
  capabilities.bf16_matrices = capabilities.matrix_shape(DType::bf16) != nullptr;
}

BackendStatus status() {
  try {
    const Candidate candidate = select({});
    return {true, candidate.capabilities.name, candidate.capabilities.is_cpu};
  } catch (const Error& error) {
    return {false, error.what()};
  }
}

}  // namespace amphora::vulkan

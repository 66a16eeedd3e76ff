#include "backends/vulkan/pipelines.h"

#include <functional>
#include <utility>

#include "amphora/core/error.h"
#include "amphora/device/disk_cache.h"
#include "backends/vulkan/check.h"
#include "backends/vulkan/command_encoder.h"
#include "backends/vulkan/shader_library.h"
#include "backends/vulkan/spirv.h"

namespace amphora::vulkan {

std::size_t Pipelines::Hash::operator()(const Key& key) const {
  std::size_t hash = std::hash<std::string_view>()(key.shader);
  for (const std::uint32_t value : key.constants.values()) hash = hash * 1099511628211u + value;
  return hash;
}

Pipelines::Pipelines(std::shared_ptr<LogicalDevice> device, const Capabilities& capabilities)
    : device_(std::move(device)), capabilities_(capabilities), cache_path_(cache_path(capabilities, "pipelines")) {
  const VkPushConstantRange range{VK_SHADER_STAGE_COMPUTE_BIT, 0, kMaxPushBytes};
  VkPipelineLayoutCreateInfo layout{};
  layout.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
  layout.pushConstantRangeCount = 1;
  layout.pPushConstantRanges = &range;
  check(vkCreatePipelineLayout(device_->handle(), &layout, nullptr, &layout_), "making the pipeline layout");

  // The driver ignores content that is another driver's; what is damaged never gets there.
  const std::vector<std::byte> content = read_cache(cache_path_).value_or(std::vector<std::byte>{});
  VkPipelineCacheCreateInfo cache{};
  cache.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO;
  cache.initialDataSize = content.size();
  cache.pInitialData = content.data();
  check(vkCreatePipelineCache(device_->handle(), &cache, nullptr, &cache_), "making the pipeline cache");
}

Pipelines::~Pipelines() {
  save();
  for (const auto& [key, pipeline] : pipelines_) vkDestroyPipeline(device_->handle(), pipeline, nullptr);
  vkDestroyPipelineCache(device_->handle(), cache_, nullptr);
  vkDestroyPipelineLayout(device_->handle(), layout_, nullptr);
}

VkPipeline Pipelines::find(std::string_view shader, const Constants& constants) {
  const auto found = pipelines_.find(Key{shader, constants});
  if (found != pipelines_.end()) return found->second;
  // Launchers name shaders by literals, which live as long as the program.
  const Key key{shader, constants};
  VkPipeline pipeline = make(key);
  pipelines_.emplace(key, pipeline);
  changed_ = true;
  return pipeline;
}

std::span<const std::uint32_t> Pipelines::words_of(std::string_view shader) {
  if (!modules_.contains(shader)) {
    const std::span<const std::uint32_t> words = find_shader(shader);
    require(!words.empty(), "the shader '{}' is not in this build; its GLSL compiler lacked a feature that it needs",
            shader);
    add(shader, words);
  }
  return modules_.at(shader);
}

void Pipelines::add(std::string_view name, std::span<const std::uint32_t> words) {
  modules_.emplace(name, with_float_controls(words, capabilities_.float_controls));
}

VkShaderModule Pipelines::make_module(const Key& key) {
  const std::vector<std::uint32_t> words = without_dead_branches(words_of(key.shader), key.constants.values());
  VkShaderModuleCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO;
  info.codeSize = words.size() * sizeof(std::uint32_t);
  info.pCode = words.data();
  VkShaderModule module = VK_NULL_HANDLE;
  check(vkCreateShaderModule(device_->handle(), &info, nullptr, &module), fmt::format("loading shader {}", key.shader));
  return module;
}

VkPipeline Pipelines::make(const Key& key) {
  const std::span<const std::uint32_t> values = key.constants.values();
  std::array<VkSpecializationMapEntry, Constants::kMax> entries{};
  for (std::uint32_t i = 0; i < values.size(); ++i) entries[i] = {i, i * 4, sizeof(std::uint32_t)};
  const VkSpecializationInfo specialization{static_cast<std::uint32_t>(values.size()), entries.data(),
                                            values.size_bytes(), values.data()};
  VkPipelineShaderStageRequiredSubgroupSizeCreateInfo subgroup{};
  subgroup.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO;
  subgroup.requiredSubgroupSize = capabilities_.subgroup_size;
  VkComputePipelineCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
  info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
  info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  info.stage.module = make_module(key);
  info.stage.pName = "main";
  info.stage.pSpecializationInfo = &specialization;
  // Cooperative matrices belong to a subgroup of known size that has no idle lanes.
  if (values[0] % capabilities_.subgroup_size == 0) {
    info.stage.flags = VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT;
    if (capabilities_.selects_subgroup_size) info.stage.pNext = &subgroup;
  }
  info.layout = layout_;
  VkPipeline pipeline = VK_NULL_HANDLE;
  const VkResult result = vkCreateComputePipelines(device_->handle(), cache_, 1, &info, nullptr, &pipeline);
  vkDestroyShaderModule(device_->handle(), info.stage.module, nullptr);
  check(result, fmt::format("compiling shader {}", key.shader));
  return pipeline;
}

void Pipelines::save() noexcept {
  if (!changed_ || cache_path_.empty()) return;
  std::size_t bytes = 0;
  if (vkGetPipelineCacheData(device_->handle(), cache_, &bytes, nullptr) != VK_SUCCESS) return;
  std::vector<std::byte> content(bytes);
  if (vkGetPipelineCacheData(device_->handle(), cache_, &bytes, content.data()) != VK_SUCCESS) return;
  content.resize(bytes);
  if (write_cache(cache_path_, content)) changed_ = false;
}

}  // namespace amphora::vulkan

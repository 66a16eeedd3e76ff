// Compute pipelines: made when first asked for, kept for the device's life, and across runs by the driver's cache on
// disk.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "backends/vulkan/capabilities.h"
#include "backends/vulkan/logical_device.h"

namespace amphora::vulkan {

// Values of the specialization constants 0, 1, 2, ...
class Constants {
 public:
  static constexpr std::size_t kMax = 32;
  void add(std::uint32_t value) { values_.at(count_++) = value; }
  std::span<const std::uint32_t> values() const { return {values_.data(), count_}; }
  bool operator==(const Constants&) const = default;

 private:
  std::array<std::uint32_t, kMax> values_{};
  std::size_t count_ = 0;
};

class Pipelines {
 public:
  Pipelines(std::shared_ptr<LogicalDevice> device, const Capabilities& capabilities);
  Pipelines(const Pipelines&) = delete;
  Pipelines& operator=(const Pipelines&) = delete;
  ~Pipelines();

  // The pipeline of an embedded shader. Constant 0 is the workgroup's size. Throws Error for a shader that this build
  // does not have.
  VkPipeline find(std::string_view shader, const Constants& constants);
  // Takes in a module beside those of the library. `name` must be a literal.
  void add(std::string_view name, std::span<const std::uint32_t> words);
  VkPipelineLayout layout() const { return layout_; }

  // Writes the driver's cache to disk if a pipeline was made since. Failing to is no error: it only costs time.
  void save() noexcept;

 private:
  struct Key {
    std::string_view shader;  // in the shader library
    Constants constants;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const;
  };

  std::span<const std::uint32_t> words_of(std::string_view shader);
  VkShaderModule make_module(const Key& key);
  VkPipeline make(const Key& key);

  std::shared_ptr<LogicalDevice> device_;
  const Capabilities& capabilities_;
  std::string cache_path_;
  VkPipelineCache cache_ = VK_NULL_HANDLE;
  VkPipelineLayout layout_ = VK_NULL_HANDLE;
  bool changed_ = false;
  std::map<std::string_view, std::vector<std::uint32_t>> modules_;  // with float controls
  std::unordered_map<Key, VkPipeline, Hash> pipelines_;
};

}  // namespace amphora::vulkan

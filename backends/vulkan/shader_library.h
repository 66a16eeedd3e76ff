#pragma once

#include <cstdint>
#include <span>
#include <string_view>

// The SPIR-V modules that the build made from shaders/*.comp; cmake/Shaders.cmake generates the definitions.
namespace amphora::vulkan {

struct ShaderModule {
  std::string_view name;
  std::span<const std::uint32_t> words;
};

std::span<const ShaderModule> shader_library();                     // sorted by name
std::span<const std::uint32_t> find_shader(std::string_view name);  // empty: not built

}  // namespace amphora::vulkan

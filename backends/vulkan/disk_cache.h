// Small files that spare work at the next start, a file a driver. A file that is cut off, corrupt, or of another
// driver or build is as good as none; a file is replaced as a whole or not at all.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backends/vulkan/capabilities.h"

namespace amphora::vulkan {

// "$XDG_CACHE_HOME/amphora/vulkan-10de-2335-....<kind>"; AMPHORA_CACHE names another folder. Empty: nowhere to write.
std::string cache_path(const Capabilities& capabilities, std::string_view kind);

std::optional<std::vector<std::byte>> read_cache(const std::string& path);
// False if it could not be written.
bool write_cache(const std::string& path, std::span<const std::byte> content) noexcept;

}  // namespace amphora::vulkan

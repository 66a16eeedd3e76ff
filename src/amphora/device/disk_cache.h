// On-disk caches that speed up the next start. A file that is cut off, corrupt, or of another build is as good as
// none; a file is replaced as a whole or not at all.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace amphora {

// "$XDG_CACHE_HOME/amphora/<name>"; AMPHORA_CACHE names another folder. The name tells device, driver and what is kept.
// Empty: nowhere to write.
std::string cache_path(std::string_view name);

std::optional<std::vector<std::byte>> read_cache(const std::string& path);
// False if it could not be written.
bool write_cache(const std::string& path, std::span<const std::byte> content) noexcept;

}  // namespace amphora

#include "amphora/device/disk_cache.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <zlib.h>

#include "amphora/io/file.h"

namespace amphora {
namespace {

namespace fs = std::filesystem;

struct Header {
  std::array<char, 8> magic{'a', 'm', 'p', 'h', 'o', 'r', 'a', '1'};
  std::uint64_t bytes = 0;
  std::uint64_t checksum = 0;
};

std::uint64_t checksum_of(std::span<const std::byte> content) {
  return crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size());
}

fs::path cache_folder() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return fs::path(value == nullptr ? "" : value);
  };
  if (fs::path own = variable("AMPHORA_CACHE"); !own.empty()) return own;
  if (const fs::path shared = variable("XDG_CACHE_HOME"); !shared.empty()) return shared / "amphora";
  if (const fs::path home = variable("HOME"); !home.empty()) return home / ".cache" / "amphora";
  return {};
}

}  // namespace

std::string cache_path(std::string_view name) {
  const fs::path folder = cache_folder();
  return folder.empty() ? std::string() : (folder / name).string();
}

std::optional<std::vector<std::byte>> read_cache(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  Header header;
  const Header expected;
  if (!file.read(reinterpret_cast<char*>(&header), sizeof(header)) || header.magic != expected.magic) return {};
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  if (error || header.bytes != size - sizeof(header)) return {};
  std::vector<std::byte> content(header.bytes);
  const auto bytes = static_cast<std::streamsize>(content.size());
  if (!file.read(reinterpret_cast<char*>(content.data()), bytes) || checksum_of(content) != header.checksum) return {};
  return content;
}

bool write_cache(const std::string& path, std::span<const std::byte> content) noexcept {
  try {
    if (path.empty()) return false;
    fs::create_directories(fs::path(path).parent_path());
    Header header;
    header.bytes = content.size();
    header.checksum = checksum_of(content);
    std::string text(reinterpret_cast<const char*>(&header), sizeof(header));
    text.append(reinterpret_cast<const char*>(content.data()), content.size());
    io::write_file(path, text);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace amphora

// IDX files made for tests.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "amphora/data/images.h"

namespace amphora::testing {

using Bytes = std::vector<std::uint8_t>;

// A new folder that goes with this object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// Header and elements of an IDX file.
Bytes idx_bytes(const std::vector<std::uint32_t>& sizes, const Bytes& values, std::uint8_t type = 0x08);
Bytes gzipped(const Bytes& bytes);
Bytes read_bytes(const std::filesystem::path& path);
void write_bytes(const std::filesystem::path& path, const Bytes& bytes);

// The four files of a data set in `folder`, uncompressed: "train" and "t10k", images and labels.
void write_data_set(const std::filesystem::path& folder, const data::ImageSet& train, const data::ImageSet& test);

}  // namespace amphora::testing

// IDX files, the format of MNIST and its kin: a magic number, the extents, then the elements; gzipped or not.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace amphora::data {

struct Idx {
  std::vector<std::int64_t> sizes;  // outermost first
  std::vector<std::uint8_t> values;
};

// Reads a file of unsigned bytes with `rank` axes. Throws Error, naming the file and what is wrong with it, when it is
// missing, damaged, truncated, too long, or no such IDX file. Never allocates more than the file can hold.
Idx read_idx(const std::filesystem::path& path, int rank);

}  // namespace amphora::data

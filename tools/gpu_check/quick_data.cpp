#include "quick_data.h"

#include <string>
#include <vector>

#include "amphora/data/dataset.h"
#include "amphora/io/file.h"

namespace amphora::gpu_check {
namespace {

namespace fs = std::filesystem;

// The IDX format: two zeros, the type (8: bytes), the rank, the sizes with the high byte first, the values.
template <class Values>
void write_idx(const fs::path& path, const std::vector<std::size_t>& sizes, const Values& values) {
  std::string text{'\0', '\0', '\x08', static_cast<char>(sizes.size())};
  for (const std::size_t size : sizes) {
    for (const int shift : {24, 16, 8, 0}) text += static_cast<char>(size >> shift & 0xFFu);
  }
  text.insert(text.end(), values.begin(), values.end());
  io::write_file(path, text);
}

void write_images(const fs::path& folder, const std::string& prefix, const data::ImageSet& set) {
  const auto size = [](std::int64_t n) { return static_cast<std::size_t>(n); };
  write_idx(folder / (prefix + "-images-idx3-ubyte"),
            {size(set.count()), size(set.image_shape[0]), size(set.image_shape[1])}, set.pixels);
  write_idx(folder / (prefix + "-labels-idx1-ubyte"), {size(set.count())}, set.labels);
}

}  // namespace

fs::path quick_data(const fs::path& parent) {
  constexpr std::int64_t kTrain = 1000, kTest = 1000;
  fs::path folder = parent / "quick-data";
  if (fs::create_directories(folder)) {
    write_images(folder, "train", data::synthetic_images(kTrain, 1));
    write_images(folder, "t10k", data::synthetic_images(kTest, 2));
  }
  return folder;
}

}  // namespace amphora::gpu_check

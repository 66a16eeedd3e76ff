#include "amphora/data/images.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <system_error>
#include <utility>

#include "amphora/core/error.h"
#include "amphora/core/rng.h"
#include "amphora/data/idx.h"

namespace amphora::data {

namespace {

constexpr std::int64_t kSide = 28;
constexpr std::uint64_t kSyntheticClasses = 10;

std::filesystem::path find_file(const std::filesystem::path& folder, const std::string& name, std::string_view advice) {
  for (const char* suffix : {"", ".gz"}) {
    std::error_code error;
    std::filesystem::path path = folder / (name + suffix);
    if (std::filesystem::exists(path, error)) return path;
  }
  fail("there is no {}[.gz] in {}{}{}", name, folder.string(), advice.empty() ? "" : "; ", advice);
}

ImageSet load(const std::filesystem::path& folder, const std::string& prefix, int classes, std::string_view advice) {
  const std::filesystem::path image_file = find_file(folder, prefix + "-images-idx3-ubyte", advice);
  const std::filesystem::path label_file = find_file(folder, prefix + "-labels-idx1-ubyte", advice);
  Idx images = read_idx(image_file, 3);
  const Idx labels = read_idx(label_file, 1);
  require(images.sizes[0] == labels.sizes[0],
          "{} images in {}, but {} labels in {}; they must be as many: are the files of one set?", images.sizes[0],
          image_file.string(), labels.sizes[0], label_file.string());
  require(!images.values.empty(), "{} holds no pixels (its extents are {} x {} x {}); get a fresh copy of it",
          image_file.string(), images.sizes[0], images.sizes[1], images.sizes[2]);
  const auto wrong = std::find_if(labels.values.begin(), labels.values.end(),
                                  [classes](std::uint8_t label) { return label >= classes; });
  require(wrong == labels.values.end(), "label {} at index {} of {} is out of range; there are {} classes, from 0 on",
          wrong == labels.values.end() ? 0 : *wrong, wrong - labels.values.begin(), label_file.string(), classes);
  return {.image_shape = {images.sizes[1], images.sizes[2]},
          .pixels = std::move(images.values),
          .labels = {labels.values.begin(), labels.values.end()}};
}

}  // namespace

Normalization normalization_of(const ImageSet& set) {
  require(!set.pixels.empty(), "an empty image set has no mean to normalise by");
  // Whole numbers, so that the result depends on no order of summation.
  std::uint64_t sum = 0;
  std::uint64_t squares = 0;
  for (const std::uint32_t pixel : set.pixels) {
    sum += pixel;
    squares += std::uint64_t{pixel} * pixel;
  }
  const auto count = static_cast<double>(set.pixels.size());
  const double mean = static_cast<double>(sum) / count;
  const double variance = static_cast<double>(squares) / count - mean * mean;
  // A set of one colour has no spread; its pixels become 0.
  const double deviation = variance > 0.0 ? std::sqrt(variance) : 255.0;
  return {static_cast<float>(mean / 255.0), static_cast<float>(deviation / 255.0)};
}

Images::Images(ImageSet set, const ImageOptions& options) : set_(std::move(set)), flatten_(options.flatten) {
  require(set_.pixels.size() == static_cast<std::size_t>(set_.count() * set_.image_shape.count()),
          "an image set of {} labels and images of shape {} has {} pixels", set_.count(), set_.image_shape,
          set_.pixels.size());
  normalization_ = options.normalization ? *options.normalization : normalization_of(set_);
  for (int pixel = 0; pixel < 256; ++pixel) {
    const float value = static_cast<float>(pixel) / 255.0f;
    normalized_[static_cast<std::size_t>(pixel)] = (value - normalization_.mean) / normalization_.deviation;
  }
}

std::vector<Field> Images::fields() const {
  const Shape image = flatten_ ? Shape{set_.image_shape.count()} : set_.image_shape;
  return {{DType::f32, image}, {DType::i32, {}}};
}

void Images::fill(std::span<const std::uint32_t> items, std::span<const Slot> slots) const {
  const auto size = static_cast<std::size_t>(set_.image_shape.count());
  float* image = slots[0].as<float>().data();
  const std::span<std::int32_t> labels = slots[1].as<std::int32_t>();
  for (std::size_t i = 0; i < items.size(); ++i, image += size) {
    const auto pixels = std::span(set_.pixels).subspan(items[i] * size, size);
    std::transform(pixels.begin(), pixels.end(), image, [this](std::uint8_t pixel) { return normalized_[pixel]; });
    labels[i] = set_.labels[items[i]];
  }
}

Split load_mnist(const std::filesystem::path& folder, int classes, std::string_view advice) {
  Split split{.train = load(folder, "train", classes, advice), .test = load(folder, "t10k", classes, advice)};
  require(split.train.image_shape == split.test.image_shape,
          "{}: training images have shape {}, but test images {}; are the files of one set?", folder.string(),
          split.train.image_shape, split.test.image_shape);
  return split;
}

ImageSet synthetic_images(std::int64_t count, std::uint64_t seed) {
  require(count > 0, "a synthetic set of {} images; it needs at least one", count);
  ImageSet set{.image_shape = {kSide, kSide}, .pixels = {}, .labels = {}};
  const std::int64_t size = set.image_shape.count();
  set.pixels.resize(static_cast<std::size_t>(count * size));
  for (std::size_t i = 0; i < set.pixels.size(); i += 16) {
    const std::array<std::uint32_t, 4> words = philox_block({seed, 0}, i / 16);
    for (std::size_t j = 0; j < std::min<std::size_t>(16, set.pixels.size() - i); ++j) {
      set.pixels[i + j] = static_cast<std::uint8_t>((words[j / 4] >> (8 * (j % 4))) & 0x7FU);
    }
  }
  for (std::int64_t image = 0; image < count; ++image) {
    const std::uint64_t label = random_below({seed, 1}, static_cast<std::uint64_t>(image), kSyntheticClasses);
    set.labels.push_back(static_cast<std::int32_t>(label));
    // Five patches a row, two rows.
    const auto left = static_cast<std::int64_t>(label % 5) * 5 + 2;
    const auto top = static_cast<std::int64_t>(label / 5) * 14 + 4;
    for (std::int64_t y = top; y < top + 5; ++y) {
      const auto start = set.pixels.begin() + image * size + y * kSide + left;
      std::fill(start, start + 4, std::uint8_t{255});
    }
  }
  return set;
}

}  // namespace amphora::data

// Labelled images: a Source, files in MNIST's format, and synthetic ones where no data is at hand.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "amphora/core/shape.h"
#include "amphora/data/source.h"
#include "amphora/tensor/tensor.h"

namespace amphora::data {

struct ImageSet {
  Shape image_shape;                 // [28, 28]
  std::vector<std::uint8_t> pixels;  // image after image
  std::vector<std::int32_t> labels;  // one an image

  std::int64_t count() const { return static_cast<std::int64_t>(labels.size()); }
};

struct Split {
  ImageSet train;
  ImageSet test;
};

// What is subtracted from, and divided out of, pixels in [0, 1].
struct Normalization {
  float mean = 0.0f;
  float deviation = 1.0f;
};
Normalization normalization_of(const ImageSet& set);

struct ImageBatch {
  Tensor images;  // f32
  Tensor labels;  // i32 [N]
  auto tensors() { return std::tie(images, labels); }
};

struct ImageOptions {
  bool flatten = true;  // images are [N, 784] rather than [N, 28, 28]
  // Give the training set's to the test set; empty: computed from the set itself.
  std::optional<Normalization> normalization = std::nullopt;
};

// Normalised images and their labels. The arithmetic happens on the host: every backend gets the same bits.
class Images : public Source {
 public:
  using Batch = ImageBatch;

  // Throws Error for a set whose pixels are not as many as its labels and its shape say, and for one without images
  // unless the normalization is given.
  explicit Images(ImageSet set, const ImageOptions& options = {});

  const Normalization& normalization() const { return normalization_; }

  std::int64_t count() const override { return set_.count(); }
  std::vector<Field> fields() const override;
  void fill(std::span<const std::uint32_t> items, std::span<const Slot> slots) const override;

 private:
  ImageSet set_;
  bool flatten_;
  Normalization normalization_;
  std::array<float, 256> normalized_{};  // by pixel value
};

// Reads the four files of MNIST's naming, gzipped or not, from a folder; labels are below `classes`. Throws Error when
// one is missing, with `advice` ("give a folder ..."), or bad, there is no image, images and labels differ in number,
// or a label is out of range.
Split load_mnist(const std::filesystem::path& folder, int classes = 10, std::string_view advice = {});

// Random images of MNIST's shape, each marked by a bright patch that tells its label, one of ten, so that there is
// something to learn. The same arguments give the same bytes.
ImageSet synthetic_images(std::int64_t count, std::uint64_t seed);

}  // namespace amphora::data
